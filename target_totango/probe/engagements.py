"""Questions about touchpoints and tasks: what answers a new one, what a change needs and does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from target_totango.probe.made_engagements import TASK, TOUCHPOINT, decoded, made_engagement
from totango_api.probe import FAILED, Answer, Question, does_not_arise
from totango_api.writing import SUCCESS

if TYPE_CHECKING:
    from target_totango.probe.account import ProbedAccount
    from target_totango.probe.made_engagements import Kind, MadeEngagement
    from totango_api.reading import EngagementEvent

_NEXT_DIGIT: Final = str.maketrans("0123456789", "1234567890")


def task_answer(account: ProbedAccount) -> Answer:
    """Make a task and a touchpoint, and look at the answers."""
    answers = {
        kind.name: _form(kind, made_engagement(account, kind)) for kind in (TASK, TOUCHPOINT)
    }
    evidence = f"one each was made; a touchpoint was answered with {answers[TOUCHPOINT.name]}"
    return Answer(answers[TASK.name], evidence)


def _form(kind: Kind, made: MadeEngagement) -> str:
    if kind.endpoint.id_in(decoded(made.response)) is not None:
        return "an id"
    text = made.response.body.decode("utf-8", "replace").strip().strip('"').rstrip(".!")
    return "Success" if text.lower() == SUCCESS else "something else"


def _first_change(
    account: ProbedAccount, kind: Kind
) -> tuple[EngagementEvent, EngagementEvent] | None:
    """Change what was made, with all ids; return its events before and after.

    None where one of them was not seen.

    Raises:
        ApiError: If nothing was made, or the service does not answer.
    """
    made = made_engagement(account, kind)

    def fetch() -> tuple[EngagementEvent, EngagementEvent] | None:
        before, after = made.first_event(), made.change(is_expected=True)
        return None if before is None or after is None else (before, after)

    return account.caller.once(f"{kind.name} changed", fetch)


def _unchanged(kind: Kind) -> Answer:
    """Return the answer to a question that needs changes that are seen."""
    return Answer("?", f"a change of a {kind.name} was not seen in time", state=FAILED)


def update_ids(account: ProbedAccount) -> Answer:
    """Change what was made without ids in the body, and where that fails, without each of them."""
    needed = []
    for kind in (TOUCHPOINT, TASK):
        if not _first_change(account, kind):
            return _unchanged(kind)
        needed.append(f"{kind.name}: {_needed(kind, made_engagement(account, kind))}")
    return Answer("; ".join(needed), "ids without which a change was not carried out")


def _needed(kind: Kind, made: MadeEngagement) -> str:
    if made.change(without=kind.ids) is not None:
        return "none"
    if len(kind.ids) == 1:
        return kind.ids[0]
    needed = [name for name in kind.ids if made.change(without=[name]) is None]
    return ", ".join(needed) or "any one"


def unknown_reference(account: ProbedAccount) -> Answer:
    """Give the touchpoint a type that is in no list, and then a listed one again."""
    listed = made_engagement(account, TOUCHPOINT).listed
    if not listed:
        return does_not_arise("no touchpoint type is listed that could be put back")
    if not _first_change(account, TOUCHPOINT):
        return _unchanged(TOUCHPOINT)
    made, unlisted = made_engagement(account, TOUCHPOINT), _unlisted(listed)
    event = made.change({TOUCHPOINT.reference: unlisted})
    if event is None:
        return Answer("refused", "a touchpoint type that is in no list")
    shown = event.properties.get("meeting_type")
    is_back = made.change({TOUCHPOINT.reference: listed[0]}) is not None
    evidence = "a listed type was put back" if is_back else "no listed type could be put back"
    if str(shown) == unlisted:
        return Answer("taken", f"a touchpoint type that is in no list; {evidence}")
    return Answer("left out", f"the rest of the change was taken; {evidence}")


def _unlisted(listed: list[str]) -> str:
    """Return an id that is not listed, and of the shape of one that is, so that only that tells."""
    unlisted = listed[0].translate(_NEXT_DIGIT)
    while unlisted in listed:
        unlisted += "0"
    return unlisted


def _edits(kind: Kind, account: ProbedAccount) -> Answer:
    """Compare the event of what was made with the one that shows its first change."""
    events = _first_change(account, kind)
    if events is None:
        return _unchanged(kind)
    before, after = events
    if before.event_id != after.event_id:
        return Answer("another event", "the change is shown by an event with another id")
    if before.timestamp != after.timestamp:
        return Answer("another timestamp", "the same event shows the change at another time")
    return Answer("kept", "the same event shows the change at the same time")


QUESTIONS: Final = (
    Question("task_answer", "What answers a new task?", 4, task_answer),
    Question("update_ids", "Which ids does a change need?", 10, update_ids),
    Question("unknown_reference", "Is an unlisted type taken?", 1, unknown_reference),
    Question("event_edits", "Does an edit move its event?", 0, partial(_edits, TOUCHPOINT)),
    Question("task_edits", "Does a task's change move its event?", 0, partial(_edits, TASK)),
)
