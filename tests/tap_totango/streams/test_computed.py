"""Columns beside the attributes: there by default, found by trial, never at the cost of others."""

from __future__ import annotations

from typing import Any

import pytest

ACCOUNT: dict[str, Any] = {
    "account_id": "a-1",
    "health": "green",
    "health_prev": "red",
    "attributes": {"Plan": "Pro", "Success Manager": "Dana Reed"},
}
COMPUTED = ("health", "health_trend", "score", "status_group", "last_touch")


def test_an_account_is_complete_by_default(service, tap) -> None:
    service.load(accounts=[{**ACCOUNT, "parent_id": "a-0"}])
    ran = tap().ok()
    (record,) = ran.records("accounts")
    assert record["health"] == record["health_trend"] == "green"
    assert record["health_trend_previous"] == "red"
    assert record["parent_id"] == "a-0"
    assert record["success_manager_owner"] == record["success_manager"] == "Dana Reed"
    assert record["success_manager_owner_email"] == "dana.reed@sandbox.example"
    assert len(service.calls("accounts")) == 1
    properties = ran.schema("accounts")["properties"]
    assert {name for name in COMPUTED if properties[name].get("readOnly")} == set(COMPUTED)
    assert "readOnly" not in properties["plan"]


@pytest.mark.parametrize("kind", ["health_trend", "owner", "last_touch_timestamp"])
@pytest.mark.parametrize("incremental", [False, True])
def test_a_field_that_is_refused_is_named_once(service, tap, kind: str, incremental: bool) -> None:
    service.load(accounts=[{**ACCOUNT, "last_activity_time": 1_760_000_000_000}])
    state = tap().ok().state if incremental else None
    service.set(**{f"field.{kind}": "off"})
    ran = tap(state=state).ok()
    (record,) = ran.records("accounts")
    assert record["plan"] == "Pro"
    assert record["health"] == "green"
    name = {"owner": "success_manager_owner", "last_touch_timestamp": "last_touch"}.get(kind, kind)
    assert record[name] is None
    assert ran.said.count(f"does not give {name} here") == 1
    assert "refuses to filter" not in ran.said


def test_a_refused_column_costs_few_calls_once_it_is_known_and_comes_back(service, tap) -> None:
    service.load(accounts=[ACCOUNT])
    service.set(**{"field.health_trend": "off"})
    first = tap().ok()
    calls = len(service.calls("accounts"))
    again = tap(state=first.state, full_refresh_every_hours=0).ok()
    assert again.records("accounts") == first.records("accounts")
    assert len(service.calls("accounts")) - calls <= 5 < calls
    service.set(**{"field.health_trend": "on"})
    calls = len(service.calls("accounts"))
    back = tap(state=again.state, full_refresh_every_hours=0).ok()
    assert len(service.calls("accounts")) - calls == 1
    assert "health_trend" not in back.said
    assert "refused_columns" not in back.bookmark("accounts")


def test_a_service_that_leaves_a_value_out_does_not_shift_the_others(stub, tap) -> None:
    from stub_totango import hits, ok

    def answer(call):
        if "search" not in call.path or "users" in call.path:
            return ok(hits("users", [], 0) if "users" in call.path else {"list": []})
        fields = [one for one in call.query["fields"] if one["type"] != "health_trend"]
        values = [one.get("term") or one.get("attribute") for one in fields]
        return ok(hits("accounts", [{"name": "a", "selected_fields": values}], 1))

    ran = tap(config=stub(answer).config()).ok()
    (record,) = ran.records("accounts")
    assert record["status_group"] == "status_group"
    assert record["health_trend"] is None
    assert "does not give health_trend here" in ran.said


def test_usage_is_read_on_request(service, tap, discover) -> None:
    service.load(accounts=[ACCOUNT])
    catalog = discover()
    assert "unique_users_14_days" not in tap(catalog=catalog).ok().records("accounts")[0]
    catalog.select("accounts", only=("unique_users_14_days",))
    assert "unique_users_14_days" in tap(catalog=catalog).ok().records("accounts")[0]


def test_an_answer_that_no_column_spoils_is_not_blamed_on_one(stub, tap) -> None:
    """Found where a gateway broke every response, and the run advised to deselect a column."""

    from stub_totango import hits, ok

    def answer(call):
        if "users" in call.path:
            return ok(hits("users", [], 0))
        if call.query["fields"]:
            return 400, {}, b'{"status": "failed", "_error": "unknown field"}'
        return ok({"status": "success"})

    ran = tap(config=stub(answer).config(discover_attributes=False)).failed("holds no response.")
    assert "unknown field" not in ran.said
