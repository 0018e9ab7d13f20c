"""Touchpoints and tasks: made once, changed where their rows change, with names for ids."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, record, schema, state

from target_totango.pipeline.run_end import IncompleteRunError
from target_totango.storage import Ledger
from totango_api.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

FIELDS = ("id", "company", "subject", "body", "kind", "reasons", "flow", "author", "at", "with")
NOTES = schema("notes", *FIELDS, keys=("id",))
NOTE_MAPPING = {
    "stream": "notes",
    "object": "touchpoints",
    "account_id": "company",
    "content": "body",
    "touchpoint_type": "kind",
    "touchpoint_tags": "reasons",
    "activity_type": "flow",
    "created_by": "author",
    "create_date": "at",
    "participants": "with",
}
TODO_FIELDS = ("id", "company", "title", "text", "due", "priority", "status", "who", "flow")
TODOS = schema("todos", *TODO_FIELDS, keys=("id",))
TODO_MAPPING = {
    "stream": "todos",
    "object": "tasks",
    "account_id": "company",
    "description": "text",
    "due_date": "due",
    "assignee": "who",
    "activity_type": "flow",
}


ACTIVITIES = schema("activities", "account_id", "user_id", "activity", "module")


def activity() -> dict[str, Any]:
    return record("activities", account_id="a", user_id="u", activity="Login", module="Core")


def note(number: int = 1, /, **fields: Any) -> dict[str, Any]:
    return record("notes", **{"id": number, "company": "a", "body": "Hello", **fields})


def todo(number: int = 1, /, **fields: Any) -> dict[str, Any]:
    filled = {"id": number, "company": "a", "title": "Call", "flow": "Renewal", **fields}
    return record("todos", **filled)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {
        "mappings": [NOTE_MAPPING, TODO_MAPPING],
        "ledger_path": str(tmp_path / "ledger.sqlite"),
    }


@pytest.fixture
def tenant(service: Sandbox) -> Sandbox:
    """A sandbox with reference lists and an account `a`."""
    service.load(
        accounts=[{"account_id": "a", "account_name": "Acme", "attributes": {}}],
        touchpoint_types=[
            {"id": "type-1", "display_name": "Web Meeting"},
            {"id": "type-2", "display_name": "Phone"},
            {"id": "type-3", "display_name": "Phone"},
        ],
        touchpoint_tags=[
            {"id": "tag-1", "display_name": "Renewal"},
            {"id": "tag-2", "display_name": "Risk"},
        ],
        activity_types=[{"activity_type_id": "renewal", "display_name": "Renewal"}],
    )
    return service


def notes_in(service: Sandbox) -> list[dict[str, Any]]:
    return [event for event in service.dump("events") if event["type"] == "note"]


def test_touchpoints_are_made_with_names_resolved_and_in_their_own_time(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    row = note(
        subject="Kick-off",
        body="One\nTwo",
        kind="web meeting",
        reasons=["Risk", "Renewal"],
        flow="Renewal",
        author="dana@example.com",
        at="2024-05-06T07:08:09Z",
        **{"with": "x@a.example, y@a.example"},
    )
    done = deliver(NOTES, row, state(1), **settings).ok()
    assert done.totals == {"received": 1, "sent": 1, "created": 1}
    assert done.states == [state(1)["value"]]
    [event] = notes_in(tenant)
    assert event["account"]["id"] == "a"
    assert event["timestamp"] == 1714979289000
    assert event["note_content"]["text"] == "<div>One<br>Two</div>"
    assert event["note_content"]["totango_user"] == {"user_name": "dana@example.com"}
    said = event["properties"]
    assert said["subject"] == "Kick-off"
    assert said["meeting_type"] == "type-1"
    assert said["touchpoint_tags"] == ["tag-2", "tag-1"]
    assert said["activity_type_id"] == "renewal"
    assert said["totango_participants"] == ["x@a.example", "y@a.example"]
    [kept] = tenant.dump("touchpoints")
    assert kept["disable_sync"] is True
    # One call for each list that is needed, and one for the touchpoint.
    lists = ("activity_types", "touchpoint_types", "touchpoint_tags")
    calls = tenant.calls(*lists, "touchpoints")
    assert [call["surface"] for call in calls] == [*lists, "touchpoints"]


def test_tasks_are_made_too(deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]) -> None:
    row = todo(
        text="About the contract",
        due="2024-05-06T20:00:00Z",
        priority="High",
        status="open",
        who="dana@example.com",
    )
    deliver(TODOS, row, **settings).ok()
    [task] = tenant.dump("tasks")
    assert task["title"] == "Call"
    assert task["description"] == "About the contract"
    assert (task["due_date"], task["priority"], task["status"]) == ("2024-05-06", 1, "open")
    assert (task["assignee"], task["activity_type_id"]) == ("dana@example.com", "renewal")


@pytest.mark.parametrize(
    ("fields", "fault", "words"),
    [
        ({"kind": "Fax"}, ("touchpoint_type", "unknown name"), "Phone, Web Meeting"),
        ({"kind": "Phone"}, ("touchpoint_type", "unknown name"), "type-2, type-3"),
        ({"reasons": "Risk, Fun"}, ("touchpoint_tags", "unknown name"), "Renewal, Risk"),
        ({"body": None}, ("content", "missing"), "content is missing"),
        ({"body": "x" * 12_001}, ("body", "too long"), "12000"),
        ({"at": "yesterday"}, ("at", "not a date"), "yesterday"),
        ({"company": "nobody"}, ("", "refused (400)"), "Account not found"),
    ],
)
def test_a_row_that_cannot_be_made_is_rejected_and_the_next_goes_on(
    deliver: Deliver,
    tenant: Sandbox,
    settings: dict[str, Any],
    fields: dict[str, Any],
    fault: tuple[str, str],
    words: str,
) -> None:
    done = deliver(NOTES, note(1, **fields), note(2), state(1), **settings, max_rejected=1).ok()
    assert done.codes == [{fault}]
    assert words in str(done.rejected)
    assert len(notes_in(tenant)) == 1
    assert done.states == [state(1)["value"]]


def test_an_unknown_account_alone_is_a_reject_and_holds_nothing(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    done = deliver(TODOS, todo(company="nobody"), state(1), **settings, max_rejected=1).ok()
    assert done.codes == [{("", "refused (400)")}]
    assert done.states == [state(1)["value"]]


def test_what_is_the_same_is_made_once_and_what_changed_is_changed(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    first, second = note(1, subject="One"), note(2, subject="Two")
    assert deliver(NOTES, first, second, **settings).ok().totals["created"] == 2
    assert deliver(NOTES, first, second, **settings).ok().totals == {
        "received": 2,
        "unchanged": 2,
    }
    done = deliver(NOTES, first, note(2, subject="Changed"), **settings).ok()
    assert done.totals == {"received": 2, "unchanged": 1, "sent": 1, "updated": 1}
    subjects = {event["properties"]["subject"] for event in notes_in(tenant)}
    assert subjects == {"One", "Changed"}
    # And back again: the ledger knows what was written last.
    assert deliver(NOTES, second, **settings).ok().totals["updated"] == 1


def test_a_row_that_becomes_a_touchpoint_and_a_task_makes_both(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    task = {
        "stream": "notes",
        "object": "tasks",
        "account_id": "company",
        "title": "body",
        "activity_type": "flow",
    }
    both = {**settings, "mappings": [NOTE_MAPPING, task]}
    for body in ("Hello", "Changed"):
        deliver(NOTES, note(1, body=body, flow="Renewal"), **both).ok()
        assert [task["title"] for task in tenant.dump("tasks")] == [body]
        [event] = notes_in(tenant)
        assert event["note_content"]["text"] == f"<div>{body}</div>"
    assert deliver(NOTES, note(1, body="Changed", flow="Renewal"), **both).ok().totals == {
        "received": 2,
        "unchanged": 2,
    }


@pytest.mark.parametrize("others", [0, 1])
def test_what_was_deleted_in_totango_is_a_reject_of_its_row(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], others: int
) -> None:
    deliver(TODOS, todo(1), todo(2), **settings).ok()
    tenant.chaos("404@tasks:match=Gone")
    rows = (todo(1, title="Gone"), *[todo(2, title="Changed")] * others)
    done = deliver(TODOS, *rows, state(1), **settings, max_rejected=1).ok()
    assert done.codes == [{("", "refused (404)")}]
    assert "not in Totango, or not any more" in str(done.rejected)
    assert done.states == [state(1)["value"]]


def test_rows_of_one_key_in_one_run_make_one_and_the_last_one_stays(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    rows = [todo(1, title=str(number)) for number in range(6)]
    done = deliver(TODOS, *rows, **settings).ok()
    assert done.totals == {
        "received": 6,
        "sent": 6,
        "created": 1,
        "updated": 5,
        "repeated": 5,
    }
    assert [task["title"] for task in tenant.dump("tasks")] == ["5"]
    assert deliver(TODOS, rows[-1], **settings).ok().totals["unchanged"] == 1


def test_the_more_recent_row_of_a_key_counts(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    mapping = {**TODO_MAPPING, "recency_field": "text"}
    rows = [todo(1, title="new", text="2024-02-01"), todo(1, title="old", text="2024-01-01")]
    done = deliver(TODOS, *rows, **{**settings, "mappings": [mapping]}).ok()
    assert done.totals["skipped"] == 1
    assert [task["title"] for task in tenant.dump("tasks")] == ["new"]


@pytest.mark.parametrize("known", [False, True])
def test_an_older_row_of_a_later_run_changes_nothing(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], known: bool
) -> None:
    deliver(TODOS, todo(9, title="Call"), **settings).ok()
    [task] = tenant.dump("tasks")
    mapping = {**TODO_MAPPING, "recency_field": "text", "description": {"constant": "-"}}
    mapping |= {"task_id": "priority", "priority": {"constant": "high"}} if known else {}
    named = {"priority": str(task["id"])} if known else {}

    def write(title: str, day: str) -> Delivered:
        row = todo(1, title=title, text=day, **named)
        return deliver(TODOS, row, **{**settings, "mappings": [mapping]}).ok()

    write("new", "2024-02-01")
    assert write("old", "2024-01-01").totals == {"received": 1, "skipped": 1}
    # What is the same, only later, counts from then on.
    write("new", "2024-04-01")
    assert write("late", "2024-03-01").totals["skipped"] == 1
    assert "new" in {task["title"] for task in tenant.dump("tasks")}
    assert write("newer", "2024-05-01").totals["updated"] == 1


def test_a_replayed_row_is_outdated_by_what_a_later_run_wrote(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    rejected = deliver(TODOS, todo(1, title="old", who="Nobody"), **settings).rejects
    deliver(TODOS, todo(1, title="new"), **settings).ok()
    tenant.load(staff=[{"staff_id": "n@x", "staff_name": "Nobody", "attributes": {}}])
    assert deliver(*rejected, **settings).ok().totals["skipped"] == 1
    assert [task["title"] for task in tenant.dump("tasks")] == ["new"]


def test_a_row_that_knows_the_id_changes_what_it_holds_and_nothing_else(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    deliver(TODOS, todo(title="Call", text="About"), NOTES, note(subject="Old"), **settings).ok()
    [task], [event] = tenant.dump("tasks"), notes_in(tenant)
    close = {
        "stream": "closed",
        "object": "tasks",
        "account_id": "company",
        "task_id": "number",
        "status": {"constant": "closed"},
    }
    rename = {
        "stream": "renamed",
        "object": "touchpoints",
        "account_id": "company",
        "touchpoint_id": "number",
        "subject": "subject",
    }
    deliver(
        schema("closed", "company", "number"),
        record("closed", company="a", number=task["id"]),
        schema("renamed", "company", "number", "subject"),
        record("renamed", company="a", number=event["note_content"]["note_id"], subject="New"),
        **{**settings, "mappings": [close, rename]},
    ).ok()
    [closed], [renamed] = tenant.dump("tasks"), notes_in(tenant)
    assert closed == {**task, "status": "closed", "event_id": closed["event_id"]}
    assert renamed["properties"]["subject"] == "New"
    assert renamed["note_content"]["text"] == event["note_content"]["text"]


def test_a_row_that_knows_the_id_comes_again_and_is_unchanged_where_that_is_asked_for(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    deliver(TODOS, todo(), **settings).ok()
    [task] = tenant.dump("tasks")
    names = {"account_id": "company", "task_id": "number", "title": "title"}
    change = {"stream": "changes", "object": "tasks", **names}
    told = schema("changes", "company", "number", "title")
    rows = [record("changes", company="a", number=task["id"], title=each) for each in "xy"]
    by_id = {**settings, "mappings": [change], "skip_unchanged": True}
    done = deliver(told, *rows, **by_id).ok()
    assert (done.totals["sent"], done.totals["repeated"]) == (2, 1)
    assert deliver(told, rows[1], **by_id).ok().totals == {"received": 1, "unchanged": 1}
    assert deliver(told, rows[0], **by_id).ok().totals["sent"] == 1
    assert tenant.dump("tasks")[0]["title"] == "x"


UNCERTAIN = [{("", "uncertain")}]


@pytest.mark.parametrize(
    "fault",
    ["500:1:applied", "html:1:applied", "drop:1", "truncate:1", "timeout-after:1:hang=2"],
)
@pytest.mark.parametrize("object_", ["touchpoints", "tasks"])
def test_what_a_call_made_that_was_not_answered_is_found_by_its_events(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], object_: str, fault: str
) -> None:
    name, _, when = fault.partition(":")
    tenant.chaos(f"{name}@{object_}:{when}")
    row = partial(note, 1, subject="S", at="2024-05-06") if object_ == "touchpoints" else todo
    announced = NOTES if object_ == "touchpoints" else TODOS
    quick = {**settings, "request_timeout": 1}
    done = deliver(announced, row(), state(1), **quick).ok()
    assert done.totals == {"received": 1, "sent": 1, "created": 1}
    assert done.states == [state(1)["value"]]
    [call] = tenant.calls(object_)
    assert len(tenant.dump(object_)) == 1
    # Its id is known from now on.
    assert deliver(announced, row(), **quick).ok().totals["unchanged"] == 1
    changed = row(body="Else") if object_ == "touchpoints" else row(title="Else")
    assert deliver(announced, changed, **quick).ok().totals["updated"] == 1
    assert len(tenant.dump(object_)) == 1
    assert call["method"] == "POST"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("fault", ["500@touchpoints:1", "html@touchpoints:1"])
def test_a_call_that_made_nothing_is_not_repeated_but_said(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], fault: str
) -> None:
    tenant.chaos(fault)
    done = deliver(NOTES, note(1), state(1), **settings)
    assert isinstance(done.error, IncompleteRunError)
    assert done.codes == UNCERTAIN
    assert "It was looked for by its events, and not found" in str(done.rejected)
    assert done.states == [state(1)["value"]]
    again = deliver(NOTES, note(1), **settings)
    assert again.codes == UNCERTAIN
    assert notes_in(tenant) == []
    assert len(tenant.calls("touchpoints")) == 1
    # Whoever replays the rejected row wants it written.
    assert deliver(*again.rejects, **settings).ok().totals["created"] == 1
    assert len(notes_in(tenant)) == 1


@pytest.mark.usefixtures("clock")
def test_what_becomes_visible_late_is_found_by_the_next_run_and_takes_its_values(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("drop@touchpoints:1")
    tenant.set(visible_after=600)
    late = deliver(NOTES, note(1), **settings)
    assert late.codes == UNCERTAIN
    tenant.settle()
    tenant.set(visible_after=0)
    assert deliver(NOTES, note(1, body="Else"), **settings).ok().totals["updated"] == 1
    [event] = notes_in(tenant)
    assert event["note_content"]["text"] == "<div>Else</div>"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("keys", [("id",), ()])
def test_a_replayed_row_is_looked_for_before_it_is_written_again(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], keys: tuple[str, ...]
) -> None:
    tenant.chaos("drop@touchpoints:1")
    tenant.set(visible_after=600)
    late = deliver(schema("notes", *FIELDS, keys=keys), note(1), **settings)
    assert late.codes == UNCERTAIN
    tenant.settle()
    deliver(*late.rejects, **settings).ok()
    tenant.settle()
    assert len(notes_in(tenant)) == 1
    # A second replay finds what the first one found.
    deliver(*late.rejects, **settings).ok()
    assert len(notes_in(tenant)) == 1


@pytest.mark.usefixtures("clock")
def test_a_replayed_row_without_a_key_is_made_where_it_is_not_found(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    keyless = schema("notes", *FIELDS)
    tenant.chaos("500@touchpoints:1")
    late = deliver(keyless, note(1), **settings)
    assert late.codes == UNCERTAIN
    deliver(*late.rejects, **settings).ok()
    assert len(notes_in(tenant)) == 1
    # The same thing in a later run is another one.
    deliver(keyless, note(1), **settings).ok()
    assert len(notes_in(tenant)) == 2


@pytest.mark.usefixtures("clock")
def test_what_was_made_of_another_row_is_not_taken_for_it(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("500@touchpoints:2")
    done = deliver(NOTES, note(1), note(2), **settings)
    assert done.codes == UNCERTAIN
    assert [one["id"] for one in done.rejected] == [2]
    assert len(notes_in(tenant)) == 1


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("at", [None, "2024-05-06T07:08:09Z"])
def test_what_was_there_before_is_not_taken_for_it(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], tmp_path: Path, at: str | None
) -> None:
    deliver(NOTES, note(1, at=at), **settings).ok()
    [event] = notes_in(tenant)
    event["properties"]["creation_time"] -= 120_000
    event["timestamp"] -= 0 if at else 120_000
    tenant.load(events=[event])
    tenant.chaos("500@touchpoints:1")
    other = {**settings, "ledger_path": str(tmp_path / "other.sqlite")}
    assert deliver(NOTES, note(1, at=at), **other).codes == UNCERTAIN


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("at", [None, "2024-05-06T07:08:09Z"])
@pytest.mark.parametrize("is_same", [True, False])
def test_an_event_that_shows_no_time_of_creation_is_told_by_its_own(
    deliver: Deliver,
    tenant: Sandbox,
    settings: dict[str, Any],
    tmp_path: Path,
    at: str | None,
    is_same: bool,
) -> None:
    deliver(NOTES, note(1, at=at), **settings).ok()
    [event] = notes_in(tenant)
    del event["properties"]["creation_time"]
    event["timestamp"] -= 0 if is_same else 120_000
    tenant.load(events=[event])
    # Whatever a service answers, older events than were asked for are not taken for it.
    tenant.set(unsupported_term="ignore", **{"term.date": "off"})
    tenant.chaos("500@touchpoints:1")
    other = {**settings, "ledger_path": str(tmp_path / "other.sqlite")}
    done = deliver(NOTES, note(1, at=at), **other)
    assert done.codes == ([] if is_same else UNCERTAIN)


@pytest.mark.parametrize("fault", ["403@events", "html@events"])
def test_a_call_stays_unknown_where_events_cannot_be_read(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], fault: str
) -> None:
    tenant.chaos("drop@touchpoints:1", fault)
    done = deliver(NOTES, note(1), **settings, max_retry_seconds=1)
    assert done.codes == UNCERTAIN
    assert "was not looked for, since events are not answered" in str(done.rejected)
    assert len(tenant.calls("touchpoints")) == 1


NO_RECEIPTS = [
    "OK thanks",
    "",
    "true",
    "[]",
    '{"success": false}',
    '{"message": "Internal error"}',
    '{"statusCode": 500}',
    '{"status": "queued"}',
    '{"id": 7, "code": 500}',
    '{"note": {"id": 7}, "success": false}',
    '{"status": "success", "warnings": "row dropped"}',
]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", NO_RECEIPTS)
@pytest.mark.parametrize("about", ["touchpoints", "tasks"])
def test_a_200_that_is_no_receipt_makes_a_new_row_uncertain_and_is_quoted(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], about: str, body: str
) -> None:
    tenant.chaos(f"answer@{about}:2:say={body}")
    messages = {
        "touchpoints": [NOTES, note(1), note(2), note(3)],
        "tasks": [TODOS, todo(1), todo(2), todo(3)],
    }
    done = deliver(*messages[about], state(1), **settings)
    assert done.codes == [{("", "uncertain")}]
    assert done.totals["sent"] == 2
    assert len(tenant.calls(about)) == 3


@pytest.mark.parametrize("body", NO_RECEIPTS)
def test_a_200_that_is_no_receipt_of_a_change_holds_state(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], body: str
) -> None:
    deliver(NOTES, note(1), **settings).ok()
    tenant.chaos(f"answer@touchpoints:say={body}")
    done = deliver(NOTES, note(1, body="New"), state(1), **settings)
    is_none = not body  # No answer is a usual one to a PUT.
    assert done.totals.get("sent", 0) == is_none
    assert (done.states == []) == (not is_none)


@pytest.mark.parametrize("body", ["Success", '"Success"', '{"message": "Success"}', '{"id": 7}'])
def test_success_or_an_id_is_a_receipt(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], body: str
) -> None:
    tenant.chaos(f"answer@tasks:applied:say={body}")
    deliver(TODOS, todo(1), **settings).ok()


def test_in_an_outage_calls_are_looked_for_once_and_what_has_no_id_yet_is_held(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(task_answer="text")
    deliver(TODOS, todo(1), **settings).ok()
    tenant.chaos("500@events")
    done = deliver(TODOS, todo(1, title="Else"), state(1), **settings, max_retry_seconds=1)
    assert isinstance(done.error, IncompleteRunError)
    assert (done.rejects, done.states) == ([], [])
    tries = len(tenant.calls("events"))
    tenant.chaos("500@events", "drop@touchpoints")
    rows = [note(number) for number in range(10)]
    done = deliver(NOTES, *rows, **settings, max_retry_seconds=1)
    assert done.codes == UNCERTAIN * 10
    assert len(tenant.calls("events")) - tries <= 4 * tries
    tenant.chaos()
    assert deliver(TODOS, todo(1, title="Else"), **settings).ok().totals["updated"] == 1


@pytest.mark.parametrize("edits", ["new", "move", "keep"])
def test_a_task_whose_answer_has_no_id_is_found_when_it_is_to_be_changed(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], edits: str
) -> None:
    tenant.set(task_answer="text", task_edits=edits)
    deliver(TODOS, todo(title="Call"), **settings).ok()
    assert tenant.calls("events") == []
    for title in ("Call twice", "Call thrice"):
        done = deliver(TODOS, todo(title=title), **settings).ok()
        assert done.totals["updated"] == 1
        assert [task["title"] for task in tenant.dump("tasks")] == [title]


def test_a_second_row_of_a_key_changes_the_task_of_the_first_where_that_got_no_id(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(task_answer="text")
    done = deliver(TODOS, todo(title="Call"), todo(title="Call twice"), **settings).ok()
    assert done.totals["created"] == done.totals["updated"] == 1
    assert [task["title"] for task in tenant.dump("tasks")] == ["Call twice"]


@pytest.mark.usefixtures("clock")
def test_of_two_tasks_alike_without_ids_none_is_changed(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(task_answer="text")
    deliver(TODOS, todo(1), todo(2), **settings).ok()
    done = deliver(TODOS, todo(1, title="Else"), **settings)
    assert done.codes == [{("", "id unknown")}]
    assert "map task_id" in str(done.rejected)
    assert len(tenant.dump("tasks")) == 2


def test_tasks_without_ids_in_their_answers_are_read_back_too(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(task_answer="text", visible_after="0.5")
    done = deliver(TODOS, todo(1), todo(2, title="Write"), **settings, verify="all").ok()
    assert done.totals["verified"] == 2


@pytest.mark.usefixtures("clock")
def test_a_task_that_is_not_certainly_there_is_missed(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("answer@tasks:say=Success")
    done = deliver(TODOS, todo(1), **settings, verify="all")
    assert done.codes == [{("", "missing")}]
    assert "no event is certainly about" in str(done.rejected)


@pytest.mark.usefixtures("clock")
def test_a_second_row_of_a_key_is_as_uncertain_as_the_first(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("500@touchpoints:1")
    done = deliver(NOTES, note(1), note(1, body="Hello again"), **settings)
    assert done.codes == UNCERTAIN * 2
    assert len(tenant.calls("touchpoints")) == 1


@pytest.mark.parametrize("rows", [(NOTES, note(1)), (ACTIVITIES, activity())])
def test_nothing_is_sent_that_the_ledger_could_not_be_told_of(
    deliver: Deliver,
    tenant: Sandbox,
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    rows: tuple[dict[str, Any], ...],
) -> None:
    def full(*_: object) -> None:
        msg = "The disk is full."
        raise SettingsError(msg)

    monkeypatch.setattr(Ledger, "begin", full)
    done = deliver(*rows, state(1), **settings)
    assert isinstance(done.error, IncompleteRunError)
    assert "The disk is full" in str(done.error)
    assert done.states == []
    assert tenant.calls("touchpoints", "tracking") == []


def test_accounts_of_the_same_run_come_first(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("slow=0.3@tracking")
    rows = [record("accounts", account_id=f"new-{number}") for number in range(5)]
    deliver(
        ACCOUNTS, *rows, NOTES, *[note(n, company=f"new-{n}") for n in range(5)], **settings
    ).ok()
    assert {event["account"]["id"] for event in notes_in(tenant)} == {
        f"new-{number}" for number in range(5)
    }


def test_a_touchpoint_waits_for_an_account_that_comes_much_later(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    between = [record("accounts", account_id=f"new-{number}") for number in range(600)]
    last = record("accounts", account_id="late")
    rows = (NOTES, note(1, company="late"), note(2, company="never"), ACCOUNTS, *between, last)
    done = deliver(*rows, **settings, unknown_accounts="hold", max_rejected=1).ok()
    assert [one["id"] for one in done.rejected] == [2]
    assert done.codes == [{("account_id", "unknown account")}]
    assert [event["account"]["id"] for event in notes_in(tenant)] == ["late"]


def test_a_list_that_cannot_be_read_lets_ids_through_and_no_names(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("403@touchpoint_types")
    tenant.set(unknown_reference="accept")
    guid = "0b4a8c1e-5d3f-4a77-9c1b-2f6f0e6f1a01"
    done = deliver(NOTES, note(1, kind=guid), note(2, kind="Phone"), **settings)
    assert done.codes == [{("touchpoint_type", "unknown name")}]
    assert [event["properties"]["meeting_type"] for event in notes_in(tenant)] == [guid]


@pytest.mark.parametrize("shape", ["list", "object", "nested"])
@pytest.mark.parametrize("names", ["snake", "camel"])
def test_lists_are_read_in_every_shape(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], shape: str, names: str
) -> None:
    tenant.set(reference_shape=shape, reference_names=names)
    row = note(1, kind="Web Meeting", reasons="Risk", flow="Renewal")
    deliver(NOTES, row, **settings).ok()


def test_a_ledger_and_a_token_are_asked_for(deliver: Deliver, settings: dict[str, Any]) -> None:
    without = {**settings, "ledger_path": None}
    with pytest.raises(SettingsError, match="touchpoints need ledger_path"):
        deliver(NOTES, note(), **without).ok()
    with pytest.raises(SettingsError, match="touchpoints needs app_token"):
        deliver(NOTES, note(), **settings, app_token="").ok()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"attributes": {"Mood": "subject"}}, "touchpoints have no attribute 'Mood'"),
        ({"content": "missing"}, "the stream has no field 'missing'"),
    ],
)
def test_a_mapping_that_cannot_be_used_ends_the_run(
    deliver: Deliver, settings: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        deliver(NOTES, note(), **{**settings, "mappings": [{**NOTE_MAPPING, **more}]}).ok()


@pytest.mark.parametrize("stream", ["touchpoints", "crm-tasks"])
def test_no_stream_is_taken_for_touchpoints_or_tasks_without_a_mapping(
    deliver: Deliver, settings: dict[str, Any], stream: str
) -> None:
    rows = schema(stream, "account_id", "content", "title"), record(stream, account_id="a")
    with pytest.raises(InputError, match="fits no object"):
        deliver(*rows, **{**settings, "mappings": []}).ok()


def test_a_dry_run_makes_nothing_and_says_what_it_would(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    done = deliver(NOTES, note(1, kind="Phone"), note(2, subject="S"), **settings, dry_run=True)
    assert notes_in(tenant) == []
    plan = done.report["plan"]
    assert plan["rejected"] == 1
    assert plan["first_rows"][0]["sends"] == {"account_id": "a", "content": "Hello", "subject": "S"}


def test_what_was_made_is_read_back_by_its_events(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(visible_after="0.5")
    rows = [note(n, subject="S", body=f"<b> & {n}\n\nx ", reasons="Risk,Renewal") for n in (1, 2)]
    todos = [todo(1, due="2024-01-02", priority="low"), todo(1, title="Again", status="closed")]
    done = deliver(NOTES, *rows, TODOS, *todos, **settings, verify="all").ok()
    assert done.totals["verified"] == 3
    assert (done.totals.get("missing"), done.totals.get("different")) == (None, None)


def test_what_is_not_there_as_it_was_sent_is_rejected_and_written_again(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(unknown_reference="accept")
    tenant.chaos('answer@tasks:say={"id": 77}')
    late = {**settings, "verify": "all", "verify_timeout": 0}
    done = deliver(TODOS, todo(1), **late)
    assert done.codes == [{("", "missing")}]
    tenant.chaos()
    long = "x" * 12_000
    tenant.set(visible_after=60)
    deliver(NOTES, note(1, body=long), **settings).ok()
    tenant.settle()
    done = deliver(NOTES, note(1, body="short"), **late)
    assert done.codes == [{("content", "different")}]
    tenant.settle()
    assert deliver(NOTES, note(1, body="short"), **settings).ok().totals["sent"] == 1


def test_rows_about_many_accounts_are_read_back_in_one_pass(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    ids = [f"acc-{number}" for number in range(25)]
    tenant.load(accounts=[{"account_id": one, "attributes": {}} for one in ids])
    rows = [note(n, company=one, at=f"201{n % 9}-01-01") for n, one in enumerate(ids)]
    done = deliver(NOTES, *rows, **settings, verify="all").ok()
    assert done.totals["verified"] == 25
    assert len(tenant.calls("events")) <= 2


def test_an_id_of_a_list_is_taken_as_it_is(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    deliver(NOTES, note(1, kind="type-3"), **settings).ok()
    assert notes_in(tenant)[0]["properties"]["meeting_type"] == "type-3"


@pytest.mark.parametrize("missing", [None, ""])
def test_a_row_without_an_id_makes_what_it_is_about_once(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], missing: str | None
) -> None:
    mapping = {**NOTE_MAPPING, "touchpoint_id": "known", "null_policy": "clear"}
    told = schema("notes", *FIELDS, "known", keys=("id",))
    for _ in range(2):
        deliver(told, note(1, known=missing), **{**settings, "mappings": [mapping]}).ok()
    assert len(notes_in(tenant)) == 1


def test_a_list_that_gets_no_answer_holds_state(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.chaos("503@touchpoint_types")
    row = note(1, kind="Web Meeting")
    done = deliver(NOTES, row, state(1), **{**settings, "max_retry_seconds": 0})
    assert done.error is not None
    assert (done.states, done.rejects, notes_in(tenant)) == ([], [], [])


def test_what_was_made_is_kept_with_its_id(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "sent.singer"
    deliver(NOTES, note(1), **settings, sent_path=str(path)).ok()
    [event] = notes_in(tenant)
    sent = json.loads(path.read_text().splitlines()[-1])["_sent"]
    assert sent["id"] == str(event["note_content"]["note_id"])


def test_a_dry_run_of_a_row_with_an_id_would_change_it(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    mapping = {**NOTE_MAPPING, "touchpoint_id": "known"}
    told = schema("notes", *FIELDS, "known", keys=("id",))
    row = note(1, known="77")
    done = deliver(told, row, **{**settings, "mappings": [mapping]}, dry_run=True).ok()
    assert "0 would be created, 1 updated" in done.said


def test_a_text_that_looks_like_a_list_is_read_back_as_a_text(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    rows = [note(1, subject="[draft] Renewal"), note(2, subject="[1, 2]")]
    done = deliver(NOTES, *rows, **settings, verify="all").ok()
    assert done.totals["verified"] == 2


def test_a_change_is_read_back_from_the_event_that_shows_it(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.set(event_edits="new")
    deliver(NOTES, note(1, subject="Old"), note(2, subject="Other"), **settings).ok()
    done = deliver(NOTES, note(1, subject="New"), **settings, verify="all").ok()
    assert done.totals["verified"] == 1


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (
            {"stream": "notes", "object": "touchpoints", "account_id": "company"},
            "content is missing",
        ),
        ({"stream": "notes", "object": "tasks", "account_id": "company"}, "title is missing"),
    ],
)
def test_what_nothing_is_made_without_has_to_be_mapped(
    deliver: Deliver, settings: dict[str, Any], mapping: dict[str, Any], words: str
) -> None:
    told = schema("notes", "id", "company", "body", keys=("id",))
    done = deliver(told, note(1), **{**settings, "mappings": [mapping]})
    assert words in str(done.error)


def test_a_value_that_is_no_choice_is_rejected_with_the_choices(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    done = deliver(TODOS, todo(1, priority="urgent"), todo(2, priority="1"), **settings)
    assert done.codes == [{("priority", "not a choice")}]
    assert len(tenant.dump("tasks")) == 1


def test_a_tag_alone_is_a_list_of_one_and_sync_is_yes_or_no(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any]
) -> None:
    tenant.load(touchpoint_tags=[{"id": "7", "display_name": "Seven"}])
    mapping = {**NOTE_MAPPING, "disable_sync": "quiet"}
    told = schema("notes", *FIELDS, "quiet", keys=("id",))
    rows = [note(1, reasons=7, quiet="yes"), note(2, quiet="maybe")]
    done = deliver(told, *rows, **{**settings, "mappings": [mapping]})
    assert [field for codes in done.codes for field, _ in codes] == ["quiet"]
    [kept] = tenant.dump("touchpoints")
    assert kept["disable_sync"] is True
