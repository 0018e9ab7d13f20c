"""`target-totango probe --records` as a whole: all questions of one run, and how many calls."""

from __future__ import annotations

import pytest
from probed_tenants import HELD, fill, held_by

DEFAULTS = {
    "unknown_option": "dropped",
    "sfid_writes": "ignored",
    "owner_values": "any text",
    "task_answer": "an id",
    "update_ids": "touchpoint: account_id, event_id, note_id; task: account_id",
    "unknown_reference": "refused",
    "event_edits": "kept",
    "task_edits": "another event",
}
TURNED_SWITCHES = {
    "unknown_option": "keep",
    "sfid_writes": "store",
    "owner_values": "email",
    "task_answer": "text",
    "update_ids": "optional",
    "unknown_reference": "accept",
    "event_edits": "new",
    "task_edits": "move",
    "empty_value": "clear",
    "hub_errors": "accept_good",
    "over_limit": "truncate",
}
TURNED = {
    "unknown_option": "kept",
    "sfid_writes": "taken",
    "owner_values": "names or e-mails",
    "task_answer": "Success",
    "update_ids": "touchpoint: none; task: none",
    "unknown_reference": "taken",
    "event_edits": "another event",
    "task_edits": "another timestamp",
}
CALLS = 80
"""As many as a probe without records makes at most."""


@pytest.mark.parametrize("late", [0, 0.7])
@pytest.mark.parametrize(
    ("switches", "answers"), [({}, DEFAULTS), (TURNED_SWITCHES, TURNED)], ids=["as is", "turned"]
)
def test_all_questions_are_told_in_one_run(
    service, probe, seen_late, switches, answers, late
) -> None:
    fill(service, **HELD)
    service.set(**switches)
    seen_late(late)
    before = len(service.dump("calls"))
    ran, profile = probe("--records", "--yes")
    assert ran.code == 0, ran.stdout
    assert {name: profile["answers"][name] for name in answers} == answers
    assert len(service.dump("calls")) - before <= CALLS
    assert held_by(service) == HELD
    assert len(service.dump("touchpoints")) == len(service.dump("tasks")) == 1
