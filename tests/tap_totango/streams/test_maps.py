"""Stream maps of the user's: one that fails is the failure of its own stream."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _filled(service):
    service.load(
        accounts=[{"account_id": "a", "account_name": "Acme", "attributes": {"Seats": 0}}],
        users=[{"account_id": "a", "user_id": "u@example.com", "user_name": "Jane Doe"}],
    )


def test_a_map_of_everything_leaves_deselected_streams_alone(tap) -> None:
    maps = {"*": {"account_name": "account_name.upper()", "__key_properties__": ["account_id"]}}
    ran = tap(stream_maps=maps).ok()
    assert ran.records("accounts")[0]["account_name"] == "ACME"


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"name": "account_name +"}, ["account_name +"]),
        ({"": ""}, []),
        ({"share": "1 / seats"}, ["ZeroDivisionError"]),
        ({"share": "nonsense(seats)"}, ["nonsense"]),
        ({"number": "int(account_name)"}, ["ValueError"]),
        ({"account_id": None}, ["account_id"]),
        ({"__key_properties__": ["nothing"]}, ["nothing"]),
        ({"__filter__": "1 +"}, ["1 +"]),
    ],
    ids=str,
)
def test_a_map_that_fails_fails_its_stream(tap, definition: Any, words: list[str]) -> None:
    ran = tap(stream_maps={"accounts": definition}).failed("accounts: ", "stream_maps", *words)
    assert ran.keys("users") == [("a", "u@example.com")]
    assert not ran.records("accounts")
    assert "Acme" not in ran.said
    assert ran.said.count("stream map of accounts") == 1


@pytest.mark.parametrize(
    "maps",
    [
        {"acounts": {"account_name": None}},
        {"user*s": {}, "acc": None},
        {"masked": {"__source__": "user", "user_name": "md5(user_name)"}},
        {"acc*nts?": {}},
    ],
    ids=str,
)
def test_a_map_of_no_stream_ends_the_run_before_any_call(service, tap, maps: Any) -> None:
    ran = tap(stream_maps=maps).failed("stream_maps names streams that do not exist")
    assert not ran.messages
    assert not service.dump("calls")


@pytest.mark.parametrize("maps", [{"__else__": None}, {"accounts": {}, "__else__": None}])
def test_other_streams_can_be_removed(tap, maps: Any) -> None:
    ran = tap(stream_maps=maps).ok()
    assert {message["stream"] for message in ran.of("SCHEMA")} == set(maps) - {"__else__"}


def test_a_copy_under_another_name(tap) -> None:
    ran = tap(stream_maps={"people": {"__source__": "users", "name": "user_name"}})
    assert ran.code == 0, ran.said
    (record,) = (message["record"] for message in ran.of("RECORD", "people"))
    assert record["name"] == "Jane Doe"


@pytest.mark.parametrize(
    "settings",
    [
        {"stream_maps": None},
        {"stream_map_config": None, "faker_config": None, "flattening_enabled": None},
        {"flattening_enabled": True, "flattening_max_depth": 1, "flattening_separator": None},
    ],
    ids=str,
)
def test_settings_of_the_sdk_may_be_null(tap, settings: dict[str, Any]) -> None:
    tap(**settings).ok()


@pytest.mark.parametrize(
    "maps",
    [
        {"accounts": {"__else__": "x"}},
        {"__else__": {}},
        {"accounts": {"name": 7}},
        {"accounts": "text"},
        {"accounts": 7},
        {"__nonsense__": {}},
        "text",
    ],
    ids=str,
)
def test_what_is_no_map_at_all(service, tap, maps: Any) -> None:
    tap(stream_maps=maps).failed("stream_maps")
    assert not service.dump("calls")


def test_flattening_needs_a_depth(tap) -> None:
    tap(flattening_enabled=True).failed("flattening_max_depth is required")
