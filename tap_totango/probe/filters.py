"""Questions about filters: which are taken, which honoured, and how a refusal looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.columns import creation_dates
from tap_totango.probe.responses import named_in
from tap_totango.probe.service import EVENTS, ProbedService
from totango_api.errors import ApiError
from totango_api.probe import Answer, Question, does_not_arise, status_text
from totango_api.reading import CREATE_DATE
from totango_api.search import ACCOUNTS, USERS, Query, account_id_of
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from totango_api.search import FieldSpec, Hit, Page, Term

ACCEPTED: Final = "accepted"
GTE_ONLY: Final = "gte only"
IGNORED: Final = "ignored"
NOTHING_FOUND: Final = "finds nothing"
REFUSED: Final = "refused"

FEWEST_TO_LEAVE: Final = 2
"""Accounts that are needed to leave one of them out."""

FEWEST_DATES: Final = 3
"""Different dates that are needed to see whether a filter leaves any out."""

_DAY: Final = 86_400_000
_FOREVER: Final = 1 << 62
_MADE_UP: Final = "no_such_thing"
_CREATED: Final[FieldSpec] = {"type": "date_attribute", "attribute": CREATE_DATE}


@dataclass(frozen=True)
class DateFilter:
    """A filter by a date.

    Attributes:
        term: Its type and name.
        dates: Different dates that rows have, in order.
        date_of: Returns the date of a row.
    """

    term: Mapping[str, str]
    dates: Sequence[int]
    date_of: Callable[[Hit], Any]

    @property
    def can_show(self) -> bool:
        """Whether there are dates enough to see what it leaves out."""
        return len(self.dates) >= FEWEST_DATES

    @property
    def low(self) -> int:
        """A date that rows are older than."""
        return self.dates[len(self.dates) // 3]

    @property
    def high(self) -> int:
        """A date that rows are younger than."""
        return self.dates[-1 - len(self.dates) // 3]

    @property
    def between(self) -> Term:
        """Rows between the two."""
        return {**self.term, "gte": self.low, "lte": self.high}

    @property
    def since(self) -> Term:
        """Rows from the first one on."""
        return {**self.term, "gte": self.low}


def answers_to(
    service: ProbedService,
    filters: Mapping[str, DateFilter],
    fetch: Callable[[tuple[Term, ...]], Page],
) -> dict[str, Answer]:
    """Ask for rows by all filters at once; by each alone where that shows nothing.

    Args:
        service: The service.
        filters: By the name of the question.
        fetch: Fetches the rows that match.
    """
    few = f"different dates were seen, {FEWEST_DATES} are needed"
    found = {
        name: does_not_arise(f"{len(one.dates)} {few}")
        for name, one in filters.items()
        if not one.can_show
    }
    open_ones = {name: one for name, one in filters.items() if one.can_show}
    if len(open_ones) > 1:
        together = tuple(one.between for one in open_ones.values())
        page = service.caller.tried(lambda: fetch(together))
        if not isinstance(page, ApiError) and page.hits:
            return found | {name: _between(page, one) for name, one in open_ones.items()}
        if found_ones := _without_lte(service, page, open_ones, fetch):
            return found | found_ones
        if service.caller.spare < len(open_ones):
            return found | dict.fromkeys(open_ones, _in_doubt(page))
    return found | {name: _alone(service, one, fetch) for name, one in open_ones.items()}


def _without_lte(
    service: ProbedService,
    page: Page | ApiError,
    filters: Mapping[str, DateFilter],
    fetch: Callable[[tuple[Term, ...]], Page],
) -> dict[str, Answer]:
    """Ask again without the lte that a refusal is about; return nothing where it names none."""
    refusal = page.reason if isinstance(page, ApiError) else ""
    named = named_in(refusal, {name: one.term for name, one in filters.items()})
    if "lte" not in refusal or len(named) != 1:
        return {}
    terms = tuple(one.since if name in named else one.between for name, one in filters.items())
    again = service.caller.tried(lambda: fetch(terms))
    if isinstance(again, ApiError) or not again.hits:
        return {}
    before = "with lte it was refused; gte: "
    return {
        name: _honoured(again, one.date_of, one.low, _FOREVER, GTE_ONLY, before)
        if name in named
        else _between(again, one)
        for name, one in filters.items()
    }


def _alone(
    service: ProbedService, one: DateFilter, fetch: Callable[[tuple[Term, ...]], Page]
) -> Answer:
    """Ask for rows between two dates; where that is refused, from one of them on."""
    page = service.caller.tried(lambda: fetch((one.between,)))
    if not isinstance(page, ApiError):
        return _between(page, one)
    both = f"gte with lte: {status_text(page)}"
    if not service.caller.spare:
        return Answer(REFUSED, f"{both}; no call was left to ask with gte alone")
    page = service.caller.tried(lambda: fetch((one.since,)))
    if isinstance(page, ApiError):
        return Answer(REFUSED, f"{both}; gte: {status_text(page)}")
    return _honoured(page, one.date_of, one.low, _FOREVER, GTE_ONLY, f"{both}; gte: ")


def _in_doubt(page: Page | ApiError) -> Answer:
    """Return the answer to each of several filters that showed nothing together."""
    advice = "raise --max-calls to ask for it alone"
    if isinstance(page, ApiError):
        return Answer(REFUSED, f"together with another: {status_text(page)}", advice)
    return Answer(NOTHING_FOUND, "no row came by it and another together", advice)


def _between(page: Page, one: DateFilter) -> Answer:
    return _honoured(page, one.date_of, one.low, one.high, ACCEPTED)


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
    return _of_accounts(service)["activity_filter"]


def creation_filter(service: ProbedService) -> Answer:
    """Filter accounts by the date attribute by which large tenants are read."""
    return _of_accounts(service)["creation_filter"]


def _of_accounts(service: ProbedService) -> dict[str, Answer]:
    """Filter accounts by last activity and by creation."""

    def creation_of(hit: Hit) -> Any:
        values = hit.get("selected_fields")
        return values[0] if isinstance(values, list) and values else None

    filters = {
        "activity_filter": _of_hits(service.accounts().hits, "last_activity_time"),
        "creation_filter": DateFilter(_CREATED, sorted(set(creation_dates(service))), creation_of),
    }
    fields = (_CREATED,) if filters["creation_filter"].can_show else ()

    def fetch(terms: tuple[Term, ...]) -> Page:
        return service.filtered(ACCOUNTS, *terms, fields=fields)

    return service.caller.once("date filters", lambda: answers_to(service, filters, fetch))


def first_activity_filter(service: ProbedService) -> Answer:
    """Filter users by their first activity."""
    one = _of_hits(service.users().hits, "first_activity_time")

    def fetch(terms: tuple[Term, ...]) -> Page:
        return service.filtered(USERS, *terms)

    return answers_to(service, {"": one}, fetch)[""]


def events_filter(service: ProbedService) -> Answer:
    """Filter events by their time."""
    term = {"type": "date", "term": "date"}
    one = _of_hits(service.events().hits, "timestamp", term)
    return answers_to(service, {"": one}, lambda terms: service.events_at(0, *terms))[""]


def _of_hits(hits: Sequence[Hit], name: str, term: Mapping[str, str] | None = None) -> DateFilter:
    """Return the filter by a date that stands in every row."""
    dates = sorted({date for hit in hits if isinstance(date := hit.get(name), int)})
    return DateFilter(term or {"type": "date", "term": name}, dates, lambda hit: hit.get(name))


def unknown_filter(service: ProbedService) -> Answer:
    """Send a filter that does not exist."""
    page = _unknown_filter(service)
    if isinstance(page, ApiError):
        return Answer(REFUSED, status_text(page))
    matching = "uncounted rows" if page.total_hits is None else counted(page.total_hits, "row")
    return Answer(IGNORED, f"{matching} matched a filter that does not exist")


def _unknown_filter(service: ProbedService) -> Page | ApiError:
    caller, term = service.caller, {"type": _MADE_UP, "eq": _MADE_UP}

    def fetch() -> Page:
        return caller.search(ACCOUNTS, Query(terms=(term,), count=1))

    return caller.tried(lambda: caller.once("unknown filter", fetch))


def exclusion_filter(service: ProbedService) -> Answer:
    """Ask for the accounts but one, by a list of ids that are not wanted."""
    ids = service.listed_ids()
    if len(ids) < FEWEST_TO_LEAVE:
        return does_not_arise("fewer than two accounts were seen")
    term = {"type": "string", "term": "identifier", "not_in_list": ids[:1]}
    page = service.caller.tried(lambda: service.filtered(ACCOUNTS, term))
    if isinstance(page, ApiError):
        return Answer(REFUSED, status_text(page))
    came = {account_id_of(hit) for hit in page.hits}
    if ids[0] in came:
        return Answer(IGNORED, "the account that was left out came")
    return Answer(ACCEPTED, "all came but one") if came else Answer(NOTHING_FOUND, "none came")


def unknown_status(service: ProbedService) -> Answer:
    """Ask for the accounts whose status is unknown, in that word."""
    term = {"type": "string", "term": "status_group", "in_list": ["unknown"]}
    caller, query = service.caller, Query(terms=(term,), count=1)
    page = caller.tried(lambda: caller.search(ACCOUNTS, query))
    if isinstance(page, ApiError):
        return Answer(REFUSED, status_text(page))
    rows = page.total_hits if page.total_hits is not None else len(page.hits)
    return Answer("found" if rows else "none", f"{counted(rows, 'account')} by the word unknown")


def failure_status(service: ProbedService) -> Answer:
    """Look at the status of a call that fails: the made-up filter's, or that of a made-up type."""
    page = _unknown_filter(service)
    if not isinstance(page, ApiError):
        caller, query = service.caller, Query(fields=({"type": _MADE_UP},), count=1)
        page = caller.tried(lambda: caller.search(ACCOUNTS, query))
    if isinstance(page, ApiError):
        return Answer(str(page.status or "?"), f"a call that cannot work: {status_text(page)}")
    return does_not_arise("neither a made-up filter nor a made-up column was refused")


QUESTIONS: Final = (
    Question("activity_filter", "Accounts by last activity, gte and lte?", 1, activity_filter),
    Question("creation_filter", "Accounts by Create Date, gte and lte?", 0, creation_filter),
    Question(
        "first_activity_filter", "Users by first activity, gte and lte?", 1, first_activity_filter
    ),
    Question("unknown_filter", "What answers a filter that is not there?", 1, unknown_filter),
    Question("failure_status", "Which status has a failure?", 0, failure_status),
    Question("unknown_status", "Is `unknown` the word for no status?", 1, unknown_status),
)

OF_WHAT_IS_LEFT: Final = (
    Question("exclusion_filter", "Accounts but those listed by id?", 0, exclusion_filter),
)

OF_EVENTS: Final = Question(f"{EVENTS}_filter", "Events by time, gte and lte?", 1, events_filter)
