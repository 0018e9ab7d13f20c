"""Touchpoints: what happened between somebody and an account ("Touchpoints API").

The answer to a new one, and what a change asks for, are known from public clients only.
"""

from __future__ import annotations

import json
from typing import Any, Final

from totango_api.writing.records import RecordEndpoint


def _id_in(answer: Any) -> Any:
    note = answer.get("note") if isinstance(answer, dict) else None
    return note.get("id") if isinstance(note, dict) else None


def _participants(text: str) -> list[dict[str, str]]:
    return [{"userid": one} for one in json.loads(text)]


TOUCHPOINTS: Final = RecordEndpoint(
    path="/api/v3/touchpoints/",
    id_in=_id_in,
    event_type="note",
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
