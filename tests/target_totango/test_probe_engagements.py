"""`target-totango probe --records`: one touchpoint and one task, and what is asked with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from target_runs import PROBED

from target_totango.probe.engagements import _unlisted

if TYPE_CHECKING:
    from sandboxes import Sandbox

ALL_IDS = "touchpoint: account_id, event_id, note_id; task: account_id"

POSITIONS: list[tuple[str, str, dict[str, str]]] = [
    ("task_answer", "an id", {}),
    ("task_answer", "Success", {"task_answer": "text"}),
    ("update_ids", ALL_IDS, {}),
    ("update_ids", "touchpoint: none; task: none", {"update_ids": "optional"}),
    ("unknown_reference", "refused", {}),
    ("unknown_reference", "taken", {"unknown_reference": "accept"}),
    ("event_edits", "kept", {}),
    ("event_edits", "another timestamp", {"event_edits": "move"}),
    ("event_edits", "another event", {"event_edits": "new"}),
    ("task_edits", "another event", {}),
    ("task_edits", "another timestamp", {"task_edits": "move"}),
    ("task_edits", "kept", {"task_edits": "keep"}),
]

pytestmark = pytest.mark.usefixtures("probe_clock")


@pytest.fixture
def filled(service: Sandbox) -> Sandbox:
    service.load(
        accounts=[{"account_id": PROBED, "account_name": "Tested", "attributes": {}}],
        touchpoint_types=[{"id": "type-1", "display_name": "Web Meeting"}],
        activity_types=[{"activity_type_id": "renewal", "display_name": "Renewal"}],
    )
    return service


@pytest.mark.parametrize(("name", "answer", "switches"), POSITIONS, ids=str)
def test_every_position_of_a_switch_is_told(filled, ask, name, answer, switches) -> None:
    filled.set(**switches)
    assert ask(name).value == answer
    made = {kind: len(filled.dump(kind)) for kind in ("touchpoints", "tasks")}
    assert max(made.values()) == 1


@pytest.mark.parametrize("mode", ["move", "new"])
def test_edits_do_not_disturb_what_is_asked_behind_them(filled, ask, mode) -> None:
    filled.set(event_edits=mode, task_edits=mode, task_answer="text", update_ids="required")
    assert ask("update_ids").value == ALL_IDS
    assert ask("unknown_reference").value == "refused"


def test_a_listed_type_is_put_back(filled, ask) -> None:
    filled.set(unknown_reference="accept")
    assert "a listed type was put back" in ask("unknown_reference").evidence
    [event] = filled.dump("events")
    assert event["properties"]["meeting_type"] == "type-1"
    [kept] = filled.dump("touchpoints")
    assert kept["disable_sync"] is True


def test_without_listed_types_none_is_asked_about(filled, ask) -> None:
    filled.chaos("403@touchpoint_types")
    assert ask("unknown_reference").value == "does not arise"
    assert ask("event_edits").value == "kept"


def test_an_answer_that_confirms_nothing_is_told(filled, ask) -> None:
    filled.chaos('answer@tasks:applied:say={"ok": 1}')
    assert ask("task_answer").value == "something else"


def test_where_events_are_refused_answers_are_known(filled, ask) -> None:
    filled.chaos("403@events")
    assert ask("task_answer").value == "an id"
    assert ask("update_ids").evidence == "refused: status 403"


def test_a_change_that_is_refused_with_all_ids_tells_nothing_of_them(filled, ask) -> None:
    filled.chaos("400@touchpoints:match=event_id")
    found = ask("update_ids")
    assert (found.state, found.evidence) == ("failed", "refused: status 400")


@pytest.mark.parametrize(("name", "answer", "switches"), POSITIONS, ids=str)
def test_every_position_is_told_where_writes_are_seen_late(
    filled, ask, seen_late, name, answer, switches
) -> None:
    filled.set(**switches)
    seen_late(0.5)
    assert ask(name).value == answer


def test_what_was_made_long_before_it_is_changed_is_no_sign_of_speed(
    filled, ask, seen_late, probe_clock
) -> None:
    filled.set(update_ids="optional")
    seen_late(0.7)
    assert ask("task_answer").value == "an id"
    probe_clock.sleep(0.8)
    assert ask("update_ids").value == "touchpoint: none; task: none"


def test_a_call_that_was_cut_off_is_not_sent_again(filled, probed, ask) -> None:
    filled.chaos("500@touchpoints:applied")
    answers = [ask(name) for name in ("event_edits", "unknown_reference", "event_edits")]
    assert {answer.state for answer in answers} == {"failed"}
    assert len(filled.dump("touchpoints")) == 1
    assert probed.left_behind == ["a touchpoint"]


def test_what_is_refused_is_not_said_to_stay(filled, probed, ask) -> None:
    filled.chaos("403@tasks")
    assert ask("task_answer").state == "failed"
    assert probed.left_behind == []


@pytest.mark.parametrize(
    ("listed", "unlisted"),
    [(["type-1"], "type-2"), (["99"], "00"), (["1", "2"], "20"), (["renewal"], "renewal0")],
    ids=str,
)
def test_an_unlisted_id_looks_like_those_that_are_listed(listed, unlisted) -> None:
    assert _unlisted(listed) == unlisted


def test_all_of_it_is_said_before_and_after(filled, probe) -> None:
    ran, _ = probe("--records")
    assert "at most 120" in ran.stdout
    assert "One touchpoint" in ran.stdout
    assert not filled.dump("touchpoints")
    ran, answers = probe("--records", "--yes")
    assert ran.code == 0, ran.stdout + ran.stderr
    assert set(answers["answers"]) >= {name for name, _, _ in POSITIONS}
    assert "a touchpoint" in ran.stdout.partition("Left there:")[2]
    assert len(filled.dump("touchpoints")) == len(filled.dump("tasks")) == 1
    assert PROBED not in json.dumps(answers)
    assert "type-" not in json.dumps(answers)
