"""The stream `task_events`: each change of a task, flat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from tap_totango.schema import BOOLEAN, TEXT, Column
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS: Final = {
    "status": "Status",
    "assignee": "Assignee",
    "assigner": "Assigner",
    "priority": "Priority",
    "due_date": "Due date",
    "description": "Description",
    "last_updater": "Last updater",
}
"""What of a task may change, with its title."""

TASK_COLUMNS: Final = (
    Column("task_id", TEXT, "Task ID", ("task_content", "task_id")),
    Column("title", TEXT, "Title", ("properties", "subject")),
    Column("activity_type_id", TEXT, "SuccessFlow", ("properties", "activity_type_id")),
    Column("origin", TEXT, "Origin", ("task_content", "origin")),
)


def _changes() -> Iterator[Column]:
    for part, title in PARTS.items():
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
        *TASK_COLUMNS,
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
