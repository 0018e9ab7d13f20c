"""Questions about filters: which are taken, which honoured, and how a refusal looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.columns import creation_dates
from tap_totango.probe.service import EVENTS, ProbedService
from totango_api.errors import ApiError
from totango_api.probe import Answer, Question, does_not_arise, is_refusal, said_of
from totango_api.reading import CREATE_DATE
from totango_api.search import ACCOUNTS, USERS, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.search import Hit, Page, Term

ACCEPTED: Final = "accepted"
GTE_ONLY: Final = "gte only"
IGNORED: Final = "ignored"
NOTHING_FOUND: Final = "finds nothing"
REFUSED: Final = "refused"

FEWEST_DATES: Final = 3
"""Different dates that are needed to see whether a filter leaves any out."""

_DAY: Final = 86_400_000
_FOREVER: Final = 1 << 62
_MADE_UP: Final = "no_such_thing"
_CREATED: Final = {"type": "date_attribute", "attribute": CREATE_DATE}


def date_filter(
    dates: Sequence[int],
    fetch: Callable[[Term], Page],
    date_of: Callable[[Hit], Any],
    term: Term,
) -> Answer:
    """Ask for rows between two of the dates seen; where that is refused, from one of them on.

    Args:
        dates: Dates that rows have.
        fetch: Fetches the rows that match a filter.
        date_of: Returns the date of a row.
        term: Type and name of the filter.
    """
    known = sorted(set(dates))
    if len(known) < FEWEST_DATES:
        return does_not_arise(f"{len(known)} different dates were seen, {FEWEST_DATES} are needed")
    low, high = known[len(known) // 3], known[-1 - len(known) // 3]
    try:
        page = fetch({**term, "gte": low, "lte": high})
    except ApiError as error:
        if not is_refusal(error):
            raise
        both = f"gte with lte: {said_of(error)}"
    else:
        return _honoured(page, date_of, low, high, ACCEPTED)
    try:
        page = fetch({**term, "gte": low})
    except ApiError as error:
        if not is_refusal(error):
            raise
        return Answer(REFUSED, f"{both}; gte: {said_of(error)}")
    return _honoured(page, date_of, low, _FOREVER, GTE_ONLY, f"{both}; gte: ")


def _honoured(
    page: Page, date_of: Callable[[Hit], Any], low: int, high: int, value: str, before: str = ""
) -> Answer:
    """Tell from the rows whether a filter was heeded; a server may compare whole days."""
    if not page.hits:
        return Answer(NOTHING_FOUND, f"{before}no row came, though dates of rows were asked for")
    outside = sum(
        not (isinstance(date, int) and low - _DAY < date < high + _DAY)
        for date in map(date_of, page.hits)
    )
    evidence = f"{before}{outside} of {len(page.hits)} rows were outside"
    return Answer(IGNORED if outside else value, evidence)


def activity_filter(service: ProbedService) -> Answer:
    """Filter accounts by their last activity."""
    return _of_hits(service, ACCOUNTS, service.accounts().hits, "last_activity_time")


def first_activity_filter(service: ProbedService) -> Answer:
    """Filter users by their first activity."""
    return _of_hits(service, USERS, service.users().hits, "first_activity_time")


def _of_hits(service: ProbedService, stream: str, hits: Sequence[Hit], name: str) -> Answer:
    dates = [date for hit in hits if isinstance(date := hit.get(name), int)]
    term = {"type": "date", "term": name}
    return date_filter(
        dates, lambda one: service.filtered(stream, one), lambda hit: hit.get(name), term
    )


def creation_filter(service: ProbedService) -> Answer:
    """Filter accounts by the date attribute by which large tenants are read."""

    def date_of(hit: Hit) -> Any:
        values = hit.get("selected_fields")
        return values[0] if isinstance(values, list) and values else None

    return date_filter(
        creation_dates(service),
        lambda one: service.filtered(ACCOUNTS, one, fields=(_CREATED,)),
        date_of,
        _CREATED,
    )


def events_filter(service: ProbedService) -> Answer:
    """Filter events by their time."""
    hits = service.events().hits
    dates = [date for hit in hits if isinstance(date := hit.get("timestamp"), int)]
    return date_filter(
        dates,
        lambda one: service.events_at(0, one),
        lambda hit: hit.get("timestamp"),
        {"type": "date", "term": "date"},
    )


def unknown_filter(service: ProbedService) -> Answer:
    """Send a filter that does not exist."""
    try:
        page = service.caller.once("unknown filter", lambda: _unknown_filter(service))
    except ApiError as error:
        if not is_refusal(error):
            raise
        return Answer(REFUSED, said_of(error))
    return Answer(IGNORED, f"{page.total_hits} rows matched a filter that does not exist")


def _unknown_filter(service: ProbedService) -> Page:
    term = {"type": _MADE_UP, "eq": _MADE_UP}
    return service.caller.search(ACCOUNTS, Query(terms=(term,), count=1))


def unknown_status(service: ProbedService) -> Answer:
    """Ask for the accounts whose status is unknown, in that word."""
    term = {"type": "string", "term": "status_group", "in_list": ["unknown"]}
    try:
        page = service.caller.search(ACCOUNTS, Query(terms=(term,), count=1))
    except ApiError as error:
        if not is_refusal(error):
            raise
        return Answer(REFUSED, said_of(error))
    rows = page.total_hits if page.total_hits is not None else len(page.hits)
    return Answer("found" if rows else "none", f"{rows} accounts by the word unknown")


def failure_status(service: ProbedService) -> Answer:
    """Look at the status of a call that fails: the made-up filter's, or that of a made-up type."""
    try:
        service.caller.once("unknown filter", lambda: _unknown_filter(service))
        query = Query(fields=({"type": _MADE_UP},), count=1)
        service.caller.search(ACCOUNTS, query)
    except ApiError as error:
        if not is_refusal(error):
            raise
        return Answer(str(error.status or "?"), f"a call that cannot work: {said_of(error)}")
    return does_not_arise("neither a made-up filter nor a made-up column was refused")


QUESTIONS: Final = (
    Question("activity_filter", "Accounts by last activity, gte and lte?", 1, activity_filter),
    Question("creation_filter", "Accounts by Create Date, gte and lte?", 1, creation_filter),
    Question(
        "first_activity_filter", "Users by first activity, gte and lte?", 1, first_activity_filter
    ),
    Question("unknown_filter", "What answers a filter that is not there?", 1, unknown_filter),
    Question("failure_status", "Which status has a failure?", 0, failure_status),
    Question("unknown_status", "Is `unknown` the word for no status?", 1, unknown_status),
)

OF_EVENTS: Final = Question(f"{EVENTS}_filter", "Events by time, gte and lte?", 1, events_filter)
