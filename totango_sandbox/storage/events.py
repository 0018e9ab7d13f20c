"""Events: touchpoints, task changes, health changes and campaign touches, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from totango_sandbox.storage.database import Database


Event = dict[str, Any]


class Events(Mapping[str, Event]):
    """Events by id, with the touchpoints among them by note id and by account.

    Attributes:
        newest_note: time of the newest touchpoint of each account.
        highest_note: the highest note id there ever was.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.clear()

    def clear(self) -> None:
        """Remove all of them."""
        self._events: dict[str, Event] = {}
        self._notes: dict[int, str] = {}
        self.newest_note: dict[str, int] = {}
        self.highest_note = 0

    def __getitem__(self, event_id: str) -> Event:
        return self._events[event_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Event) -> None:
        """Add or replace one event."""
        event_id = str(event["id"])
        self._events[event_id] = event
        note_id = _note_id(event)
        if note_id is not None:
            self._notes[note_id] = event_id
            self.highest_note = max(note_id, self.highest_note)
            account_id, moment = account_of(event), event.get("timestamp")
            if isinstance(moment, int):
                self.newest_note[account_id] = max(moment, self.newest_note.get(account_id, moment))
        self._database.mark("events", event_id)

    def remove(self, event_id: str) -> None:
        """Remove one event."""
        event = self._events.pop(event_id)
        note_id = _note_id(event)
        if note_id is not None:
            self._notes.pop(note_id, None)
            account_id = account_of(event)
            moments = [
                other["timestamp"]
                for other in self._events.values()
                if _note_id(other) is not None and account_of(other) == account_id
            ]
            self.newest_note.pop(account_id, None)
            if moments:
                self.newest_note[account_id] = max(moments)
        self._database.mark("events", event_id)

    def of_note(self, note_id: int) -> Event | None:
        """Return the event of a touchpoint, which has an id of its own."""
        event_id = self._notes.get(note_id)
        return None if event_id is None else self._events[event_id]


def account_of(event: Event) -> str:
    """Return the id of an event's account, empty without one."""
    account = event.get("account")
    return str(account.get("id", "")) if isinstance(account, dict) else ""


def _note_id(event: Event) -> int | None:
    content = event.get("note_content")
    note_id = content.get("note_id") if isinstance(content, dict) else None
    return note_id if isinstance(note_id, int) else None


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
