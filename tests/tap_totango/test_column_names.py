"""Over many runs: names keep their meaning, and no bad answer narrows a table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tap_runs import TapRun


def account(number: int = 1, **attributes: Any) -> dict[str, Any]:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return {
        "account_id": f"a-{number}",
        "last_activity_time": int(moment.timestamp() * 1000),
        "attributes": attributes,
    }


def definition(name: str, kind: str = "text") -> dict[str, Any]:
    return {"key_name": name, "type": kind, "object": "accounts"}


def values(ran: TapRun, *names: str) -> dict[str, Any]:
    (record,) = ran.ok().records("accounts")
    return {name: record.get(name, "no column") for name in names}


def titles(ran: TapRun) -> dict[str, str]:
    """Title of each column that is made of an attribute."""
    properties = ran.schema("accounts")["properties"]
    return {name: one["title"] for name, one in properties.items() if one["title"] != name}


@pytest.mark.parametrize("style", ["snake", "original"])
def test_a_newcomer_does_not_take_a_name(service, tap, style: str) -> None:
    service.load(accounts=[account(Plan="old")])
    first = tap(column_names=style)
    name = "Plan" if style == "original" else "plan"
    assert values(first, name) == {name: "old"}
    service.load(accounts=[account(Plan="old", plan="new")])
    second = tap(state=first.state, column_names=style, full_refresh_every_hours=0)
    newcomer = "plan_2"
    assert values(second, name, newcomer) == {name: "old", newcomer: "new"}
    assert second.said.count(f"its column is called {newcomer}") == 1
    third = tap(state=second.state, column_names=style, full_refresh_every_hours=0)
    assert values(third, name, newcomer) == {name: "old", newcomer: "new"}
    assert "its column is called" not in third.said


def test_an_attribute_that_changes_its_type_is_named_once(service, tap, discover) -> None:
    service.load(attributes=[definition("Plan")], accounts=[account(Plan="7")])
    first = tap(full_refresh_every_hours=0).ok()
    catalog = discover()
    service.reset()
    service.load(attributes=[definition("Plan", "numeric")], accounts=[account(Plan=7)])
    second = tap(state=first.state, full_refresh_every_hours=0)
    said = "accounts: Totango has changed Plan from text to number. Its column plan holds "
    assert second.said.count(f"{said}number.") == 1
    assert values(second, "plan") == {"plan": 7}
    third = tap(state=second.state, full_refresh_every_hours=0).ok()
    assert "Totango has changed" not in first.said + third.said
    kept = tap(state=first.state, catalog=catalog, full_refresh_every_hours=0)
    assert kept.said.count(f"{said}text.") == 1
    assert values(kept, "plan") == {"plan": "7"}


def test_a_name_is_kept_for_who_comes_back(service, tap) -> None:
    service.load(accounts=[account(Plan="old")])
    first = tap().ok()
    service.reset()
    service.load(accounts=[account(plan="new")])
    second = tap(state=first.state, full_refresh_every_hours=0)
    assert values(second, "plan", "plan_2") == {"plan": "no column", "plan_2": "new"}
    service.load(accounts=[account(Plan="again", plan="new")])
    third = tap(state=second.state, full_refresh_every_hours=0)
    assert values(third, "plan", "plan_2") == {"plan": "again", "plan_2": "new"}


def test_names_are_in_the_state_before_any_record(service, tap) -> None:
    service.load(accounts=[account(Plan="old")])
    kinds = [message["type"] for message in tap().ok().messages]
    assert kinds.index("SCHEMA") < kinds.index("STATE") < kinds.index("RECORD")


def test_discovery_heeds_state_and_catalog(service, tap, discover, tmp_path) -> None:
    service.load(accounts=[account(Plan="old")])
    state = tap().ok().state
    catalog = discover()
    service.load(accounts=[account(Plan="old", plan="new")])
    assert discover().properties("accounts")["plan"]["title"] == "plan"
    for kept in ({"state": state}, {"catalog": catalog}):
        ran = tap("--discover", **kept)
        properties = next(
            one["schema"]["properties"]
            for one in json.loads(ran.stdout)["streams"]
            if one["tap_stream_id"] == "accounts"
        )
        assert properties["plan"]["title"] == "Plan"
        assert properties["plan_2"]["title"] == "plan"


def test_a_catalog_discovered_since_does_not_change_what_a_name_means(
    service, tap, discover
) -> None:
    service.load(attributes=[definition("plan", "numeric")], accounts=[account(Plan="old")])
    service.reset()
    service.load(accounts=[account(Plan="old")])
    first = tap().ok()
    service.load(attributes=[definition("plan", "numeric")], accounts=[account(Plan="old", plan=7)])
    catalog = discover()
    assert catalog.properties("accounts")["plan"]["type"] == ["number", "null"]
    second = tap(state=first.state, catalog=catalog, full_refresh_every_hours=0)
    assert values(second, "plan", "plan_2") == {"plan": "old", "plan_2": 7}
    assert titles(second)["plan"] == "Plan"
    assert second.schema("accounts")["properties"]["plan"]["type"] == ["string", "null"]


def test_names_that_databases_cannot_hold(service, tap) -> None:
    long = "Days since the last quarterly business review with the sponsor was held "
    service.load(accounts=[account(**{f"{long}A": "a", f"{long}B": "b", "ctid": "c"})])
    ran = tap(column_names="original").ok()
    assert all(len(name.encode()) <= 63 for name in ran.schema("accounts")["properties"])
    assert {title: name for name, title in titles(ran).items() if title.startswith("Days")} == {
        f"{long}A": long[:63],
        f"{long}B": f"{long[:61]}_2",
    }
    assert values(ran, long[:63], "ctid_2") == {long[:63]: "a", "ctid_2": "c"}
    whole = tap(column_names="original", safe_column_names=False)
    assert values(whole, f"{long}A", "ctid") == {f"{long}A": "a", "ctid": "c"}
    kept = tap(column_names="original", state=ran.state, full_refresh_every_hours=0)
    assert titles(kept) == titles(ran)


BAD = ["off", "404", "html", "empty", "odd"]


def spoil(service, bad: str) -> None:
    if bad in BAD:
        service.set(attributes_json=bad)
    else:
        service.chaos(bad)


def mend(service) -> None:
    service.chaos()
    service.set(attributes_json="on")


@pytest.fixture
def rich(service):
    """A service with one attribute that is not among the core ones."""
    service.load(
        attributes=[definition("Tier", "list"), definition("Seats", "numeric")],
        accounts=[account(1, Tier="Gold", Seats=5), account(2, Tier="Gold", Seats=5)],
    )
    return service


@pytest.fixture
def full(tap):
    """A run that reads everything, with little patience."""
    return lambda **how: tap(full_refresh_every_hours=0, max_retry_seconds=0.1, **how)


@pytest.mark.parametrize("bad", [*BAD, "500@attributes"])
@pytest.mark.parametrize("knows", ["state", "catalog", "both"])
def test_one_bad_answer_does_not_narrow_a_table(rich, full, discover, bad: str, knows: str) -> None:
    first = full().ok()
    catalog = discover()
    kept = {"state": first.state} if knows != "catalog" else {}
    kept |= {"catalog": catalog} if knows != "state" else {}
    spoil(rich, bad)
    second = full(**kept).ok()
    assert second.schema("accounts") == first.schema("accounts")
    assert second.records("accounts") == first.records("accounts")
    assert "does not name its attributes" in second.said
    refreshed = second.bookmark("accounts").get("full_refresh_at")
    before = first.bookmark("accounts")["full_refresh_at"]
    assert refreshed == (None if knows == "catalog" else before)
    if "state" in kept:
        kept["state"] = second.state
    mend(rich)
    third = full(**kept).ok()
    assert third.schema("accounts") == first.schema("accounts")
    assert third.bookmark("accounts")["full_refresh_at"] > before
    assert "attributes_undiscovered" not in third.bookmark("accounts")


@pytest.mark.parametrize("bad", BAD)
def test_without_knowledge_a_good_answer_is_a_reason_for_a_full_read(rich, tap, bad: str) -> None:
    spoil(rich, bad)
    first = tap(max_retry_seconds=0.1).ok()
    assert "tier" not in first.schema("accounts")["properties"]
    assert "Only the core attributes are read" in first.said
    assert "app_token" not in first.said
    second = tap(state=first.state, max_retry_seconds=0.1).ok()
    assert second.schema("accounts") == first.schema("accounts")
    assert [record["account_id"] for record in second.records("accounts")] == ["a-2"]
    mend(rich)
    third = tap(state=second.state).ok()
    assert len(third.records("accounts")) == 2
    assert third.records("accounts")[0]["tier"] == "Gold"
    assert len(tap(state=third.state).ok().records("accounts")) == 1


@pytest.mark.parametrize("bad", BAD)
def test_a_catalog_made_of_a_bad_answer_does_not_narrow_a_table(
    rich, tap, full, discover, bad: str
) -> None:
    first = full().ok()
    spoil(rich, bad)
    narrow = discover(max_retry_seconds=0.1)
    assert "tier" not in narrow.properties("accounts")
    mend(rich)
    second = full(catalog=narrow, state=first.state)
    second.failed("accounts: The catalog was discovered while", "tier", "Discover again")
    assert not second.of("SCHEMA", "accounts")
    assert second.schema("users")
    assert second.bookmark("accounts") == first.bookmark("accounts")
    full(catalog=discover(), state=second.state).ok()
    spoil(rich, bad)  # for good: nothing was ever written that the catalog lacks
    tap(catalog=narrow, max_retry_seconds=0.1).ok()


def test_a_service_that_gives_no_answer_at_all(rich, tap) -> None:
    rich.chaos("500@attributes")
    tap(max_retry_seconds=0).failed("attributes.json", "500")


def test_definitions_of_accounts_alone_are_no_bad_answer_for_users(rich, tap) -> None:
    ran = tap().ok()
    assert "does not name its attributes" not in ran.said
    assert {"email", "first_name"} <= set(ran.schema("users")["properties"])


@pytest.mark.parametrize("keys", ["absent", "empty"])
def test_keys_go_out_whatever_the_catalog_says_of_them(rich, tap, discover, keys: str) -> None:
    catalog = discover()
    for stream in ("accounts", "users"):
        entry = catalog.stream(stream)
        if keys == "empty":
            entry["key_properties"] = []
        else:
            del entry["key_properties"]
    ran = tap(catalog=catalog).ok()
    found = {message["stream"]: message["key_properties"] for message in ran.of("SCHEMA")}
    assert found == {"accounts": ["account_id"], "users": ["account_id", "user_id"]}


def test_a_catalog_without_any_mention_of_keys(rich, tap, discover) -> None:
    catalog = discover()
    entry = catalog.stream("accounts")
    del entry["key_properties"]
    del catalog.metadata("accounts")["table-key-properties"]
    ran = tap(catalog=catalog).ok()
    assert ran.of("SCHEMA", "accounts")[0]["key_properties"] == ["account_id"]
