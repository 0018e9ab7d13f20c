"""The plugin: settings, streams, and how a run begins and ends."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import StateMessage

from tap_totango.config_schema import COMMANDS, CONFIG_SCHEMA
from tap_totango.profile import KnownService
from tap_totango.records import MessageWriter, Stopped
from tap_totango.report import Report, RunEnd, StreamFailures
from tap_totango.schema import SNAKE, Naming, catalog_in
from tap_totango.state import canonical, utc_now
from tap_totango.state_file import checked_state, columns_known, state_in, unwrapped_state
from tap_totango.streams import (
    Discovery,
    StreamContext,
    TotangoStream,
    check_maps,
    check_selection,
    map_error,
    streams_of,
)
from totango_api.command import Part, handle_signals, help_on
from totango_api.errors import SettingsError, TotangoError
from totango_api.http import ApiClient
from totango_api.plugin_config import checked_config, config_input, respell
from totango_api.redaction import register_secrets
from totango_api.region import connected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum


class TapTotango(Tap):
    """Accounts, users and events out of Totango: typed, named, complete, incremental."""

    name = "tap-totango"
    _tests = False
    package_name = "singer-totango"
    dynamic_catalog = True
    message_writer_class = MessageWriter
    message_writer: MessageWriter
    own_schema = CONFIG_SCHEMA
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_SCHEMA)  # the SDK adds to it
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(
        self,
        *args: Any,
        setup_mapper: bool = True,
        known_catalog: Any = None,
        report: Report | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a tap.

        Args:
            args: As the SDK's.
            setup_mapper: Whether to make the streams now.
            known_catalog: A catalog whose columns keep their names; nothing else of it is used.
            report: Counts what is done.
            kwargs: As the SDK's.
        """
        self.started_at = utc_now()
        self.report = report or Report()
        self.failures = StreamFailures(self.report, are_raised=self._tests)
        self._known_catalog = known_catalog
        # Streams are made of the state, which the SDK loads after the mapper has asked for them.
        super().__init__(*args, setup_mapper=False, **kwargs)
        if setup_mapper:
            self.setup_mapper()

    def setup_mapper(self) -> None:
        """Make the streams, and the maps over the columns that they really have.

        A map that cannot be used fails its own stream, if that one is read at all.

        Raises:
            SettingsError: If there can be no maps at all.
        """
        try:
            super(Tap, self).setup_mapper()
        except Exception as error:  # noqa: BLE001 (of the SDK, about the user's settings)
            raise map_error(error) from None
        for name, stream in self.streams.items():
            if not (stream.selected or self._tests):  # `--test=schema` selects them all later
                continue
            try:
                self.mapper.register_raw_streams_from_catalog(stream._singer_catalog)  # noqa: SLF001 (of the SDK)
            except Exception as error:  # noqa: BLE001
                self.failures.note(name, map_error(error, name))
                stream.selected = False

    @functools.cached_property
    def client(self) -> ApiClient:
        """Calls the service, for all streams.

        Raises:
            SettingsError: If a setting cannot be used.
        """
        connection = connected(self.config, user_agent=f"tap-totango/{self.plugin_version}")
        in_flight = self.config.get("max_in_flight") or 4
        return ApiClient(connection, pool_size=in_flight + 2)

    @functools.cached_property
    def stream_classes(self) -> dict[str, type[TotangoStream]]:
        """Every stream by its name, those of the user's own included.

        Raises:
            SettingsError: If one of these cannot be used.
        """
        return streams_of(self._config)

    def _context(self) -> StreamContext:
        """Return what the streams share."""
        is_safe = self.config.get("safe_column_names") is not False
        naming = Naming(str(self.config.get("column_names") or SNAKE), is_safe)
        enabled = self.config.get("discover_attributes") is not False
        known = KnownService.of(self.config, self.client.connection)
        promising = not known.names_no_attributes
        return StreamContext(
            client=self.client,
            discovery=Discovery(self.client, is_enabled=enabled, is_promising=promising),
            naming=naming,
            known_columns=columns_known(
                self.state, self.input_catalog or self._known_catalog, self.stream_classes, naming
            ),
            started_at=self.started_at,
            writer=self.message_writer,
            write_state=lambda: self.state_writer.write_state(self.state),
            fail=self.failures.note,
            part=Part.parse(self.config.get("part")),
            report=self.report,
            known_service=known,
        )

    def discover_streams(self) -> Sequence[TotangoStream]:
        """Return the streams with the columns that this service has."""
        context = self._context()  # settings are checked before queries, and both before any call
        return [stream(self, context) for stream in self.stream_classes.values()]

    def run_discovery(self) -> str:
        """Print the catalog; say which streams could not be looked at."""
        for name, stream in self.streams.items():
            if isinstance(stream, TotangoStream) and stream.failure is not None:
                self.logger.warning("%s: its columns are not known. %s", name, stream.failure)
        return super().run_discovery()

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a state, out of its envelope, after checking its shape.

        Raises:
            InputError: If it cannot be used.
        """
        state = unwrapped_state(state)
        checked_state(state)
        super().load_state(state)

    @classmethod
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:
        """Read the files of `--config`, and the environment for the word `ENV`.

        Raises:
            SettingsError: If one cannot be read, or is no JSON object.
        """
        read = functools.partial(super().cb_config, ctx, param)
        parse = functools.partial(parse_environment_config, prefix=cls._env_var_prefix)
        return config_input(cls, value, read, parse)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check settings before any call, and before the SDK does, which quotes their values.

        Raises:
            SettingsError: If they cannot be used.
        """
        properties = CONFIG_SCHEMA["properties"]
        register_secrets(self._config, properties)
        respell(self._config, properties)
        names = [*self.stream_classes]  # says better than the schema what is wrong with `streams`
        checked_config(self, self._config)
        for name in self._config.keys() - properties.keys():
            if self._config[name] is None:  # the SDK's own settings have no null
                del self._config[name]
        check_maps(self._config.get("stream_maps"), names)
        if self._config.get("start_date") is not None:
            canonical(self._config["start_date"], "start_date")
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            msg = f"The settings cannot be used: {'; '.join(error.errors)}."
            raise SettingsError(msg) from None

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command line; unlike the SDK's, `--discover` heeds state and catalog."""
        command = super().get_singer_command()
        discover = next(one for one in command.params if one.name == "discover")
        discover.callback, discover.expose_value = None, True
        command.epilog = help_on(COMMANDS)
        return command

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Read one record of each stream."""
        cls._tests = value != "disabled"
        super().cb_test(ctx, param, value)

    @classmethod
    def invoke(cls, **options: Any) -> None:
        """Run the tap; fail at the end if any stream failed.

        Raises:
            TotangoError: If not everything that was asked for was done.
        """
        super(Tap, cls).invoke(about=options["about"], about_format=options["about_format"])
        given: dict[str, Any] = {"config": options["config"].config}
        if options["discover"]:
            given["state"] = state_in(options["state"])
            catalog = catalog_in(options["catalog"])
            cls(**given, known_catalog=catalog, setup_mapper=False).run_discovery()
            return
        end, report = RunEnd(given["config"]), Report()
        tap: TapTotango | None = None
        try:
            given["state"] = state_in(options["state"])
            tap = cls(**given, catalog=catalog_in(options["catalog"]), report=report)
            check_selection(tap.input_catalog, tap.streams, may_be_none=bool(tap.failures))
            tap.fail_narrow_streams()
            tap.sync_whole()
        except BaseException as error:  # such as a signal
            end.finish(report, tap.client if tap else None, error)
            raise
        end.finish(report, tap.client, None)

    def fail_narrow_streams(self) -> None:
        """Fail the streams whose part of the catalog lacks columns of earlier runs."""
        for name, stream in self.streams.items():
            if isinstance(stream, TotangoStream) and stream.selected:
                try:
                    stream.check_catalog()
                except TotangoError as error:
                    self.failures.note(name, error)
                    stream.selected = False

    def sync_whole(self) -> None:
        """Read all streams.

        Raises:
            TotangoError: If any failed.
        """
        try:
            self.sync_all()
            self.write_last_state()
        except BaseException:  # such as a signal: what failed before it is said as well
            if self.failures:
                self.logger.error("%s", self.failures)  # noqa: TRY400 (no traceback)
            raise
        self.failures.check()

    def write_last_state(self) -> None:
        """Say the state behind the last row, even where it is the one that was said before it.

        Targets such as target-jsonl give back only a STATE that no row follows.
        """
        if self.state and not self.message_writer.ends_with_state:
            self.message_writer.write_message(StateMessage(value=self.state))

    def _setup_signal_handlers(self) -> None:
        handle_signals(self._handle_termination)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop; what was read so far is in the state that was written last."""
        stopped = Stopped(signum)
        if self.message_writer.is_writing:
            self.message_writer.stopped = stopped
        else:
            raise stopped
