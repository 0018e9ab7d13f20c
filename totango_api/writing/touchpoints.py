"""Touchpoints: what happened between somebody and an account ("Touchpoints API").

The response to a new one, and what a change asks for, are known from public clients only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from totango_api.text import plain_text
from totango_api.writing.records import RecordEndpoint

if TYPE_CHECKING:
    from totango_api.reading import RecordEvent


def _id_in(decoded: Any) -> Any:
    note = decoded.get("note") if isinstance(decoded, dict) else None
    return note.get("id") if isinstance(note, dict) else None


def _participants(text: str) -> list[dict[str, str]]:
    return [{"userid": one} for one in json.loads(text)]


def _shown(event: RecordEvent) -> dict[str, Any]:
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


TOUCHPOINT_ENDPOINT: Final = RecordEndpoint(
    path="/api/v3/touchpoints/",
    id_in=_id_in,
    event_type="note",
    shown=_shown,
    told_by=("subject", "content", "create_date"),
    moment="create_date",
    typed={
        "create_date": int,
        "touchpoint_tags": json.loads,
        "participantList": _participants,
        "disable_sync": "true".__eq__,
        "parentId": int,
    },
    # Otherwise Totango hands them on to the CRM, from which they may well come.
    fixed={"disable_sync": True},
    ids_in_body=("note_id", "event_id"),
)
