"""Searches for events: touchpoints, tasks, alerts and campaign touches (Search API: events)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.endpoints.odd_values import reply_rows, spoil
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import success
from totango_sandbox.search import compile_event_terms, event_time, read_query

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service

Event = dict[str, Any]


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v2/events/search``; ``offset`` counts pages, or rows when switched so."""
    started = time.perf_counter()
    service.store.settle()
    query = read_query(request, service.switches)
    if query.fields:
        msg = "fields has to be an empty list for events"
        raise ApiError(msg)
    events = _matching(service, query)
    hits = _page(service, request, events, query)
    body: dict[str, Any] = {"hits": hits}
    if service.switches.on("events_total"):
        key = json.dumps(["events", query.terms, query.account_id])
        body["total_hits"] = service.searcher.shown_total(len(events), key)
    request.rows = len(hits)
    spoil(hits, request)
    took = int((time.perf_counter() - started) * 1000)
    document = success(service.number, "search", took, {"events": body})
    return reply_rows(document, request, service.switches)


def _matching(service: Service, query: Query) -> list[Event]:
    """All events that a query selects, in the order of their times."""
    test = compile_event_terms(service.switches, query.terms)
    events = [
        event
        for event in service.store.events.values()
        if (query.account_id is None or _account_id(event) == query.account_id) and test(event)
    ]
    events.sort(key=event_time, reverse=service.switches.text("events_order") == "desc")
    return events


def _page(service: Service, request: Request, events: list[Event], query: Query) -> list[Event]:
    skip = query.offset
    if service.switches.text("events_offset") == "page":
        skip *= query.count
    positions = service.searcher.cut_page(
        range(len(events)), lambda at: event_time(events[at]), skip, query.count, request.faults
    )
    return [events[at] for at in positions]


def _account_id(event: Event) -> object:
    account = event.get("account")
    return account.get("id") if isinstance(account, dict) else None


ROUTES: Final = (Route("POST", "/api/v2/events/search", "events", handle),)
