"""Searches for events: touchpoints, tasks, alerts, campaign touches (Totango: Search API events)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from totango_sandbox import moments
from totango_sandbox.capabilities import offered
from totango_sandbox.envelopes import Failure, success
from totango_sandbox.exchange import Request, Response, reply
from totango_sandbox.paging import page
from totango_sandbox.query import read_query
from totango_sandbox.search import total_hits
from totango_sandbox.service import Service
from totango_sandbox.terms import joker_days

Event = dict[str, Any]
Test = Callable[[Event], bool]
_RANGES: Final[dict[str, Callable[[int, float], bool]]] = {
    "gte": lambda time, bound: time >= bound,
    "lte": lambda time, bound: time <= bound,
    "gt": lambda time, bound: time > bound,
    "lt": lambda time, bound: time < bound,
    "eq": lambda time, bound: time == bound,
}
_ANNOTATIONS: Final = {"type", "term", "name", "query_term_id", "field_display_name"}


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v2/events/search``; ``offset`` counts pages, or rows when switched so."""
    started = time.perf_counter()
    service.store.settle()
    query = read_query(request, service.switches)
    if query.fields:
        raise Failure("fields has to be an empty list for events")
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
        body["total_hits"] = total_hits(service, len(found))
    request.rows = len(chosen)
    took = int((time.perf_counter() - started) * 1000)
    return reply(success(service, "search", took, {"events": body}))


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
    operators = {name: value for name, value in term.items() if name not in _ANNOTATIONS}
    makers: dict[str, Callable[[Service, dict[str, Any], dict[str, Any]], Test]] = {
        "event_property": _property,
        "date": _date,
        "or": _or,
    }
    try:
        if kind not in makers or not operators:
            raise Failure(f"unknown term {kind!r} for events")
        for name in operators:
            if not offered(service.switches, kind, term.get("term"), name):
                raise Failure(f"term {kind!r} does not support {name!r}")
        return makers[kind](service, term, operators)
    except Failure:
        if service.switches.text("unsupported_term") == "ignore":
            return lambda _event: True
        raise


def _property(_service: Service, term: dict[str, Any], operators: dict[str, Any]) -> Test:
    if term.get("name") != "event_type":
        raise Failure(f"unknown event property {term.get('name')!r}")
    wanted = operators.get("in_list", [operators.get("eq")])
    if not isinstance(wanted, list):
        raise Failure("in_list needs a list")
    return lambda event: event.get("type") in wanted


def _date(_service: Service, term: dict[str, Any], operators: dict[str, Any]) -> Test:
    if term.get("term") != "date":
        raise Failure(f"unknown date term {term.get('term')!r} for events")
    tests: list[Test] = []
    for name, value in operators.items():
        if name == "joker":
            first, last = joker_days(value)
            tests.append(lambda event, a=first, b=last: a <= _time(event) // moments.DAY <= b)  # type: ignore[misc]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            compare = _RANGES[name]
            tests.append(lambda event, test=compare, to=value: test(_time(event), to))  # type: ignore[misc]
        else:
            raise Failure(f"{name} needs epoch milliseconds")
    return lambda event: all(test(event) for test in tests)


def _or(service: Service, _term: dict[str, Any], operators: dict[str, Any]) -> Test:
    terms = operators["or"]
    if not isinstance(terms, list) or not terms:
        raise Failure("or needs a list of terms")
    tests = [_compile(service, term) for term in terms]
    return lambda event: any(test(event) for test in tests)
