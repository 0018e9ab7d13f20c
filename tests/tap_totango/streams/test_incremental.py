"""Only what changed is asked for; what a server does with the filter changes nothing but calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tap_runs import TapRun

OLD, NEW = 1_760_000_000_000, 1_763_000_000_000
NEW_TEXT = "2025-11-13T02:13:20.000000Z"


def account(identifier: str, active: int | None, **attributes: Any) -> dict[str, Any]:
    return {
        "account_id": identifier,
        "account_name": f"Company {identifier}",
        "last_activity_time": active,
        "attributes": attributes,
    }


@pytest.fixture
def first(service, tap) -> TapRun:
    """A first run over three accounts: one active long ago, one lately, one never."""
    service.load(
        attributes=[{"key_name": "Plan", "type": "text", "object": "accounts"}],
        accounts=[account("old", OLD), account("new", NEW), account("never", None)],
    )
    ran: TapRun = tap().ok()
    return ran


def rows_asked(service) -> list[int]:
    return [call["rows"] for call in service.calls("accounts")]


def test_the_first_run_reads_everything(first) -> None:
    assert set(first.keys("accounts")) == {("old",), ("new",), ("never",)}
    assert first.value("accounts") == NEW_TEXT
    assert len(first.of("ACTIVATE_VERSION", "accounts")) == 1


def test_the_next_run_asks_for_what_changed(first, service, tap) -> None:
    service.load(accounts=[account("newer", NEW + 1000), account("older", OLD - 1000)])
    before = len(rows_asked(service))
    ran = tap(state=first.state).ok()
    assert set(ran.keys("accounts")) == {("new",), ("newer",)}, "equal values come again"
    assert rows_asked(service)[before:] == [2]
    assert ran.value("accounts") == "2025-11-13T02:13:21.000000Z"
    assert not ran.of("ACTIVATE_VERSION", "accounts")
    assert all("version" not in message for message in ran.of("RECORD"))


def test_activity_that_shows_minutes_late_is_read_by_default(first, service, tap) -> None:
    late = NEW - 5 * 60 * 1000
    service.load(accounts=[account("late", late)])
    assert ("late",) not in tap(state=first.state, lookback_seconds=0).ok().keys("accounts")
    ran = tap(state=first.state).ok()
    assert set(ran.keys("accounts")) == {("new",), ("late",)}
    assert ran.value("accounts") == NEW_TEXT


@pytest.mark.parametrize("how", ["ignore", "error"])
def test_a_server_without_the_filter_costs_time_not_rows(first, service, tap, how: str) -> None:
    service.load(accounts=[account("newer", NEW + 1000)])
    service.set(**{"term.date": "off", "unsupported_term": how})
    ran = tap(state=first.state).ok()
    assert set(ran.keys("accounts")) == {("new",), ("newer",)}
    assert ran.value("accounts") == "2025-11-13T02:13:21.000000Z"
    assert ("refuses to filter" in ran.said) is (how == "error")


def test_nothing_new_leaves_the_bookmark_where_it_is(first, service, tap) -> None:
    service.reset()
    service.load(accounts=[account("older", OLD)])
    service.set(**{"term.date": "off", "unsupported_term": "ignore"})
    ran = tap(state=first.state).ok()
    assert ran.keys("accounts") == []
    assert ran.value("accounts") == NEW_TEXT


def test_a_state_comes_behind_the_last_row_even_if_it_stayed_the_same(first, tap) -> None:
    # target-jsonl, as others, forgets a STATE that a row follows.
    ran = tap(state=first.state).ok()
    kinds = [message["type"] for message in ran.messages]
    assert "RECORD" in kinds
    assert kinds[-1] == "STATE"
    assert kinds[-2] != "STATE"
    assert ran.value("accounts") == first.value("accounts")


@pytest.mark.parametrize(
    ("hours", "full"), [({"full_refresh_every_hours": 0}, True), ({}, False)], ids=["0", "24"]
)
def test_an_edited_attribute_arrives_with_a_full_refresh(
    first, service, tap, hours: dict[str, Any], full: bool
) -> None:
    service.load(accounts=[account("old", OLD, Plan="Pro")])
    ran = tap(state=first.state, **hours).ok()
    assert (("old",) in ran.keys("accounts")) is full
    assert (("never",) in ran.keys("accounts")) is full, "a null value arrives in full runs only"
    assert bool(ran.of("ACTIVATE_VERSION", "accounts")) is full


def days_ago(state: dict[str, Any], days: float) -> dict[str, Any]:
    """The state as it would be, had the run been days ago."""
    for bookmark in state["bookmarks"].values():
        for key in ("full_refresh_at", "full_refresh_anchor"):
            if key in bookmark:
                moment = datetime.fromisoformat(bookmark[key]) - timedelta(days=days)
                bookmark[key] = moment.isoformat()
    return state


@pytest.mark.parametrize(
    ("days", "hours", "full"), [(0.96, 24, True), (0.5, 24, False), (400, None, False)]
)
def test_a_full_refresh_comes_when_it_is_due(
    first, tap, days: float, hours: float | None, full: bool
) -> None:
    ran = tap(state=days_ago(first.state, days), full_refresh_every_hours=hours).ok()
    assert (("old",) in ran.keys("accounts")) is full


def test_start_date_leaves_out_what_is_older_but_not_what_has_no_date(service, tap) -> None:
    service.load(accounts=[account("old", OLD), account("new", NEW), account("never", None)])
    ran = tap(start_date="2025-11-01").ok()
    assert set(ran.keys("accounts")) == {("new",), ("never",)}
    assert not ran.of("ACTIVATE_VERSION"), "a filtered read must not delete anything downstream"


def test_look_back(first, service, tap) -> None:
    service.load(accounts=[account("late", NEW - 3_000_000)])
    assert ("late",) not in tap(state=first.state).ok().keys("accounts")
    assert ("late",) in tap(state=first.state, lookback_seconds=3600).ok().keys("accounts")


def test_a_date_in_the_future_does_not_move_the_bookmark_past_the_start(service, tap) -> None:
    soon = datetime.now(UTC) + timedelta(days=30)
    service.load(accounts=[account("ahead", int(soon.timestamp() * 1000))])
    before = datetime.now(UTC)
    first = tap().ok()
    reached = datetime.fromisoformat(first.value("accounts"))
    assert before <= reached <= datetime.now(UTC)
    service.load(accounts=[account("now", int(datetime.now(UTC).timestamp() * 1000) + 1)])
    assert ("now",) in tap(state=first.state).ok().keys("accounts")


def test_another_replication_key(service, tap, discover) -> None:
    service.load(
        attributes=[{"key_name": "Create Date", "type": "date", "object": "accounts"}],
        accounts=[
            account("a", NEW, **{"Create Date": "2025-01-01"}),
            account("b", OLD, **{"Create Date": "2025-06-01"}),
        ],
    )
    catalog = discover()
    catalog.metadata("accounts")["replication-key"] = "create_date"
    catalog.stream("accounts")["replication_key"] = "create_date"
    first = tap(catalog=catalog).ok()
    assert first.bookmark("accounts")["replication_key"] == "create_date"
    assert first.value("accounts") == "2025-06-01T00:00:00.000000Z"
    service.load(accounts=[account("c", OLD, **{"Create Date": "2025-07-01"})])
    ran = tap(catalog=catalog, state=first.state).ok()
    assert set(ran.keys("accounts")) == {("b",), ("c",)}
    assert rows_asked(service)[-1] == 2
    # A bookmark of one key means nothing for another.
    back = tap(state=ran.state).ok()
    assert set(back.keys("accounts")) == {("a",), ("b",), ("c",)}
    assert back.bookmark("accounts")["replication_key"] == "last_activity_time"
    assert back.value("accounts") == NEW_TEXT


@pytest.mark.parametrize("key", ["account_name", "no_such_column"])
def test_a_replication_key_that_is_no_date_is_refused(service, tap, discover, key: str) -> None:
    catalog = discover()
    catalog.metadata("accounts")["replication-key"] = key
    catalog.stream("accounts")["replication_key"] = key
    tap(catalog=catalog).failed(key, "replication key")


def test_full_table_by_catalog(first, service, tap, discover) -> None:
    catalog = discover()
    catalog.metadata("accounts")["replication-method"] = "FULL_TABLE"
    catalog.stream("accounts")["replication_method"] = "FULL_TABLE"
    catalog.deselect("users")
    for _ in range(2):
        ran = tap(catalog=catalog, state=first.state).ok()
        assert set(ran.keys("accounts")) == {("old",), ("new",), ("never",)}
        assert ran.of("ACTIVATE_VERSION", "accounts")


def test_a_catalog_without_a_replication_key_stays_incremental(first, tap, discover) -> None:
    catalog = discover()
    for entry in (catalog.stream("accounts"), catalog.metadata("accounts")):
        for name in ("replication_key", "replication-key"):
            entry.pop(name, None)
    ran = tap(catalog=catalog, state=first.state).ok()
    assert ran.keys("accounts") == [("new",)]


def test_a_query_of_the_user_is_narrowed_not_replaced(service, tap) -> None:
    service.load(
        accounts=[
            account("a", NEW, Status="Paying"),
            account("b", NEW, Status="Free"),
            account("c", OLD, Status="Paying"),
        ]
    )
    query = {"terms": [{"type": "string", "term": "status_group", "in_list": ["paying"]}]}
    first = tap(accounts_query=query).ok()
    assert set(first.keys("accounts")) == {("a",), ("c",)}
    assert not first.of("ACTIVATE_VERSION", "accounts"), "a filtered read deletes nothing"
    assert tap(accounts_query=query, state=first.state).ok().keys("accounts") == [("a",)]


def test_state_of_streams_that_are_not_read_is_kept(first, tap, discover) -> None:
    catalog = discover().deselect("accounts")
    state = first.state
    state["bookmarks"]["from_elsewhere"] = {"replication_key_value": "2020-01-01T00:00:00Z"}
    ran = tap(catalog=catalog, state=state).ok()
    assert ran.value("accounts") == NEW_TEXT
    assert "from_elsewhere" in ran.state["bookmarks"]


@pytest.mark.parametrize(
    "written", ["2025-11-13T02:13:20Z", "2025-11-13T02:13:20+00:00", "2025-11-13T03:13:20+01:00"]
)
def test_a_bookmark_that_another_tap_wrote(service, tap, written: str) -> None:
    service.load(accounts=[account("old", OLD), account("new", NEW)])
    bookmark = {"replication_key": "last_activity_time", "replication_key_value": written}
    state = {"bookmarks": {"accounts": bookmark, "users": {}}}
    ran = tap(state=state, full_refresh_every_hours=None).ok()
    assert ran.keys("accounts") == [("new",)]
    assert ran.value("accounts") == NEW_TEXT


@pytest.mark.parametrize(
    "state",
    [
        {"bookmarks": {"accounts": {"replication_key_value": 5}}},
        {"bookmarks": {"accounts": {"full_read": {"plan": 7}}}},
        {"type": "STATE", "value": 7},
    ],
)
def test_a_state_that_cannot_be_used(service, tap, state: Any) -> None:
    tap(state=state).failed("state", "without state")
