"""The stream `tasks`: each task as its newest event shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_totango.records import Table
from tap_totango.schema import TEXT, Column
from tap_totango.streams.event_view import EVENT_COLUMNS, EventView
from tap_totango.streams.task_events import PARTS, TASK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator


class TasksStream(EventView):
    """Tasks as their newest events show them, by `task_id`."""

    name = "tasks"
    keys: ClassVar[tuple[str, ...]] = ("task_id",)
    event_types: ClassVar[tuple[str, ...]] = ("task",)
    base = (
        *TASK_COLUMNS,
        *EVENT_COLUMNS,
        Column("action", TEXT, "Last action", ("task_content", "action")),
        *(
            Column(part, TEXT, title, ("task_content", part, "current"))
            for part, title in PARTS.items()
        ),
    )

    def tables(self) -> Iterator[Table]:
        """Yield one record for each task that has an event in what was read.

        Raises:
            TotangoError: If not all events could be read: then the newest may be missing.
        """
        newest: dict[str, dict[str, Any]] = {}
        nameless = 0
        for table in super().tables():
            for record in table.records():
                if record["task_id"] is None:
                    nameless += 1
                elif _time(record) >= _time(newest.get(record["task_id"], {})):
                    newest[record["task_id"]] = record
        if nameless:
            self.logger.warning("tasks: %s events name no task, and are left out.", nameless)
        if newest:
            rows = list(newest.values())
            yield Table({name: [row[name] for row in rows] for name in rows[0]}, len(rows))


def _time(record: dict[str, Any]) -> str:
    return record.get("timestamp") or ""
