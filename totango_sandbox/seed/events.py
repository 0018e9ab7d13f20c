"""Made-up events of all four kinds, with the content objects that clients were seen to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.seed import words
from totango_sandbox.storage import note_event, owner_mail, task_event

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from totango_sandbox.storage import Event

Account = dict[str, Any]
_KINDS: Final = ("note", "task", "alert", "campaign_touch")
_QUARTER_HOUR: Final = 900_000
_EVENTS_OF_A_TASK: Final = 3
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
# Clients have seen every part absent: every so many events lack one.
_WITHOUT_AUTHOR: Final = 13
_WITHOUT_PROPERTIES: Final = 17
_EDITED_LATER: Final = 6


class EventMaker:
    """Makes events, one after the other; every task goes through three of them.

    Attributes:
        tasks: the present state of all tasks made, by id.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._task_account: Account = {}
        self._task_time = 0
        self.tasks: dict[int, dict[str, Any]] = {}

    def make(self, number: int, account: Account, present: int) -> Event:
        """Return one event before the present; many fall on the same quarter of an hour.

        Args:
            number: counts the events and decides on their kind.
            account: whose event it is, unless it goes on with the task before.
            present: the latest timestamp that an event can have.
        """
        kind = _KINDS[number % len(_KINDS)]
        moment = present - self._dice.randrange(24 * 4 * 60) * _QUARTER_HOUR
        event_id = f"evt-{number + 1:06}"
        if kind == "task":
            event = self._next_of_task(event_id, number // len(_KINDS), account, moment, present)
        elif kind == "note":
            event = _note(self._dice, event_id, number, account, moment)
        else:
            head = {"id": event_id, "timestamp": moment, "type": kind, "account": account}
            event = {**head, "is_new": "false", **_CONTENT[kind](self._dice, number)}
        if number % _WITHOUT_PROPERTIES == _WITHOUT_PROPERTIES - 1:
            event.pop("properties", None)
        return event

    def _next_of_task(
        self, event_id: str, number: int, account: Account, moment: int, present: int
    ) -> Event:
        step = number % _EVENTS_OF_A_TASK
        task_id = 9000 + number // _EVENTS_OF_A_TASK
        before = self.tasks.get(task_id)
        if before is None:
            self._task_account, self._task_time = account, moment
            task = _task(self._dice, task_id, account)
        else:
            later = self._task_time + self._dice.randrange(1, 72) * _HOUR
            self._task_time = min(later, present)
            task = {**before, **_task_change(self._dice, step)}
        self.tasks[task_id] = task
        return task_event(event_id, self._task_account, self._task_time, task, before)


def _note(dice: random.Random, event_id: str, number: int, account: Account, moment: int) -> Event:
    owner = owner_mail(dice.choice(words.OWNERS))
    content: dict[str, Any] = {
        "note_id": 4000 + number,
        "text": f"<div>{dice.choice(words.NOTES)}</div>",
        "totango_user": {"user_name": owner},
    }
    if number % _WITHOUT_AUTHOR == _WITHOUT_AUTHOR - 1:
        del content["totango_user"]
    tags = [tag for tag, _name in words.TOUCHPOINT_TAGS]
    properties: dict[str, Any] = {
        "activity_type_id": dice.choice(words.ACTIVITY_TYPES)[0],
        "subject": dice.choice(words.SUBJECTS),
        "meeting_type": dice.choice(words.TOUCHPOINT_TYPES)[0],
        "touchpoint_tags": dice.sample(tags, dice.randrange(3)),
    }
    if number // len(_KINDS) % _EDITED_LATER == _EDITED_LATER - 1:
        # Written two days after it took place, and edited the day after that.
        edited = {"last_edit_time": moment + 3 * _DAY, "last_edit_user": owner}
        properties |= {"creation_time": moment + 2 * _DAY, **edited}
    return note_event(event_id, account, moment, content, **properties)


def _task(dice: random.Random, task_id: int, account: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": task_id,
        "account_id": account["id"],
        "title": dice.choice(words.SUBJECTS),
        "description": dice.choice(words.NOTES),
        "status": "open",
        "priority": dice.choice((1, 2, 3)),
        "due_date": "2025-12-31",
        "assignee": owner_mail(dice.choice(words.OWNERS)),
        "assigner": owner_mail(dice.choice(words.OWNERS)),
        "activity_type_id": dice.choice(words.ACTIVITY_TYPES)[0],
        "last_updater": owner_mail(dice.choice(words.OWNERS)),
    }


def _task_change(dice: random.Random, step: int) -> dict[str, Any]:
    updater = {"last_updater": owner_mail(dice.choice(words.OWNERS))}
    if step == _EVENTS_OF_A_TASK - 1:
        return {"status": "closed", **updater}
    return {"priority": dice.choice((1, 2, 3)), "due_date": "2026-01-31", **updater}


def _alert(dice: random.Random, _number: int) -> dict[str, Any]:
    health, before = dice.choice(words.HEALTHS), dice.choice(words.HEALTHS)
    return {
        "alert_content": {
            "alert_type": "health",
            "description": f"Health changed from {before} to {health}",
            "sentiment": "negative" if health == "red" else "positive",
            "properties": {"duration": 14, "health": health, "health_prev": before},
        }
    }


def _campaign_touch(dice: random.Random, number: int) -> dict[str, Any]:
    return {
        "campaign_content": {
            "campaign_id": 70 + number % 5,
            "campaign_name": dice.choice(words.SUBJECTS),
            "action": dice.choice(("sent", "opened", "clicked")),
        }
    }


_CONTENT: Final = {"alert": _alert, "campaign_touch": _campaign_touch}
