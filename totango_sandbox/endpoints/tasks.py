"""Tasks: created, changed and read one by one (Totango: Tasks API).

Their changes are read in bulk as events of type ``task``.
"""

from __future__ import annotations

import re
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
)
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import TEXT, Response, reply
from totango_sandbox.storage import task_event

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.service import Service

_FIRST_ID: Final = 9000
_FIELDS: Final = (
    "title",
    "description",
    "due_date",
    "priority",
    "status",
    "assignee",
    "activity_type_id",
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_PRIORITIES: Final = {"1", "2", "3"}
_STATUSES: Final = {"open", "closed"}
_AUTHOR: Final = "api@sandbox.example"


def create(service: Service, request: Request) -> Response:
    """Create one; each call makes a new one."""
    body = read_body(request)
    account = known_account(service, body)
    for name in ("title", "activity_type_id"):
        if not body.get(name):
            msg = f"{name} is required"
            raise ApiError(msg, BAD_REQUEST)
    fields = _read_fields(service, body)
    store = service.store
    task = {
        "id": store.next_id("tasks", _FIRST_ID),
        "account_id": account["id"],
        "status": "open",
        "priority": 2,
        **fields,
        "assigner": _AUTHOR,
        "last_updater": _AUTHOR,
        "origin": "api",
    }
    _keep(service, account, task, None)
    request.rows = 1
    if service.switches.text("task_answer") == "text":
        return Response(200, b"Success", [TEXT])
    return reply({"id": task["id"]})


def update(service: Service, request: Request) -> Response:
    """Change one, named by the path or, as older clients do, by the form."""
    body = read_body(request)
    task_id = request.path_values[0] if request.path_values else str(body.get("id"))
    before = service.store.documents.of("tasks").get(task_id)
    if before is None:
        msg = "Task not found"
        raise ApiError(msg, NOT_FOUND)
    check_ids(service, body, {"account_id": before["account_id"]})
    account = known_account(service, {"account_id": before["account_id"]})
    after = {**before, **_read_fields(service, body), "last_updater": _AUTHOR}
    _keep(service, account, after, before)
    request.rows = 1
    return reply({"id": before["id"]})


def read(service: Service, request: Request) -> Response:
    """Read one as a list of one; without an id all of them, if so switched."""
    tasks = service.store.documents.of("tasks")
    task_id = request.form().get("id")
    if task_id is None and not service.switches.on("tasks_list"):
        msg = "id is missing"
        raise ApiError(msg, BAD_REQUEST)
    chosen = [task for key, task in tasks.items() if task_id in {None, key}]
    request.rows = len(chosen)
    return reply(chosen)


def _read_fields(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a task that a body holds.

    Raises:
        ApiError: one of them is not taken.
    """
    fields: dict[str, Any] = {name: body[name] for name in _FIELDS if name in body}
    check_reference(service, "activity_types", "activity_type_id", fields.get("activity_type_id"))
    if "due_date" in fields and not _is_day(fields["due_date"]):
        msg = "due_date is not YYYY-MM-DD"
        raise ApiError(msg, BAD_REQUEST)
    if "priority" in fields and str(fields["priority"]) not in _PRIORITIES:
        msg = "priority is 1, 2 or 3"
        raise ApiError(msg, BAD_REQUEST)
    if "status" in fields and fields["status"] not in _STATUSES:
        msg = "status is open or closed"
        raise ApiError(msg, BAD_REQUEST)
    if "priority" in fields:
        fields["priority"] = int(fields["priority"])
    return fields


def _is_day(value: object) -> bool:
    text = str(value)
    return _DAY.fullmatch(text) is not None and dates.parse(text) is not None


def _keep(
    service: Service, account: dict[str, Any], task: dict[str, Any], before: dict[str, Any] | None
) -> None:
    """Keep a task and make the event of the change, as ``task_edits`` says."""
    store, mode, now = service.store, service.switches.text("task_edits"), dates.now()
    event_id, timestamp = f"evt-{secrets.token_hex(6)}", now
    if before is not None and mode != "new":
        event_id = before.get("event_id", event_id)
        if mode == "keep" and event_id in store.events:
            timestamp = store.events[event_id]["timestamp"]
    kept = {**task, "event_id": event_id}
    store.documents.put("tasks", kept)
    event = task_event(event_id, account, timestamp, kept, before)
    store.submit(partial(store.events.put, event))


ROUTES: Final = (
    Route("POST", "/api/v3/tasks", "tasks", create),
    Route("PUT", "/api/v3/tasks", "tasks", update),
    Route("PUT", "/api/v3/tasks/*", "tasks", update),
    Route("GET", "/api/v3/tasks", "tasks", read),
)
