"""Searches for events: touchpoints, tasks, alerts and campaign touches (Search API: events)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates as moments
from totango_sandbox.endpoints.odd_values import reply_rows, spoil
from totango_sandbox.endpoints.search import total_hits
from totango_sandbox.search.capabilities import checked_operators
from totango_sandbox.search.operators import joker_days
from totango_sandbox.search.paging import page
from totango_sandbox.search.query import read_query
from totango_sandbox.server.envelopes import Failure, success

if TYPE_CHECKING:
    from totango_sandbox.server.http import Request, Response
    from totango_sandbox.server.service import Service

Event = dict[str, Any]
Test = Callable[[Event], bool]
_RANGES: Final[dict[str, Callable[[int, float], bool]]] = {
    "gte": lambda time, bound: time >= bound,
    "lte": lambda time, bound: time <= bound,
    "gt": lambda time, bound: time > bound,
    "lt": lambda time, bound: time < bound,
    "eq": lambda time, bound: time == bound,
}


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v2/events/search``; ``offset`` counts pages, or rows when switched so."""
    started = time.perf_counter()
    service.store.settle()
    query = read_query(request, service.switches)
    if query.fields:
        msg = "fields has to be an empty list for events"
        raise Failure(msg)
    tests = [_compile(service, term) for term in query.terms]
    found = [
        event
        for event in service.store.events.values()
        if (query.account_id is None or _account_id(event) == query.account_id)
        and all(test(event) for test in tests)
    ]
    chosen = _page(service, request, found, query.offset, query.count)
    body: dict[str, Any] = {"hits": chosen}
    if service.switches.on("events_total"):
        body["total_hits"] = total_hits(service, len(found), json.dumps(query.terms))
    request.rows = len(chosen)
    spoil(chosen, request)
    took = int((time.perf_counter() - started) * 1000)
    answer = success(service, "search", took, {"events": body})
    return reply_rows(answer, request, service.switches)


def _page(
    service: Service, request: Request, found: list[Event], offset: int, count: int
) -> list[Event]:
    switches = service.switches
    found.sort(key=_time, reverse=switches.text("events_order") == "desc")
    skip = offset * count if switches.text("events_offset") == "page" else offset
    if "duplicate-page" in request.twists:
        skip = max(0, skip - count)
    if "short-page" in request.twists:
        count //= 2
    service.requests_served += 1
    nonce = service.requests_served if switches.text("ties") == "unstable" else None
    rows = page(range(len(found)), lambda row: _time(found[row]), skip, count, nonce)
    return [found[row] for row in rows]


def _time(event: Event) -> int:
    moment = event.get("timestamp")
    return moment if isinstance(moment, int) else 0


def _account_id(event: Event) -> object:
    account = event.get("account")
    return account.get("id") if isinstance(account, dict) else None


def _compile(service: Service, term: dict[str, Any]) -> Test:
    """One test for an event.

    Raises:
        Failure: the term or its operator is unknown, switched off or malformed.
    """
    kind = "or" if "or" in term and "type" not in term else str(term.get("type"))
    makers: dict[str, Callable[[Service, dict[str, Any], dict[str, Any]], Test]] = {
        "event_property": _property,
        "date": _date,
        "or": _or,
    }
    try:
        operators = checked_operators(service.switches, kind, term, makers)
        return makers[kind](service, term, operators)
    except Failure:
        if service.switches.text("unsupported_term") == "ignore":
            return lambda _event: True
        raise


def _property(_service: Service, term: dict[str, Any], operators: dict[str, Any]) -> Test:
    if term.get("name") != "event_type":
        msg = f"unknown event property {term.get('name')!r}"
        raise Failure(msg)
    wanted = operators.get("in_list", [operators.get("eq")])
    if not isinstance(wanted, list):
        msg = "in_list needs a list"
        raise Failure(msg)
    return lambda event: event.get("type") in wanted


def _date(_service: Service, term: dict[str, Any], operators: dict[str, Any]) -> Test:
    if term.get("term") != "date":
        msg = f"unknown date term {term.get('term')!r} for events"
        raise Failure(msg)
    tests: list[Test] = []
    for name, value in operators.items():
        if name == "joker":
            first, last = joker_days(value)
            tests.append(lambda event, a=first, b=last: a <= _time(event) // moments.DAY <= b)  # type: ignore[misc]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            compare = _RANGES[name]
            tests.append(lambda event, test=compare, to=value: test(_time(event), to))  # type: ignore[misc]
        else:
            msg = f"{name} needs epoch milliseconds"
            raise Failure(msg)
    return lambda event: all(test(event) for test in tests)


def _or(service: Service, _term: dict[str, Any], operators: dict[str, Any]) -> Test:
    terms = operators["or"]
    if not isinstance(terms, list) or not terms:
        msg = "or needs a list of terms"
        raise Failure(msg)
    tests = [_compile(service, term) for term in terms]
    return lambda event: any(test(event) for test in tests)
