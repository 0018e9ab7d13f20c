"""The plugin: Singer messages in, a run behind them."""

from __future__ import annotations

import copy
import logging
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TargetCapabilities,
)
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.target_base import Target

from target_totango.check import check_lines
from target_totango.config import Settings
from target_totango.config_schema import COMMANDS, CONFIG_SCHEMA
from target_totango.models import TRACKING, SourceStream
from target_totango.pipeline import DRAIN_SECONDS, Run
from target_totango.profile import with_profile
from target_totango.singer import (
    CHECK_THE_TAP,
    MessageReader,
    key_properties_of,
    parts_of,
)
from target_totango.streams import (
    STREAM_MAP_ERRORS,
    CompiledMappings,
    StreamRoute,
    TotangoSink,
    identity_of,
    stream_map_error,
    streams_without,
)
from totango_api.command import handle_signals, help_on
from totango_api.config import Connection
from totango_api.errors import InputError, SettingsError
from totango_api.notifications import notifying_of_failures
from totango_api.plugin_config import checked_config, config_input

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import click

logger = logging.getLogger("target-totango")


class RecordBeforeSchemaError(InputError, RecordsWithoutSchemaException):
    """A RECORD of a stream that no SCHEMA announced."""


class TargetTotango(Target):
    """Singer target for Totango: accounts, users, activities, collections, touchpoints, tasks."""

    name = "target-totango"
    package_name = "singer-totango"
    own_schema = CONFIG_SCHEMA
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_SCHEMA)  # the SDK adds to it
    default_sink_class = TotangoSink
    message_reader_class = MessageReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
        TargetCapabilities.HARD_DELETE,
    ]
    message_reader: MessageReader

    def __init__(self, *, config: Any = None, **arguments: Any) -> None:
        try:
            super().__init__(config=config, **arguments)
        except STREAM_MAP_ERRORS as error:
            if not isinstance(config, dict) or not config.get("stream_maps"):
                raise
            raise stream_map_error(error) from None
        settings = Settings.from_config(self.config)
        connection = Connection.from_config(
            self.config, user_agent=f"target-totango/{self.plugin_version}"
        )
        if settings.uses(TRACKING) and not settings.dry_run:
            connection.require_service_id().require_full()
        settings = with_profile(settings, self.config, connection)
        self.run = Run(settings, connection, self.config)
        self.mappings = CompiledMappings(settings, self.run.clients, self.run.known_groups)
        self.message_reader.take_records = self._process_record_messages
        self.message_reader.pulse = self.run.pulse
        self.message_reader.wait_readable = self.run.wait_readable
        self._sources: dict[str, SourceStream] = {}
        self._routes: dict[str, StreamRoute] = {}

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings before the SDK does, which quotes their values.

        Raises:
            SettingsError: If one of ours does not fit its schema.
        """
        checked_config(self, self._config)
        return super()._validate_config(raise_errors=raise_errors)

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, but for the one that `sync_mode` says better."""
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("load_method", None)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command line, whose help names the subcommands."""
        command = super().get_singer_command()
        command.epilog = help_on(COMMANDS)
        return command

    @classmethod
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:
        """Read the files of `--config`, and the environment for the word `ENV`.

        Raises:
            SettingsError: If one cannot be read, or is no JSON object.
        """
        read = partial(super().cb_config, ctx, param)
        parse = partial(parse_environment_config, prefix=cls._env_var_prefix)
        return config_input(cls, value, read, parse)

    @classmethod
    def invoke(cls, **arguments: Any) -> None:
        """Run the target.

        Raises:
            SettingsError: If the settings do not fit their schema.
            TotangoError: If not everything was done.
        """
        super(Target, cls).invoke(about=arguments["about"], about_format=arguments["about_format"])
        cls.print_version(print_fn=cls.logger.info)
        config = arguments["config"].config
        with notifying_of_failures(cls.name, config):
            try:
                target = cls(config=config)
            except ConfigValidationError as error:
                msg = f"The settings cannot be used: {'; '.join(error.errors)}."
                raise SettingsError(msg) from None
        target.listen(arguments["file_input"])

    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> TotangoSink:
        """Return the sink of a stream; a changed SCHEMA gets a new one at once.

        The SDK would archive the old one, but our sinks hold no records.
        """
        if schema is None:
            sink = super().get_sink(stream_name, record=record)
        else:
            sink = self.add_sink(stream_name, schema, key_properties)
        return cast("TotangoSink", sink)

    # Hooks of BaseSingerReader: private by their names, but every reader has to define them.

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        line = self.message_reader.line
        stream, schema = parts_of(message_dict, line, stream=str, schema=dict)
        schema.setdefault("properties", {})
        if self.mappings.is_only_a_test(stream):
            self._check()
        keys = key_properties_of(message_dict, line)
        known = self._sources.get(stream)
        if known is not None and known.schema == schema and known.key_properties == keys:
            return
        # Streams may share an alias, so that one SCHEMA changes the way of another stream.
        self._routes.clear()
        self._sources[stream] = SourceStream(stream, copy.deepcopy(schema), keys)
        try:
            self.mapper.register_raw_stream_schema(stream, schema, keys)
        except STREAM_MAP_ERRORS as error:
            raise stream_map_error(error, stream=stream) from None
        for stream_map in self.mapper.stream_maps[stream]:
            if not isinstance(stream_map, RemoveRecordTransform):
                self.get_sink(
                    stream_map.stream_alias,
                    schema=stream_map.transformed_schema,
                    key_properties=stream_map.transformed_key_properties,
                )

    def _check(self) -> None:
        """Check the connection, as far as there is a token to ask with.

        Raises:
            TotangoError: If rows cannot be written.
        """
        if not self.run.clients.has_token:
            logger.info("Without app_token, there is nothing that could be asked.")
            return
        for line in check_lines(self.config):
            logger.info("%s", line)

    def _process_record_messages(self, messages: list[dict[str, Any]]) -> None:
        """Take RECORDs of one stream."""
        stream, _ = parts_of(messages[0], self.message_reader.line, stream=str, record=dict)
        route = self._routes.get(stream)
        if route is None:
            route = self._routes[stream] = self._route_of(stream)
        route.send(messages, is_plain=self.message_reader.is_plain)

    def _route_of(self, stream: str) -> StreamRoute:
        source = self._sources.get(stream)
        if source is None:
            msg = f"Line {self.message_reader.line} is a RECORD of {stream!r} before its SCHEMA."
            raise RecordBeforeSchemaError(msg, remedy="The tap has to announce every stream first.")
        return StreamRoute(source, self.mapper.stream_maps[stream], self.get_sink, self.run)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if "value" not in message_dict:
            msg = f"The STATE message in line {self.message_reader.line} has no value."
            raise InputError(msg, remedy=CHECK_THE_TAP)
        self.run.state(message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        line = self.message_reader.line
        stream, version = parts_of(message_dict, line, stream=str, version=int)
        if stream not in self._sources:
            # Nothing of the stream was read, so nothing of an older version is gone.
            logger.info("ACTIVATE_VERSION of %r before its SCHEMA is ignored.", stream)
            return
        for stream_map in self.mapper.stream_maps[stream]:
            if not self.sink_exists(stream_map.stream_alias):
                continue
            sink = self.get_sink(stream_map.stream_alias)
            if not sink.process_activate_version_messages:
                continue
            for mapping in sink.mappings:
                identity = identity_of(sink.stream_name, self.config)
                self.run.activate_version(stream, mapping.stream, mapping.object, version, identity)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        msg = f"Stream {message_dict.get('stream')!r} sends BATCH messages, which are not taken."
        raise InputError(msg, remedy="Switch batch_config off in the tap.")

    def process_endofpipe(self) -> None:
        """Finish the run, whatever ended the input."""
        self.mappings.log_unused()
        for name in streams_without(self.config.get("stream_maps") or {}, self._sources):
            logger.warning("The stream map for %r fitted no stream.", name)
        self.run.finish(self.message_reader.failure)

    def _setup_signal_handlers(self) -> None:
        handle_signals(self._handle_termination)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The reader stops at the next message; process_endofpipe
        # then drains what is under way. The SDK would exit 0 here.
        del frame
        if "run" not in vars(self):  # It is still starting: nothing was read.
            raise SystemExit(128 + signum)
        if self.run.interruption.signal is not None:
            logger.warning("A second signal: leaving at once.")
            os._exit(128 + signum)
        self.run.interruption.signal = self.message_reader.signal = signum
        # A search that is being retried cannot be interrupted: nothing is lost by leaving it.
        timer = threading.Timer(DRAIN_SECONDS + 5, os._exit, (128 + signum,))
        timer.daemon = True
        timer.start()
