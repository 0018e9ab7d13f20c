"""Tasks: what somebody is to do for an account ("Tasks API").

The article says that a new one is answered with "Success"; a public client reads an `id`.
"""

from __future__ import annotations

from typing import Any, Final

from totango_api.writing.records import RecordEndpoint


def _id_in(answer: Any) -> Any:
    return answer.get("id") if isinstance(answer, dict) else None


TASKS: Final = RecordEndpoint(
    path="/api/v3/tasks",
    id_in=_id_in,
    event_type="task",
    typed={"priority": int},
)
