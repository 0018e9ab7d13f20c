"""Which records of a stream become rows, and by which way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, USERS, held, record, schema, state

from target_totango.streams import sinks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]


def account(identifier: Any, **attributes: Any) -> dict[str, Any]:
    return record("accounts", account_id=identifier, **attributes)


MAPPING = {"stream": "accounts", "attributes": {"Plan": "Plan"}, "unmapped": "drop"}


@pytest.mark.parametrize("is_checked", [True, False])
def test_records_are_checked_against_their_schema_unless_that_is_switched_off(
    deliver: Deliver, service: Sandbox, is_checked: bool
) -> None:
    told = schema("accounts", "account_id", "row", "Plan", keys=("row",))
    told["schema"]["properties"]["Plan"] = {"type": "string"}
    rows = [account("a", row=1, Plan=5), account("b", Plan="x")]
    done = deliver(told, *rows, mappings=[MAPPING], validate_records=is_checked)
    misfit = [{("Plan", "does not fit the schema")}] if is_checked else []
    assert done.codes == [*misfit, {("row", "missing")}]
    assert held(service, "accounts") == ({} if is_checked else {("a",): {"Plan": 5}})


def test_a_stream_that_a_map_removes_is_read_and_not_written(
    deliver: Deliver, service: Sandbox
) -> None:
    version = {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 1}
    maps = {"accounts": None}
    done = deliver(ACCOUNTS, account("a"), version, state(1), stream_maps=maps).ok()
    assert held(service, "accounts") == {}
    assert done.states == [state(1)["value"]]


def test_a_stream_that_is_copied_is_written_as_itself_too(
    deliver: Deliver, service: Sandbox
) -> None:
    copied = {"__source__": "accounts", "account_id": "account_id", "user_id": "'u'"}
    deliver(ACCOUNTS, account("a", Plan="x"), stream_maps={"users": copied}).ok()
    assert held(service, "accounts") == {("a",): {"Plan": "x"}}
    assert set(held(service, "users")) == {("a", "u")}


FAILING = {"type": "record['type'].upper()", "groupId": "groupId"}


def test_a_stream_map_that_fails_on_a_call_of_a_preset_rejects_that_call(
    deliver: Deliver, service: Sandbox
) -> None:
    events = schema("events", "type", "groupId")
    rows = [record("events", type=kind, groupId="a") for kind in (None, "group")]
    done = deliver(events, *rows, preset="segment", stream_maps={"events": FAILING})
    assert done.codes == [{("", "stream map failed")}]
    assert done.rejects[-1]["record"]["type"] is None


def test_a_stream_map_that_fails_on_a_row_that_is_not_written_rejects_none(
    deliver: Deliver,
) -> None:
    events = schema("events", "type", "groupId")
    row = record("events", type=None, groupId="a")
    settings = {"unmapped_streams": "ignore", "stream_maps": {"events": FAILING}}
    done = deliver(events, row, state(1), **settings).ok()
    assert "Stream 'events' was ignored: 1 row." in done.said
    assert done.rejects == []
    assert done.states == [state(1)["value"]]


def test_a_preset_that_makes_many_mappings_writes_by_each(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "PROCESSORS_KEPT", 1)
    service.set(unknown_attributes="text")
    traits = [{"seats": 1}, {"plan": "Free", "towns": 2}, {"seats": 3}]
    rows = [
        record("events", type="group", groupId=f"g{number}", traits=each)
        for number, each in enumerate(traits)
    ]
    deliver(schema("events", "type"), *rows, preset="segment").ok()
    found = held(service, "accounts")
    assert [found[(f"g{number}",)].get("seats") for number in range(3)] == ["1", None, "3"]


def test_a_version_deletes_nobody_where_versions_are_not_heeded(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = str(tmp_path / "ledger.db")
    settings = {"hard_delete": True, "ledger_path": ledger}
    for number, names in ((1, "uv"), (2, "u")):
        rows = [record("users", account_id="a", user_id=name) for name in names]
        versioned = [{**row, "version": number} for row in rows]
        version = {"type": "ACTIVATE_VERSION", "stream": "users", "version": number}
        heeded = {"process_activate_version_messages": number == 1}
        deliver(USERS, *versioned, version, **settings, **heeded).ok()
    assert set(held(service, "users")) == {("a", "u"), ("a", "v")}
