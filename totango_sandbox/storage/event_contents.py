"""What an event of a touchpoint or of a task looks like (Search API, events; clients of it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totango_sandbox.storage.events import Event

TASK_PARTS: Final = ("status", "assignee", "assigner", "priority", "due_date", "description")


def note_event(
    event_id: str, account: Mapping[str, Any], timestamp: int, content: Any, **properties: Any
) -> Event:
    """Return the event of a touchpoint.

    Args:
        event_id: not the id of the touchpoint, which is in the content.
        account: ``id`` and ``display_name``.
        timestamp: when it took place, in epoch milliseconds.
        content: ``note_id``, ``text`` (HTML) and ``totango_user``.
        properties: those that are not empty.
    """
    return {
        "id": event_id,
        "timestamp": timestamp,
        "type": "note",
        "account": dict(account),
        "is_new": "true",
        "note_content": content,
        "properties": {
            "subject": None,
            "activity_type_id": None,
            "activity_type_id_prev": None,
            "activity_type_id_is_modified": False,
            "meeting_type": None,
            "touchpoint_tags": [],
            "parent_id": 0,
            "informed": [],
            "totango_participants": [],
            "customers_visibility": "all",
            "creation_time": timestamp,
            "last_edit_time": None,
            "last_edit_user": None,
            "assets": None,
            **properties,
        },
    }


def task_event(
    event_id: str,
    account: Mapping[str, Any],
    timestamp: int,
    task: Mapping[str, Any],
    before: Mapping[str, Any] | None,
) -> Event:
    """Return the event of a change to a task.

    Args:
        event_id: not the id of the task.
        account: ``id`` and ``display_name``.
        timestamp: when it was changed, in epoch milliseconds.
        task: as it is now.
        before: as it was, None when it is new.
    """
    old = before or {}
    return {
        "id": event_id,
        "timestamp": timestamp,
        "type": "task",
        "account": dict(account),
        "is_new": "true" if before is None else "false",
        "task_content": {
            "task_id": task["id"],
            "action": _action(task, before),
            "taskAction": "task",
            "origin": task.get("origin", "user"),
            **{name: _change(task.get(name), old.get(name)) for name in TASK_PARTS},
            "last_updater": _change(task.get("last_updater"), old.get("last_updater")),
        },
        "properties": {
            "subject": task.get("title"),
            "activity_type_id": task.get("activity_type_id"),
            "activity_type_id_prev": None,
        },
    }


def _action(task: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    if before is None:
        return "add"
    closes = task.get("status") == "closed" != before.get("status")
    return "complete" if closes else "update"


def _change(current: object, prev: object) -> dict[str, Any]:
    return {"current": current, "prev": prev, "is_modified": current != prev}
