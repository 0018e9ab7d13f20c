"""Endpoints of engagements: touchpoints and tasks.

Of touchpoints ("Touchpoints API"), the response to a new one and what a change asks for are known
from public clients only. The article on tasks ("Tasks API") says that a new one is answered with
"Success"; a public client reads an `id`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api.text import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from totango_api.reading import EngagementEvent


@dataclass(frozen=True)
class EngagementEndpoint:
    """The endpoint for one kind of engagement.

    Attributes:
        path: Of the REST API, with the slash at its end that the article shows.
        id_in: Returns the id that a response holds.
        event_type: The type of the events by which they are read.
        fields_in: Returns the fields that an event shows, by the names under which they are sent.
        identifying: The fields by which one is told from others of its account.
        time_field: That one of them which may be long before it is made; empty where none is.
        typed: How the texts of fields become JSON, for those that are not texts there.
        fixed: Fields that are sent where nothing else is given.
        id_field: The name under which the body of a change repeats the id; empty where it does not.
        event_id_field: The same of the id of the event by which it is read.
    """

    path: str
    id_in: Callable[[Any], Any]
    event_type: str
    fields_in: Callable[[EngagementEvent], Mapping[str, Any]]
    identifying: tuple[str, ...]
    time_field: str = ""
    typed: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    id_field: str = ""
    event_id_field: str = ""

    def body(self, account_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return the request body for fields given as text, by Totango's names."""
        read = {name: self.typed.get(name, str)(text) for name, text in fields.items()}
        return {"account_id": account_id, **self.fixed, **read}

    def ids(self, engagement_id: str, event_id: str | None) -> dict[str, str]:
        """Return the ids that the body of a change repeats, by name."""
        ids = {self.event_id_field: event_id, self.id_field: engagement_id}
        return {name: text for name, text in ids.items() if name and text is not None}


def _touchpoint_id(decoded: Any) -> Any:
    note = decoded.get("note") if isinstance(decoded, dict) else None
    return note.get("id") if isinstance(note, dict) else None


def _participants(text: str) -> list[dict[str, str]]:
    return [{"userid": one} for one in json.loads(text)]


def _shown_touchpoint(event: EngagementEvent) -> dict[str, Any]:
    said = event.properties
    told = {
        "subject": "subject",
        "activity_type_id": "activity_type_id",
        "touchpointType": "meeting_type",
        "touchpoint_tags": "touchpoint_tags",
        "participantList": "totango_participants",
        "parentId": "parent_id",
    }
    return {
        "content": plain_text(str(event.content.get("text") or "")),
        "create_date": event.timestamp,
        **{name: said[key] for name, key in told.items() if key in said},
    }


TOUCHPOINT_ENDPOINT: Final = EngagementEndpoint(
    path="/api/v3/touchpoints/",
    id_in=_touchpoint_id,
    event_type="note",
    fields_in=_shown_touchpoint,
    identifying=("subject", "content", "create_date"),
    time_field="create_date",
    typed={
        "create_date": int,
        "touchpoint_tags": json.loads,
        "participantList": _participants,
        "disable_sync": "true".__eq__,
        "parentId": int,
    },
    # Otherwise Totango hands them on to the CRM, from which they may well come.
    fixed={"disable_sync": True},
    id_field="note_id",
    event_id_field="event_id",
)


def _task_id(decoded: Any) -> Any:
    return decoded.get("id") if isinstance(decoded, dict) else None


def _shown_task(event: EngagementEvent) -> dict[str, Any]:
    changed = ("description", "due_date", "priority", "status")
    values = {name: event.content.get(name) for name in changed}
    told = {"title": "subject", "activity_type_id": "activity_type_id"}
    return {
        **{name: each.get("current") for name, each in values.items() if isinstance(each, dict)},
        **{name: event.properties[key] for name, key in told.items() if key in event.properties},
    }


TASK_ENDPOINT: Final = EngagementEndpoint(
    path="/api/v3/tasks",
    id_in=_task_id,
    event_type="task",
    fields_in=_shown_task,
    identifying=("title", "description"),
    typed={"priority": int},
)
