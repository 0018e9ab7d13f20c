"""The stream `tasks`: each task as its newest event shows it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

from tap_totango.records import Table
from tap_totango.schema import TEXT, Column
from tap_totango.streams.events.task_events import PARTS, TASK_COLUMNS
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView
from totango_api.errors import IncompleteReadError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator


class TasksStream(EventView):
    """Tasks as their newest events show them, by `task_id`."""

    _nameless = 0

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
