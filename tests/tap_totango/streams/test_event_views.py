"""Flat streams made of events: typed, complete, and read in one go."""

from __future__ import annotations

from typing import Any

import pytest

START = 1_760_000_000_000
DAY = 86_400_000
VIEWS = ("touchpoints", "task_events", "health_changes", "campaign_touches")


def event(number: int, kind: str = "note", at: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": f"e-{number}",
        "timestamp": START + number * 1000 if at is None else at,
        "type": kind,
        "account": {"id": "a-1", "display_name": "A 1"},
        "is_new": "true",
        **more,
    }


@pytest.fixture
def only(discover):
    """`only(stream, …)`: a catalog that selects these alone."""

    def select(*names: str):
        catalog = discover().deselect("accounts", "users")
        for name in names:
            catalog.select(name)
        return catalog

    return select


def test_no_attributes_are_asked_for_where_nobody_reads_them(service, tap, only) -> None:
    service.load(events=[event(1), event(2, "task")])
    catalog, before = only(*VIEWS), len(service.calls("attributes"))
    assert len(tap(catalog=catalog).ok().records("touchpoints")) == 1
    assert len(service.calls("attributes")) == before


def test_a_touchpoint_is_flat_and_its_text_without_tags(service, tap, only) -> None:
    content = {
        "note_id": 4711,
        "text": "<div>Call &amp; recap</div><p>Next:<br>renew</p><style>x{}</style>",
        "totango_user": {"user_name": "csm@x.com", "new": 1},
    }
    properties = {
        "subject": "QBR",
        "meeting_type": "guid",
        "touchpoint_tags": ["t"],
        "parent_id": 0,
        "last_edit_time": START,
        "unheard_of": True,
    }
    service.load(events=[event(1, note_content=content, properties=properties), event(2, "task")])
    (record,) = tap(catalog=only("touchpoints")).ok().records("touchpoints")
    assert record["note_id"] == "4711"
    assert record["text"] == "Call & recap\nNext:\nrenew"
    assert record["text_html"] == content["text"]
    assert record["author"] == "csm@x.com"
    assert record["touchpoint_type_id"] == "guid"
    assert record["touchpoint_tags"] == ["t"]
    assert record["edited_at"] == "2025-10-09T08:53:20.000000Z"
    assert record["_extra"] == {
        "type": "note",
        "note_content.totango_user.new": 1,
        "properties.unheard_of": True,
    }


def test_a_task_and_an_alert_are_flat(service, tap, only) -> None:
    status = {"current": "closed", "prev": "open", "is_modified": True}
    task = {"task_id": 6, "action": "complete", "taskAction": "task", "status": status}
    alert = {"alert_type": "health", "properties": {"health": "red", "health_prev": "green"}}
    service.load(
        events=[event(1, "task", task_content=task), event(2, "alert", alert_content=alert)]
    )
    ran = tap(catalog=only("task_events", "health_changes")).ok()
    (changed,) = ran.records("task_events")
    assert (changed["task_id"], changed["status"], changed["status_previous"]) == (
        "6",
        "closed",
        "open",
    )
    assert changed["status_is_modified"] is True
    (health,) = ran.records("health_changes")
    assert (health["health"], health["health_previous"]) == ("red", "green")


@pytest.mark.parametrize("named", [VIEWS, (*VIEWS, "events"), ("touchpoints", "health_changes")])
def test_one_read_serves_all_that_are_selected(sandbox, tap, discover, named) -> None:
    service = sandbox(seed="accounts=10,users=0,events=400")
    config = service.config()
    catalog = discover(config=config).deselect("accounts", "users")
    for name in named:
        catalog.select(name)
    ran = tap(config=config, catalog=catalog, page_size=100).ok()
    stored = service.dump("events")
    for name, kind in zip(VIEWS, ("note", "task", "alert", "campaign_touch"), strict=True):
        wanted = {one["id"] for one in stored if one["type"] == kind} if name in named else set()
        assert {record["event_id"] for record in ran.records(name)} == wanted
    rows = sum(len(ran.records(name)) for name in named if name != "events")
    assert len(service.calls("events")) <= rows // 100 + 3
    assert all(ran.value(name) for name in named)


def test_a_back_dated_touchpoint_is_read_and_an_older_one_by_a_full_refresh(
    service, tap, only
) -> None:
    catalog = only("touchpoints")
    service.load(events=[event(1)])
    first = tap(catalog=catalog).ok()
    service.load(events=[event(2, at=START - 20 * DAY), event(3, at=START - 200 * DAY)])
    second = tap(catalog=catalog, state=first.state).ok()
    assert sorted(second.keys("touchpoints")) == [("e-1",), ("e-2",)]
    assert second.value("touchpoints") == first.value("touchpoints")
    third = tap(catalog=catalog, state=second.state, full_refresh_every_hours=0).ok()
    assert ("e-3",) in third.keys("touchpoints")


def test_what_is_missing_is_missing_for_all_of_them(service, tap, only) -> None:
    service.set(events_total="on", total_hits="off_by:4")
    service.load(events=[event(1), event(2, "task")])
    ran = tap(catalog=only("touchpoints", "task_events")).failed("2 of the streams", "4 of 6 rows")
    assert ran.keys("touchpoints") == [("e-1",)]
    assert ran.keys("task_events") == [("e-2",)]
    assert ran.value("touchpoints") is ran.value("task_events") is None


def test_a_stream_that_fails_in_its_map_does_not_cost_the_others_theirs(service, tap, only) -> None:
    service.load(events=[event(1), event(2, "alert")])
    maps = {"health_changes": {"x": "int(description)"}}
    ran = tap(catalog=only("health_changes", "touchpoints"), stream_maps=maps).failed("map")
    assert ran.keys("touchpoints") == [("e-1",)]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_task_is_as_its_newest_event_shows_it(service, tap, only, order: str) -> None:
    def change(number: int, status: str, task_id: int | None = 6) -> dict[str, Any]:
        content = {"task_id": task_id, "status": {"current": status, "prev": None}}
        return event(number, "task", task_content=content)

    service.set(events_order=order)
    service.load(events=[change(1, "open"), change(3, "closed"), change(2, "late")])
    service.load(events=[change(4, "open", 7)])
    ran = tap(catalog=only("tasks", "task_events"), page_size=2).ok()
    found = ran.by_key("tasks")
    assert {key: record["status"] for (key,), record in found.items()} == {
        "6": "closed",
        "7": "open",
    }
    assert found["6",]["event_id"] == "e-3"
    assert len(ran.records("task_events")) == 4
    assert ran.value("tasks") == ran.value("task_events")
    types = [one["type"] for one in ran.messages if one.get("stream") == "tasks"]
    assert types == ["SCHEMA", "RECORD", "RECORD", "ACTIVATE_VERSION"]


@pytest.mark.parametrize(("incomplete", "code"), [("warn", 0), ("fail", 1)])
def test_an_event_that_names_no_task_is_not_passed_over(
    service, tap, only, incomplete: str, code: int
) -> None:
    service.load(events=[event(1, "task", task_content={"task_id": 6}), event(2, "task")])
    ran = tap(catalog=only("tasks", "task_events"), on_incomplete=incomplete)
    assert ran.code == code
    assert ran.keys("tasks") == [("6",)]
    assert ran.said.count("1 event named no task") == 1
    assert ran.value("tasks") is None
    assert ran.value("task_events") is not None
    assert not ran.of("ACTIVATE_VERSION", "tasks")


def test_only_a_full_read_of_all_events_ends_with_a_version(service, tap, only) -> None:
    catalog = only("touchpoints", "events")
    service.load(events=[event(1), event(2, "alert")])
    first = tap(catalog=catalog).ok()
    assert len(first.of("ACTIVATE_VERSION", "touchpoints")) == 1
    assert len(first.of("ACTIVATE_VERSION", "events")) == 1
    again = tap(catalog=catalog, state=first.state).ok()
    narrowed = tap(catalog=catalog, event_types=["note"]).ok()
    assert not again.of("ACTIVATE_VERSION")
    assert not narrowed.of("ACTIVATE_VERSION", "events")
    assert not tap(catalog=catalog, account_ids=["a-1"]).ok().of("ACTIVATE_VERSION")
