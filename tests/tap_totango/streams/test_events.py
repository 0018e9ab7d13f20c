"""Events: whatever an offset counts, never skipped, never for ever; every kind of content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tap_runs import Catalog

START = 1_760_000_000_000


def event(number: int, kind: str = "note", **more: Any) -> dict[str, Any]:
    return {
        "id": f"e-{number}",
        "timestamp": START + number * 1000,
        "type": kind,
        "account": {"id": f"a-{number % 3}", "display_name": f"A {number % 3}"},
        "is_new": "true",
        **more,
    }


@pytest.fixture
def events(service, discover) -> Catalog:
    """A catalog that selects events only."""
    catalog: Catalog = discover().select("events").deselect("accounts", "users")
    return catalog


@pytest.mark.parametrize("rows", [0, 10, 11, 35])
@pytest.mark.parametrize("unit", ["page", "row"])
@pytest.mark.parametrize("total", ["on", "off"])
def test_everything_whatever_an_offset_counts(
    service, tap, events, unit: str, rows: int, total: str
) -> None:
    service.set(events_offset=unit, events_total=total)
    service.load(events=[event(number) for number in range(rows)])
    ran = tap(catalog=events, page_size=10).ok()
    assert sorted(ran.keys("events")) == sorted((f"e-{number}",) for number in range(rows))
    assert len(service.calls("events")) <= rows // 10 + 4


@pytest.mark.parametrize("unit", ["page", "row"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_smaller_than_asked(service, tap, events, unit: str, order: str) -> None:
    service.set(events_offset=unit, events_order=order, page_max=7)
    service.load(events=[event(number) for number in range(50)])
    assert len(tap(catalog=events).ok().keys("events")) == 50


def test_all_kinds_of_content(service, tap, events) -> None:
    service.load(
        events=[
            event(1, note_content={"note_id": 5, "text": "<b>Call</b>", "totango_user": {"a": 1}}),
            event(2, "task", task_content={"task_id": 6, "status": {"current": "open"}}),
            event(3, "alert", alert_content={"alert_type": "health", "properties": {"x": None}}),
            event(4, "campaign_touch", campaign_content={"subject": "Hi"}, properties={"p": [1]}),
            event(5, "surprise", surprise_content={"new": True}, account={"id": "a", "x": 1}),
        ]
    )
    found = tap(catalog=events).ok().by_key("events")
    assert found["e-1",]["note_content"]["text"] == "<b>Call</b>"
    assert found["e-1",]["timestamp"] == "2025-10-09T08:53:21.000000Z"
    assert found["e-1",]["is_new"] is True
    assert found["e-2",]["task_content"]["status"] == {"current": "open"}
    assert found["e-3",]["alert_content"]["properties"] == {"x": None}
    assert found["e-4",]["campaign_content"] == {"subject": "Hi"}
    assert found["e-4",]["properties"] == {"p": [1]}
    assert found["e-5",]["_extra"] == {"surprise_content": {"new": True}, "account.x": 1}


def test_only_some_types(service, tap, events) -> None:
    service.load(events=[event(n, ("note", "task", "alert")[n % 3]) for n in range(30)])
    ran = tap(catalog=events, event_types=["note", "alert"]).ok()
    assert {record["type"] for record in ran.records("events")} == {"note", "alert"}
    assert sum(call["rows"] for call in service.calls("events")) <= 40


def test_only_some_accounts(service, tap, events) -> None:
    service.load(events=[event(n) for n in range(30)])
    ran = tap(catalog=events, account_ids=["a-0", "a-2"]).ok()
    assert {record["account_id"] for record in ran.records("events")} == {"a-0", "a-2"}
    assert len(ran.keys("events")) == 20


def test_terms_of_a_pasted_query(service, tap, events) -> None:
    service.load(events=[event(n, ("note", "task")[n % 2]) for n in range(10)])
    query = {"terms": [{"type": "event_property", "name": "event_type", "eq": "task"}]}
    ran = tap(catalog=events, events_query=query).ok()
    assert {record["type"] for record in ran.records("events")} == {"task"}


@pytest.mark.parametrize(
    "switches", [{}, {"term.date": "off", "unsupported_term": "ignore"}, {"term.date": "off"}]
)
def test_incremental(service, tap, events, switches: dict[str, str]) -> None:
    service.load(events=[event(n) for n in range(10)])
    first = tap(catalog=events).ok()
    assert first.value("events") == "2025-10-09T08:53:29.000000Z"
    service.load(events=[event(n) for n in range(5, 15)])
    service.set(**switches)
    ran = tap(catalog=events, state=first.state, lookback_seconds=0, events_lookback_days=0).ok()
    assert sorted(ran.keys("events")) == sorted((f"e-{n}",) for n in range(9, 15))
    assert ran.value("events") == "2025-10-09T08:53:34.000000Z"
    if not switches:
        assert service.calls("events")[-1]["rows"] <= 6


def test_a_shortfall_is_told(service, tap, events) -> None:
    service.set(events_total="on", total_hits="off_by:4")
    service.load(events=[event(n) for n in range(10)])
    ran = tap(catalog=events).failed("4 rows", "on_incomplete")
    assert ran.value("events") is None


def test_a_shortfall_that_is_taken_leaves_the_bookmark(service, tap, events) -> None:
    service.set(events_total="on", total_hits="off_by:4")
    service.load(events=[event(n) for n in range(10)])
    ran = tap(catalog=events, on_incomplete="warn").ok()
    assert "4 rows" in ran.said
    assert ran.value("events") is None


def test_values_that_do_not_fit_are_counted(service, tap, events) -> None:
    service.load(events=[event(1, note_content="text"), event(2, properties=[1])])
    ran = tap(catalog=events).ok()
    found = ran.by_key("events")
    assert found["e-1",]["_extra"] == {"note_content": "text"}
    assert found["e-2",]["_extra"] == {"properties": [1]}
    for name in ("note_content", "properties"):
        assert f"1 value of {name} did not fit" in ran.said


@pytest.mark.parametrize("unit", ["page", "row"])
def test_some_at_one_moment_on_the_edge_of_pages(service, tap, events, unit: str) -> None:
    service.set(events_offset=unit)
    service.load(events=[{**event(n), "timestamp": START + (n // 30) * 1000} for n in range(300)])
    ran = tap(catalog=events, page_size=50).ok()
    assert len(ran.keys("events")) == 300


def test_more_at_one_moment_than_a_page_has(service, tap, events) -> None:
    service.set(page_max=100)
    service.load(events=[{**event(n), "timestamp": START} for n in range(300)])
    ran = tap(catalog=events)
    assert (len(ran.keys("events")) == 300) if ran.code == 0 else ran.value("events") is None


def test_events_fail_alone(service, tap, discover) -> None:
    service.load(accounts=[{"account_id": "a"}], events=[event(1)])
    service.chaos("500@events")
    catalog = discover().select("events")
    ran = tap(catalog=catalog, max_retry_seconds=0).failed("events", "500")
    assert ran.keys("accounts") == [("a",)]
    assert "full_refresh_at" in ran.bookmark("accounts")
    assert ran.value("events") is None
