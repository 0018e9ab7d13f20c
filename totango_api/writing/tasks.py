"""Tasks: what somebody is to do for an account ("Tasks API").

The article says that a new one is answered with "Success"; a public client reads an `id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_api.writing.records import RecordEndpoint

if TYPE_CHECKING:
    from totango_api.reading import RecordEvent


def _id_in(decoded: Any) -> Any:
    return decoded.get("id") if isinstance(decoded, dict) else None


def _shown(event: RecordEvent) -> dict[str, Any]:
    changed = ("description", "due_date", "priority", "status")
    values = {name: event.content.get(name) for name in changed}
    told = {"title": "subject", "activity_type_id": "activity_type_id"}
    return {
        **{name: each.get("current") for name, each in values.items() if isinstance(each, dict)},
        **{name: event.properties[key] for name, key in told.items() if key in event.properties},
    }


TASK_ENDPOINT: Final = RecordEndpoint(
    path="/api/v3/tasks",
    id_in=_id_in,
    event_type="task",
    shown=_shown,
    told_by=("title", "description"),
    typed={"priority": int},
)
