"""The tap: settings, streams, and how a run begins and ends."""

from __future__ import annotations

import copy
import functools
import logging
import os
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jsonschema_rs import validator_for
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_totango.check import check
from tap_totango.config import CONFIG
from tap_totango.records.writer import UNREAD, Stopped, UnreadError, WholeLines, leave
from tap_totango.schema.files import json_file
from tap_totango.state import checked_state, utc_now
from tap_totango.streams.attributes import AttributesStream
from tap_totango.streams.events import EventsStream
from tap_totango.streams.search import AccountsStream, UsersStream
from totango_api.config import Connection
from totango_api.errors import (
    AuthenticationError,
    InputError,
    RefusedError,
    ResponseError,
    SettingsError,
    TotangoError,
)
from totango_api.http.client import ApiClient
from totango_api.redaction import register_secret, scrub_logs
from totango_api.region import resolved
from totango_api.search.attributes import CORE_ATTRIBUTES, Attribute, discover

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_totango.streams.base import TotangoStream


class TapTotango(Tap):
    """Accounts, users and events out of Totango: typed, named, complete, incremental."""

    name = "tap-totango"
    _tests = False
    package_name = "singer-totango"
    dynamic_catalog = True
    message_writer_class = WholeLines
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG)  # the SDK adds to it
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.started_at = utc_now()
        self.failures: dict[str, TotangoError] = {}
        super().__init__(*args, **kwargs)

    # What streams need ------------------------------------------------------------------------

    @functools.cached_property
    def transport(self) -> ApiClient:
        """The one way to Totango, for all streams.

        Raises:
            SettingsError: If a setting cannot be used.
        """
        agent = f"tap-totango/{self.plugin_version}"
        connection = Connection.from_config(self.config, user_agent=agent)
        connection.require_token()
        in_flight = self.config.get("max_in_flight") or 4
        return ApiClient(resolved(connection, self.config), pool_size=in_flight + 2)

    def attributes_of(self, stream: str) -> Sequence[Attribute]:
        """Return the attributes that accounts or users have."""
        return [one for one in self._attributes if one.object == stream] or CORE_ATTRIBUTES[stream]

    @property
    def knows_attributes(self) -> bool:
        """Whether the service said which attributes there are."""
        return bool(self._attributes)

    @functools.cached_property
    def _attributes(self) -> list[Attribute]:
        if self.config.get("discover_attributes") is False:
            return []
        try:
            return discover(self.transport)
        except (RefusedError, ResponseError, AuthenticationError) as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise  # the token is no good; a 403 may be about this one call
            self.logger.warning(
                "Attributes could not be discovered, so only the core attributes are known. %s",
                error,
            )
            return []

    def note_failure(self, stream: str, error: TotangoError) -> None:
        """Note that a stream failed; the others are still read, but in a test.

        Raises:
            TotangoError: In a test.
        """
        if self._tests:
            raise error
        self.failures[stream] = error
        self.logger.error("%s: %s", stream, error)

    # Singer -------------------------------------------------------------------------------------

    def discover_streams(self) -> Sequence[TotangoStream]:
        """Return the streams with the columns that this service has."""
        _ = self.transport  # settings are checked before queries, and both before any call
        return [AccountsStream(self), UsersStream(self), EventsStream(self), AttributesStream(self)]

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a state after checking its shape.

        Raises:
            InputError: If it cannot be used.
        """
        checked_state(state)
        super().load_state(state)

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration files.

        Raises:
            SettingsError: If one cannot be read, or is no JSON object.
        """
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError):
            msg = "A configuration file cannot be read, or is not a JSON object."
            raise SettingsError(msg, remedy=f"Check: {', '.join(value)}.") from None

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Register the token before anything may be said about settings.

        Raises:
            SettingsError: If they do not fit their schema.
        """
        register_secret(str(self._config.get("app_token") or ""))
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            msg = f"The settings cannot be used: {'; '.join(error.errors)}."
            raise SettingsError(msg) from None

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
        for name in ("catalog", "state"):
            options[name] = json_file(name, options.get(name))
        super(Tap, cls).invoke(about=options["about"], about_format=options["about_format"])
        config = options["config"]
        tap = cls(
            config=config.config,
            parse_env_config=config.parse_env,
            catalog=options["catalog"],
            state=options["state"],
        )
        tap.check_catalog()
        tap.sync_all()
        tap.raise_failures()

    def check_catalog(self) -> None:
        """Refuse a catalog that selects streams which do not exist.

        Raises:
            InputError: If it does.
        """
        unknown = [
            entry.tap_stream_id
            for entry in (self.input_catalog.streams if self.input_catalog else [])
            if entry.tap_stream_id not in self.streams and entry.metadata.root.selected
        ]
        if unknown:
            msg = f"The catalog selects streams that do not exist: {', '.join(sorted(unknown))}."
            raise InputError(msg, remedy=f"There are: {', '.join(sorted(self.streams))}.")

    def raise_failures(self) -> None:
        """Raise what went wrong in streams, all in one.

        Raises:
            TotangoError: If anything did.
        """
        if self.failures:
            said = " ".join(f"{stream}: {error}" for stream, error in self.failures.items())
            msg = f"{len(self.failures)} of the streams failed. {said}"
            raise TotangoError(msg)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop; what was read so far is in the state that was written last."""
        stopped = Stopped(signum)
        if isinstance(self.message_writer, WholeLines) and self.message_writer.writing:
            self.message_writer.stopped = stopped
        else:
            raise stopped


def read_config(paths: Sequence[str]) -> dict[str, Any]:
    """Read configuration files, and the environment for the word `ENV`.

    Raises:
        SettingsError: If one cannot be read, or holds what no setting takes.
    """
    given = TapTotango.cb_config(None, None, tuple(paths))  # type: ignore[arg-type]
    config = {**given.config, **(TapTotango._env_var_config if given.parse_env else {})}  # noqa: SLF001
    register_secret(str(config.get("app_token") or ""))
    built_in = copy.deepcopy(CONFIG)
    TapTotango.append_builtin_config(built_in)
    # The SDK's own settings have no part in calls; what is missing is said with its remedy.
    ours = {**dict.fromkeys(built_in["properties"], True), **CONFIG["properties"]}
    schema = {"properties": ours, "additionalProperties": False}
    faults = [
        f"{'.'.join(map(str, fault.instance_path))} {fault.message}".strip()
        for fault in validator_for(schema, mask="as it is set").iter_errors(config)
    ]
    if faults:
        msg = f"Settings cannot be used: {'; '.join(faults)}."
        raise SettingsError(msg, remedy="`tap-totango --about` lists them all.")
    return config


def main() -> None:
    """Run the command `tap-totango`; every failure is one sentence and exit code 1."""
    if not sys.stderr:  # closed: its number must not go to a file or a connection
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for the rest of the process)
    command = TapTotango.cli
    scrub_logs()
    try:
        if sys.argv[1:2] == ["check"]:
            sys.exit(check(sys.argv[2:], read_config))
        command()
    except TotangoError as error:
        leave(str(error), 1)
    except (UnreadError, BrokenPipeError) as error:
        leave(str(error) or UNREAD, 1)
    except Stopped as stopped:
        leave(f"Stopped by {stopped}; a later run goes on from the last state.", stopped.exit_code)
    except Exception as error:
        logging.getLogger(TapTotango.name).exception("Unexpected failure.")
        leave(f"Unexpected failure ({type(error).__name__}); please report the lines above.", 1)
