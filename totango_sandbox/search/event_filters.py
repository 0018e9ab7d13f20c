"""Filters of event searches (Totango: Search API, events)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import ApiError
from totango_sandbox.search.capabilities import checked_operators
from totango_sandbox.search.operators import joker_days

if TYPE_CHECKING:
    from totango_sandbox.switches import Switches

Event = dict[str, Any]
Term = dict[str, Any]
EventFilter = Callable[[Event], bool]
_RANGES: Final[dict[str, Callable[[int, float], bool]]] = {
    "gte": lambda time, bound: time >= bound,
    "lte": lambda time, bound: time <= bound,
    "gt": lambda time, bound: time > bound,
    "lt": lambda time, bound: time < bound,
    "eq": lambda time, bound: time == bound,
}


def compile_event_terms(switches: Switches, terms: Sequence[Term]) -> EventFilter:
    """Return one filter that demands all terms.

    Raises:
        ApiError: a term or its operator is unknown, switched off or malformed.
    """
    tests = [_compile(switches, term) for term in terms]
    return lambda event: all(test(event) for test in tests)


def event_time(event: Event) -> int:
    """Return the timestamp of an event, 0 without one."""
    moment = event.get("timestamp")
    return moment if isinstance(moment, int) else 0


def _compile(switches: Switches, term: Term) -> EventFilter:
    kind = "or" if "or" in term and "type" not in term else str(term.get("type"))
    makers: dict[str, Callable[[Switches, Term, dict[str, Any]], EventFilter]] = {
        "event_property": _property,
        "date": _date,
        "or": _or,
    }
    try:
        operators = checked_operators(switches, kind, term, makers)
        return makers[kind](switches, term, operators)
    except ApiError:
        if switches.text("unsupported_term") == "ignore":
            return lambda _event: True
        raise


def _property(_switches: Switches, term: Term, operators: dict[str, Any]) -> EventFilter:
    if term.get("name") != "event_type":
        msg = f"unknown event property {term.get('name')!r}"
        raise ApiError(msg)
    wanted = operators.get("in_list", [operators.get("eq")])
    if not isinstance(wanted, list):
        msg = "in_list needs a list"
        raise ApiError(msg)
    return lambda event: event.get("type") in wanted


def _date(_switches: Switches, term: Term, operators: dict[str, Any]) -> EventFilter:
    if term.get("term") != "date":
        msg = f"unknown date term {term.get('term')!r} for events"
        raise ApiError(msg)
    tests = [_in_time(name, value) for name, value in operators.items()]
    return lambda event: all(test(event_time(event)) for test in tests)


def _in_time(name: str, value: object) -> Callable[[int], bool]:
    if name == "joker":
        first, last = joker_days(value)
        return lambda time: first <= time // dates.DAY <= last
    if not isinstance(value, int | float) or isinstance(value, bool):
        msg = f"{name} needs epoch milliseconds"
        raise ApiError(msg)
    compare, bound = _RANGES[name], value
    return lambda time: compare(time, bound)


def _or(switches: Switches, _term: Term, operators: dict[str, Any]) -> EventFilter:
    terms = operators["or"]
    if not isinstance(terms, list) or not terms:
        msg = "or needs a list of terms"
        raise ApiError(msg)
    tests = [_compile(switches, term) for term in terms]
    return lambda event: any(test(event) for test in tests)
