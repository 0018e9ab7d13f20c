"""The streams of tasks: `task_events`, each change, and `tasks`, as the newest of them shows it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tap_totango.records import Table
from tap_totango.schema import BOOLEAN, TEXT, Column
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView
from totango_api.errors import IncompleteReadError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS: Final = {
    "status": "Status",
    "assignee": "Assignee",
    "assigner": "Assigner",
    "priority": "Priority",
    "due_date": "Due date",
    "description": "Description",
    "last_updater": "Last updater",
}
"""What of a task may change, with its title."""

_TASK_COLUMNS: Final = (
    Column("task_id", TEXT, "Task ID", ("task_content", "task_id")),
    Column("title", TEXT, "Title", ("properties", "subject")),
    Column("activity_type_id", TEXT, "SuccessFlow", ("properties", "activity_type_id")),
    Column("origin", TEXT, "Origin", ("task_content", "origin")),
)


def _changes() -> Iterator[Column]:
    for part, title in _PARTS.items():
        path = ("task_content", part)
        yield Column(part, TEXT, title, (*path, "current"))
        yield Column(f"{part}_previous", TEXT, f"{title} before", (*path, "prev"))
        yield Column(f"{part}_is_modified", BOOLEAN, f"{title} changed", (*path, "is_modified"))


class TaskEventsStream(EventView):
    """Changes of tasks, by `event_id`."""

    name = "task_events"
    event_types: ClassVar[tuple[str, ...]] = ("task",)
    base = (
        *EVENT_COLUMNS,
        Column("is_new", BOOLEAN, "New", ("is_new",)),
        *_TASK_COLUMNS,
        Column("action", TEXT, "Action", ("task_content", "action")),
        Column("task_action", TEXT, "Action on the task", ("task_content", "taskAction")),
        Column(
            "activity_type_id_prev",
            TEXT,
            "SuccessFlow before",
            ("properties", "activity_type_id_prev"),
        ),
        *_changes(),
    )


class TasksStream(EventView):
    """Tasks as their newest events show them, by `task_id`."""

    _nameless = 0

    name = "tasks"
    keys: ClassVar[tuple[str, ...]] = ("task_id",)
    event_types: ClassVar[tuple[str, ...]] = ("task",)
    base = (
        *_TASK_COLUMNS,
        *EVENT_COLUMNS,
        Column("action", TEXT, "Last action", ("task_content", "action")),
        *(
            Column(part, TEXT, title, ("task_content", part, "current"))
            for part, title in _PARTS.items()
        ),
    )

    @functools.cached_property
    def _newest(self) -> dict[str, dict[str, Any]]:
        return {}

    def taken(self, table: Table) -> Iterator[Table]:
        """Keep the newest event of each task."""
        for record in table.records():
            if record["task_id"] is None:
                self._nameless += 1
            elif _time(record) >= _time(self._newest.get(record["task_id"], {})):
                self._newest[record["task_id"]] = record
        yield from ()

    def rest(self) -> Iterator[Table]:
        """Yield one record for each task that has an event in what was read.

        Raises:
            IncompleteReadError: If there are events that name no task.
        """
        rows = list(self._newest.values())
        self._newest.clear()
        if rows:
            yield Table({name: [row[name] for row in rows] for name in rows[0]}, len(rows))
        if nameless := self._nameless:
            self._nameless = 0
            msg = f"{counted(nameless, 'event')} named no task; task_events has them."
            remedy = "Look at the service's data; on_incomplete: warn goes on without them."
            raise IncompleteReadError(msg, missing=nameless, remedy=remedy)


def _time(record: dict[str, Any]) -> str:
    return record.get("timestamp") or ""
