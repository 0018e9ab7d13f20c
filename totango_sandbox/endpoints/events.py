"""Searches for events: touchpoints, tasks, alerts and campaign touches (Search API: events)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from totango_sandbox.endpoints.pages import reply_page
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.search import compile_event_terms, event_time, read_query
from totango_sandbox.storage import account_of

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Event


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v2/events/search``; ``offset`` counts pages, or rows when switched so."""
    service.store.settle()
    query = read_query(request, service.switches)
    if query.fields:
        msg = "fields has to be an empty list for events"
        raise ApiError(msg)
    events = _matching(service, query)
    hits = _page(service, request, events, query)
    total = None
    if service.switches.on("events_total"):
        key = json.dumps(["events", query.terms, query.account_id])
        total = service.searcher.shown_total(len(events), key)
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


def _page(service: Service, request: Request, events: list[Event], query: Query) -> list[Event]:
    skip = query.offset
    if service.switches.text("events_offset") == "page":
        skip *= query.count
    positions = service.searcher.cut_page(
        range(len(events)), lambda at: event_time(events[at]), skip, query.count, request.faults
    )
    return [events[at] for at in positions]


ROUTES: Final = (Route("POST", "/api/v2/events/search", "events", handle),)
