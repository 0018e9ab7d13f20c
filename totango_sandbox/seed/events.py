"""Made-up events of all four kinds, with the content objects that clients were seen to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.seed import words
from totango_sandbox.storage import owner_mail

if TYPE_CHECKING:
    import random

_KINDS: Final = ("note", "task", "alert", "campaign_touch")
_QUARTER_HOUR: Final = 900_000


def make_event(
    dice: random.Random, number: int, account: dict[str, Any], present: int
) -> dict[str, Any]:
    """One event; many fall on the same quarter of an hour."""
    kind = _KINDS[number % len(_KINDS)]
    moment = present - dice.randrange(24 * 4 * 60) * _QUARTER_HOUR
    event: dict[str, Any] = {
        "id": f"evt-{number + 1:06}",
        "timestamp": moment,
        "type": kind,
        "account": account,
        "is_new": dice.choice(("true", "false")),
        "properties": _properties(dice, moment),
    }
    event.update(_CONTENT[kind](dice, number))
    return event


def _properties(dice: random.Random, moment: int) -> dict[str, Any]:
    return {
        "activity_type_id": dice.choice(("adoption", "renewal", "support")),
        "activity_type_id_prev": None,
        "subject": dice.choice(words.SUBJECTS),
        "meeting_type": f"{dice.getrandbits(64):016x}",
        "touchpoint_tags": [f"{dice.getrandbits(32):08x}" for _ in range(dice.randrange(3))],
        "parent_id": 0,
        "informed": [],
        "totango_participants": [],
        "customers_visibility": "all",
        "creation_time": moment,
        "last_edit_time": None,
        "last_edit_user": None,
        "assets": None,
    }


def _note(dice: random.Random, number: int) -> dict[str, Any]:
    owner = dice.choice(words.OWNERS)
    return {
        "note_content": {
            "note_id": 4000 + number,
            "text": f"<div>{dice.choice(words.NOTES)}</div>",
            "totango_user": {"user_name": owner_mail(owner)},
        }
    }


def _task(dice: random.Random, number: int) -> dict[str, Any]:
    def change(now: object, before: object) -> dict[str, Any]:
        return {"current": now, "prev": before, "is_modified": now != before}

    return {
        "task_content": {
            "task_id": 9000 + number,
            "action": dice.choice(("create", "update", "close")),
            "taskAction": "task",
            "origin": "user",
            "assignee": change(owner_mail(dice.choice(words.OWNERS)), None),
            "status": change(dice.choice(("open", "closed")), "open"),
            "priority": change(dice.choice((1, 2, 3)), 2),
            "due_date": change("2025-12-31", "2025-11-30"),
            "description": change(dice.choice(words.NOTES), ""),
            "last_updater": {"user_name": owner_mail(dice.choice(words.OWNERS))},
        }
    }


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


_CONTENT: Final = {
    "note": _note,
    "task": _task,
    "alert": _alert,
    "campaign_touch": _campaign_touch,
}
