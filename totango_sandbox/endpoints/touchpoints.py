"""Touchpoints: created, changed, read and deleted one by one (Totango: Touchpoints API).

They are read in bulk as events of type ``note``, by an id of their own.
"""

from __future__ import annotations

import html
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.bodies import (
    BAD_REQUEST,
    NOT_FOUND,
    check_ids,
    check_reference,
    known_account,
    read_body,
    whole_number,
)
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import reply
from totango_sandbox.limits import TOUCHPOINT_CONTENT_MAX
from totango_sandbox.storage import note_event

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Event

_FIRST_ID: Final = 4000
_AUTHOR: Final = "api@sandbox.example"


def create(service: Service, request: Request) -> Response:
    """Create one; each call makes a new one."""
    body = read_body(request)
    account = known_account(service, body)
    if not body.get("content"):
        msg = "content is required"
        raise ApiError(msg, BAD_REQUEST)
    changes = _read_fields(service, body)
    now = dates.now()
    store = service.store
    note_id = store.next_id("touchpoints", _FIRST_ID)
    timestamp = changes.pop("create_date", now)
    author = body.get("created_by") or body.get("user_id") or _AUTHOR
    content = {
        "note_id": note_id,
        "text": changes.pop("text"),
        "totango_user": {"user_name": author},
    }
    event_id = f"evt-{secrets.token_hex(6)}"
    properties = {**changes, "creation_time": now}
    event = note_event(event_id, account, timestamp, content, **properties)
    store.documents.put("touchpoints", {**body, "id": note_id, "event_id": event_id})
    store.submit(partial(store.events.put, event))
    request.rows = 1
    return reply({"note": {"id": note_id}})


def update(service: Service, request: Request) -> Response:
    """Change one; its event is another thing, and has to be named too."""
    store = service.store
    store.settle()
    event = _find(service, request)
    note_id, body = event["note_content"]["note_id"], read_body(request)
    account_id = event.get("account", {}).get("id")
    names = {"account_id": account_id, "note_id": note_id, "event_id": event["id"]}
    check_ids(service, body, names)
    changes = _read_fields(service, body)
    now = dates.now()
    changed = {**event, "note_content": {**event["note_content"]}}
    if "text" in changes:
        changed["note_content"]["text"] = changes.pop("text")
    if "create_date" in changes:
        changed["timestamp"] = changes.pop("create_date")
    edited = {"last_edit_time": now, "last_edit_user": body.get("created_by") or _AUTHOR}
    changed["properties"] = {**event.get("properties", {}), **changes, **edited}
    mode = service.switches.text("event_edits")
    if mode != "keep":
        changed["timestamp"] = now
    if mode == "new":
        changed["id"] = f"evt-{secrets.token_hex(6)}"
    known = store.documents.of("touchpoints").get(str(note_id), {})
    store.documents.put("touchpoints", {**known, **body, "id": note_id, "event_id": changed["id"]})
    store.submit(partial(store.events.put, changed))
    request.rows = 1
    return reply({"note": {"id": note_id}})


def read(service: Service, request: Request) -> Response:
    """Read one."""
    service.store.settle()
    event = _find(service, request)
    request.rows = 1
    return reply({"note": _shown(event)})


def delete(service: Service, request: Request) -> Response:
    """Delete one, and its event with it."""
    store = service.store
    store.settle()
    event = _find(service, request)
    if (note_id := str(event["note_content"]["note_id"])) in store.documents.of("touchpoints"):
        store.documents.remove("touchpoints", note_id)
    store.submit(partial(store.events.remove, event["id"]))
    request.rows = 1
    return reply({"status": "success"})


def read_all(service: Service, request: Request) -> Response:
    """List all of them, if so switched: no source shows it."""
    if not service.switches.on("touchpoints_list"):
        msg = "not found"
        raise ApiError(msg, NOT_FOUND)
    service.store.settle()
    notes = [_shown(event) for event in service.store.events.values() if "note_content" in event]
    request.rows = len(notes)
    return reply(notes)


def _find(service: Service, request: Request) -> Event:
    text = request.path_values[0]
    event = service.store.events.of_note(int(text)) if text.isdigit() else None
    if event is None:
        msg = "Touchpoint not found"
        raise ApiError(msg, NOT_FOUND)
    return event


def _shown(event: Event) -> dict[str, Any]:
    content = event["note_content"]
    return {
        "id": content["note_id"],
        "event_id": event["id"],
        "account_id": event.get("account", {}).get("id"),
        "content": content.get("text"),
        "create_date": event.get("timestamp"),
        **event.get("properties", {}),
    }


def _read_fields(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a body that an event shows, under the event's names.

    Raises:
        ApiError: one of them is not taken.
    """
    fields: dict[str, Any] = {}
    if "content" in body:
        fields["text"] = _html(service, str(body["content"]))
    if "create_date" in body:
        fields["create_date"] = whole_number(body["create_date"], "create_date")
    for name, kind, shown in (
        ("activity_type_id", "activity_types", "activity_type_id"),
        ("touchpointType", "touchpoint_types", "meeting_type"),
    ):
        if name in body:
            check_reference(service, kind, name, body[name])
            fields[shown] = body[name]
    if "touchpoint_tags" in body:
        fields["touchpoint_tags"] = _tags(service, body["touchpoint_tags"])
    if "participantList" in body:
        fields["totango_participants"] = _participants(body["participantList"])
    if "subject" in body:
        fields["subject"] = body["subject"]
    if "parentId" in body:
        fields["parent_id"] = whole_number(body["parentId"], "parentId")
    return fields


def _html(service: Service, content: str) -> str:
    """Return a text as it is read back: HTML is not supported by the API, but shown by it."""
    policy = service.switches.text("over_limit")
    if len(content) > TOUCHPOINT_CONTENT_MAX and policy != "keep":
        if policy == "drop":
            msg = f"content is longer than {TOUCHPOINT_CONTENT_MAX} characters"
            raise ApiError(msg, BAD_REQUEST)
        content = content[:TOUCHPOINT_CONTENT_MAX]
    return "<div>" + html.escape(content, quote=False).replace("\n", "<br>") + "</div>"


def _tags(service: Service, value: Any) -> list[str]:
    tags = value if isinstance(value, list) else [part for part in str(value).split(",") if part]
    for tag in tags:
        check_reference(service, "touchpoint_tags", "touchpoint tag", tag)
    return [str(tag) for tag in tags]


def _participants(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(
        isinstance(one, dict) and isinstance(one.get("userid"), str) for one in value
    ):
        msg = "participantList is not a list of objects with a userid"
        raise ApiError(msg, BAD_REQUEST)
    return [one["userid"] for one in value]


ROUTES: Final = (
    Route("POST", "/api/v3/touchpoints", "touchpoints", create),
    Route("GET", "/api/v3/touchpoints", "touchpoints", read_all),
    Route("PUT", "/api/v3/touchpoints/*", "touchpoints", update),
    Route("GET", "/api/v3/touchpoints/*", "touchpoints", read),
    Route("DELETE", "/api/v3/touchpoints/*", "touchpoints", delete),
)
