"""Questions about how far one query reaches: what is behind row 10,000, and its last row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.errors import ApiError
from totango_api.limits import WINDOW_ROWS
from totango_api.probe import Answer, Question, does_not_arise, is_refusal, said_of
from totango_api.search import ACCOUNTS, Page, Query

if TYPE_CHECKING:
    from tap_totango.probe.service import ProbedService

_BEHIND: Final = WINDOW_ROWS + 1
_STEP: Final = 1000


def _row(service: ProbedService, number: int) -> Page:
    """Return the page of one row, counted from 1.

    Raises:
        ApiError: If it is refused.
    """
    return service.caller.search(ACCOUNTS, Query(count=1, offset=number - 1))


def _behind(service: ProbedService) -> Page | ApiError:
    """Return what answers the first row behind the window."""
    try:
        return service.caller.once("behind", lambda: _row(service, _BEHIND))
    except ApiError as error:
        if not is_refusal(error):
            raise
        return error


def page_behind_window(service: ProbedService) -> Answer:
    """Ask for the row behind the window."""
    total = service.accounts().total_hits
    page = _behind(service)
    if isinstance(page, ApiError):
        return Answer("refused", f"row {_BEHIND}: {said_of(page)}")
    if page.hits:
        return Answer("served", f"row {_BEHIND} of {page.total_hits} came")
    if total is None or total <= WINDOW_ROWS:
        return does_not_arise(f"{total or 'uncounted'} accounts; none came from behind the window")
    return Answer("empty", f"row {_BEHIND} of {total} did not come")


def window_rows(service: ProbedService) -> Answer:
    """Look for the last row that a query reaches, with the calls that are left."""
    first, behind = service.accounts(), _behind(service)
    if isinstance(behind, Page) and behind.hits:
        return Answer(f"over {WINDOW_ROWS}", f"row {_BEHIND} came")
    came, total = len(first.hits) + first.odd_hits, first.total_hits
    is_refused = isinstance(behind, ApiError)
    if not (came or is_refused):
        return does_not_arise("no accounts")
    has_more = is_refused or (total is not None and total > WINDOW_ROWS)
    last = WINDOW_ROWS if has_more else max(came, total or 0)
    if not has_more and came < service.page_rows:
        last = came
    edge = _Edge(came, last + 1, last, _named(behind) if isinstance(behind, ApiError) else None)
    while edge.low + 1 < edge.high and service.caller.spare:
        number = edge.candidate()
        if _is_in_reach(service, number, is_refused=is_refused):
            edge.low = number
        else:
            edge.high = number
    return edge.answer() if has_more else edge.answer_of_all(total)


@dataclass
class _Edge:
    """Where the reach of a query ends.

    Attributes:
        low: The last row that is known to be in reach.
        high: The first one that is not, or is not there.
        last: The last row that may be in reach.
        named: The row that a refusal names as the last one.
    """

    low: int
    high: int
    last: int
    named: int | None

    def candidate(self) -> int:
        """Return the row to ask for: the one that is named, the last one, a round one, any."""
        if self.named is not None and self.low <= self.named < self.high:
            return self.named if self.low < self.named else self.low + 1
        if self.high > self.last:
            return self.last
        middle = (self.low + self.high) // 2 // _STEP * _STEP
        while middle <= self.low:
            middle += _STEP
        if middle < self.high:
            return middle
        return self.low + (1 if self.low % _STEP == 0 else (self.high - self.low) // 2)

    def answer_of_all(self, total: int | None) -> Answer:
        """Return how far a query reaches at least, where no row is known to be out of reach."""
        return Answer(f"at least {self.low}", f"row {self.low} of {total} came")

    def answer(self) -> Answer:
        """Return how far a query reaches, as far as that was found out."""
        known = f"row {self.low} is in reach"
        if self.low + 1 == self.high:
            return Answer(str(self.low), f"{known}, row {self.high} is not")
        if self.named is not None and self.low <= self.named < self.high:
            return Answer(str(self.named), f"{known}, and a refusal names row {self.named}")
        advice = "raise --max-calls to know it exactly"
        return Answer(f"{self.low} to {self.high - 1}", f"{known}, row {self.high} is not", advice)


def _is_in_reach(service: ProbedService, number: int, *, is_refused: bool) -> bool:
    """Return whether a row is in reach.

    Where rows out of reach are refused, that is shown by a row that the tenant does not have, too;
    else only a row that comes shows it.
    """
    try:
        page = _row(service, number)
    except ApiError as error:
        if not is_refusal(error):
            raise
        return False
    return is_refused or bool(page.hits)


def _named(refusal: ApiError) -> int | None:
    """Return the one number in a refusal that may be the last row in reach."""
    numbers = {int(one) for one in re.findall(r"\b\d{1,9}\b", refusal.reason)}
    fitting = [one for one in numbers if 0 < one <= WINDOW_ROWS]
    return fitting[0] if len(fitting) == 1 else None


QUESTIONS: Final = (
    Question("page_behind_window", "What comes behind row 10,000?", 1, page_behind_window),
)
OF_WHAT_IS_LEFT: Final = (Question("window_rows", "How far does one query reach?", 0, window_rows),)
