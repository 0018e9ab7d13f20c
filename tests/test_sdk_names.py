"""What the plugins use of the SDK that is private by its name: this list, and as it is today.

A release of the SDK that changes any of it fails here, and names what to look at.
"""

from __future__ import annotations

import inspect

import pytest
from singer_sdk import Sink, Stream, Tap, Target
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from tap_totango.records.writer import MessageWriter
from tap_totango.streams.accounts import AccountsStream
from tap_totango.streams.attributes import AttributesStream
from tap_totango.streams.base import TotangoStream
from tap_totango.streams.catalog_stream import CatalogStream
from tap_totango.streams.events.events import EventsStream
from tap_totango.streams.users import UsersStream
from tap_totango.tap import TapTotango
from target_totango.singer.reader import MessageReader
from target_totango.streams import TotangoSink
from target_totango.target import TargetTotango

OVERRIDDEN: dict[type, dict[str, list[str]]] = {
    Stream: {
        "_generate_record_messages": ["self", "record"],
        "_generate_schema_messages": ["self"],
        "_increment_stream_state": ["self", "latest_record", "context"],
        "_singer_catalog_entry": ["self"],
        "_sync_records": ["self", "context", "write_messages"],
    },
    Tap: {
        "_handle_termination": ["self", "signum", "frame"],
        "_setup_signal_handlers": ["self"],
        "_validate_config": ["self", "raise_errors"],
    },
    Target: {
        "_handle_termination": ["self", "signum", "frame"],
        "_process_activate_version_message": ["self", "message_dict"],
        "_process_batch_message": ["self", "message_dict"],
        "_process_schema_message": ["self", "message_dict"],
        "_process_state_message": ["self", "message_dict"],
        "_setup_signal_handlers": ["self"],
        "_validate_config": ["self", "raise_errors"],
    },
    Sink: {},
    GenericSingerReader: {},
    MsgSpecWriter: {},
}
CALLED = {
    Stream: {
        "_check_max_record_limit": ["self", "current_record_index"],
        "_write_activate_version_message": ["self", "full_table_version"],
        "_write_record_message": ["self", "record"],
    },
    Sink: {"_add_sdc_metadata_to_record": ["self", "record", "message", "context"]},
}
OURS = {
    Stream: [
        CatalogStream,
        TotangoStream,
        AccountsStream,
        UsersStream,
        EventsStream,
        AttributesStream,
    ],
    Tap: [TapTotango],
    Target: [TargetTotango],
    Sink: [TotangoSink],
    GenericSingerReader: [MessageReader],
    MsgSpecWriter: [MessageWriter],
}


def parameters(base: type, name: str) -> list[str]:
    member = getattr(base, name)
    member = member.fget if isinstance(member, property) else member
    return list(inspect.signature(member).parameters)


@pytest.mark.parametrize(
    ("base", "name", "expected"),
    [
        pytest.param(base, name, expected, id=f"{base.__name__}.{name}")
        for names in (OVERRIDDEN, CALLED)
        for base, entries in names.items()
        for name, expected in entries.items()
    ],
)
def test_it_takes_what_it_took(base: type, name: str, expected: list[str]) -> None:
    assert parameters(base, name) == expected


@pytest.mark.parametrize("base", OURS, ids=lambda base: base.__name__)
def test_nothing_else_is_overridden(base: type) -> None:
    theirs = {name for one in base.__mro__ if one is not object for name in vars(one)}
    found = {
        name
        for ours in OURS[base]
        for name in vars(ours)
        if name in theirs and name.startswith("_") and not name.startswith("__")
    }
    # What tells abstract classes and generic ones apart is Python's.
    assert found - {"_abc_impl", "_is_protocol"} == set(OVERRIDDEN[base])


def test_the_sdk_still_calls_what_is_overridden() -> None:
    assert "self._sync_records(" in inspect.getsource(Stream.sync)
    assert "self._validate_config(" in inspect.getsource(PluginBase.__init__)
    assert "self._setup_signal_handlers()" in inspect.getsource(PluginBase.__init__)


def test_values_that_are_read_are_still_there() -> None:
    assert parse_environment_config({}, TapTotango._env_var_prefix) == {}
    tap = TapTotango(config={"app_token": "some-token", "discover_attributes": False})
    stream = tap.streams["accounts"]
    assert stream._input_schema is None
    assert stream._stream_version is None
    assert list(stream._singer_catalog) == ["accounts"]
