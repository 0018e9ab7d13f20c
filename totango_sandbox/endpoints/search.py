"""Searches for accounts, users, staff and events: a page of rows, and how many there are in all."""

from __future__ import annotations

import json
import re
import time
from math import inf, nan
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import Response, reply, success
from totango_sandbox.search import compile_event_terms, event_time, read_query, select_fields
from totango_sandbox.storage import account_of

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Event
    from totango_sandbox.switches import Switches


Hit = dict[str, Any]
_CONTROL: Final = "control"
_NO_JSON: Final = {"nan": nan, "infinity": inf, _CONTROL: "raw \x01 and \x1f"}
# A backslash that is escaped itself must not be taken for the start of an escape.
_ESCAPES: Final = re.compile(rb"\\\\|\\u00([01][0-9a-f])")


def reply_page(
    service: Service,
    request: Request,
    name: str,
    hits: list[Hit],
    total: int | None,
    **more: object,
) -> Response:
    """Answer with one page of hits.

    Args:
        service: whose number stands in the envelope.
        request: the call, which knows when it arrived and its faults.
        name: the object that was searched.
        hits: the rows of the page.
        total: total_hits, None to leave it out.
        more: other keys beside the hits.
    """
    request.rows = len(hits)
    body: dict[str, Any] = {"hits": _spoilt(hits, request.faults), **more}
    if total is not None:
        body["total_hits"] = total
    took = int((time.perf_counter() - request.arrived) * 1000)
    document = success(service.number, took, {name: body})
    return reply_rows(document, request, service.switches)


def reply_rows(document: object, request: Request, switches: Switches) -> Response:
    """Return a JSON response, with control characters raw where a switch or a fault says so."""
    response = reply(document)
    raw = _CONTROL in request.faults or switches.text("control_characters") == "raw"
    if raw and isinstance(response.body, bytes):
        response.body = _ESCAPES.sub(_unescaped, response.body)
    return response


def _spoilt(hits: list[Hit], faults: tuple[str, ...]) -> list[Hit]:
    """Put a value that is no JSON into the hit in the middle, if a fault says so."""
    values = [_NO_JSON[fault] for fault in faults if fault in _NO_JSON]
    if not values or not hits:
        return hits
    middle, value = len(hits) // 2, values[0]
    hit = hits[middle]
    if hit.get("selected_fields"):
        hit = {**hit, "selected_fields": [value, *hit["selected_fields"][1:]]}
    else:
        hit = {**hit, "properties": {**hit.get("properties", {}), "subject": value}}
    return [*hits[:middle], hit, *hits[middle + 1 :]]


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else match[0]


_ONLINE: Final = 5 * 60 * 1000


def accounts_or_users(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/accounts`` or ``/users``."""
    service.store.settle()
    table = service.store.tables[request.surface]
    query = read_query(request, service.switches)
    for fault, move in (("shift-delete", "out"), ("shift", "in")):
        if fault in request.faults:
            service.movement.move(table.kind, move, first=True)
    total, rows = service.searcher.page(table, query, request.faults)
    hits_of = _user_hits if table is service.store.users else _account_hits
    hits = hits_of(service, query, rows)
    shown = service.searcher.total_of(table, query, total)
    return reply_page(service, request, table.kind, hits, shown, stats={})


def _account_hits(service: Service, query: Query, rows: list[int]) -> list[dict[str, Any]]:
    table = service.store.accounts
    base = table.base
    ids, names, last = base["id"], base["display"], base["last_activity_time"]
    columns = select_fields(service.store, table, query.fields, rows)
    return [
        {
            "name": ids[row],
            "display_name": names[row],
            "last_activity_time": last[row],
            "selected_fields": selected,
        }
        for row, selected in zip(rows, columns, strict=True)
    ]


def _user_hits(service: Service, query: Query, rows: list[int]) -> list[dict[str, Any]]:
    base, accounts = service.store.users.base, service.store.accounts
    own = select_fields(service.store, service.store.users, query.fields, rows)
    parent_rows = [base["account_row"][row] for row in rows]
    parents = select_fields(service.store, accounts, query.parent_fields, parent_rows)
    place = service.switches.text("parent_fields") if query.parent_fields else "none"
    online_since = dates.now() - _ONLINE
    hits = []
    for row, account, selected, parent in zip(rows, parent_rows, own, parents, strict=True):
        last = base["last_activity_time"][row]
        of_account: dict[str, Any] = {
            "name": base["account_id"][row],
            "display_name": accounts.base["display"][account],
        }
        if place == "account":
            of_account["selected_fields"] = parent
        hits.append(
            {
                "name": base["id"][row],
                "display_name": base["display"][row],
                "account": of_account,
                "is_online": last is not None and last >= online_since,
                "first_activity_time": base["first_activity_time"][row],
                "last_activity_time": last,
                "selected_fields": selected + parent if place == "appended" else selected,
            }
        )
    return hits


def staff(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/users/internal``."""
    table = service.store.staff
    query = read_query(request, service.switches)
    total, rows = service.searcher.page(table, query, request.faults)
    base = table.base
    columns = select_fields(service.store, table, query.fields, rows)
    hits: list[dict[str, Any]] = [
        {
            "name": base["id"][row],
            "display_name": base["display"][row],
            "first_activity_time": base["first_activity_time"][row],
            "last_activity_time": base["last_activity_time"][row],
            "selected_fields": selected,
        }
        for row, selected in zip(rows, columns, strict=True)
    ]
    shown = service.searcher.total_of(table, query, total)
    return reply_page(service, request, "users", hits, shown)


def events(service: Service, request: Request) -> Response:
    """Answer ``/api/v2/events/search``; ``offset`` counts pages, or rows when switched so."""
    service.store.settle()
    query = read_query(request, service.switches)
    if query.fields:
        msg = "fields has to be an empty list for events"
        raise ApiError(msg)
    found = _matching(service, query)
    hits = _event_page(service, request, found, query)
    total = None
    if service.switches.on("events_total"):
        key = json.dumps(["events", query.terms, query.account_id])
        total = service.searcher.shown_total(len(found), key)
    return reply_page(service, request, "events", hits, total)


def _matching(service: Service, query: Query) -> list[Event]:
    """Return all events that a query selects, in the order of their times."""
    test = compile_event_terms(service.switches, query.terms)
    events = [
        event
        for event in service.store.events.values()
        if (query.account_id is None or account_of(event) == query.account_id) and test(event)
    ]
    events.sort(key=event_time, reverse=service.switches.text("events_order") == "desc")
    return events


def _event_page(
    service: Service, request: Request, events: list[Event], query: Query
) -> list[Event]:
    skip = query.offset
    if service.switches.text("events_offset") == "page":
        skip *= query.count
    positions = service.searcher.cut_page(
        range(len(events)), lambda at: event_time(events[at]), skip, query.count, request.faults
    )
    return [events[at] for at in positions]


ROUTES: Final = (
    Route("POST", "/api/v1/search/accounts", "accounts", accounts_or_users),
    Route("POST", "/api/v1/search/users", "users", accounts_or_users),
    Route("POST", "/api/v1/search/users/internal", "staff", staff),
    Route("POST", "/api/v2/events/search", "events", events),
)
