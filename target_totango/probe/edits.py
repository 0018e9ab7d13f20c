"""Questions about the events of touchpoints and tasks that are changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from target_totango.probe.made_records import TASK, TOUCHPOINT
from target_totango.probe.records import first_change, unchanged
from totango_api.probe import Answer, Question

if TYPE_CHECKING:
    from target_totango.probe.account import ProbedAccount
    from target_totango.probe.made_records import Kind


def _edits(kind: Kind, account: ProbedAccount) -> Answer:
    """Compare the event of what was made with the one that shows its first change."""
    events = first_change(account, kind)
    if events is None:
        return unchanged(kind)
    before, after = events
    if before.event_id != after.event_id:
        return Answer("another event", "the change is shown by an event with another id")
    if before.timestamp != after.timestamp:
        return Answer("another timestamp", "the same event shows the change at another time")
    return Answer("kept", "the same event shows the change at the same time")


QUESTIONS: Final = (
    Question("event_edits", "Does an edit move its event?", 0, partial(_edits, TOUCHPOINT)),
    Question("task_edits", "Does a task's change move its event?", 0, partial(_edits, TASK)),
)
