"""Questions about how far one query reaches: what is behind row 10,000, and its last row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.errors import ApiError
from totango_api.limits import WINDOW_ROWS
from totango_api.probe import Answer, Question, does_not_arise, status_text
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
    """Return the page with the first row behind the window, or the refusal of it."""
    caller = service.caller
    return caller.tried(lambda: caller.once("behind", lambda: _row(service, _BEHIND)))


def page_behind_window(service: ProbedService) -> Answer:
    """Ask for the row behind the window."""
    total = service.accounts().total_hits
    page = _behind(service)
    if isinstance(page, ApiError):
        return Answer("refused", f"row {_BEHIND}: {status_text(page)}")
    if page.hits:
        return Answer("served", f"row {_BEHIND} of {page.total_hits} came")
    if total is None or total <= WINDOW_ROWS:
        return does_not_arise(f"{total or 'uncounted'} accounts; none came from behind the window")
    return Answer("empty", f"row {_BEHIND} of {total} did not come")


def window_rows(service: ProbedService) -> Answer:
    """Look for the last row that a query reaches, with the calls that are left."""
    first, behind = service.accounts(), _behind(service)
    came, total = first.rows, first.total_hits
    if isinstance(behind, Page) and behind.hits:
        edge = _Edge(_BEHIND, max(total or 0, _BEHIND) + 1, has_more=False)
    elif isinstance(behind, ApiError):
        edge = _Edge(came, _BEHIND, has_more=True)
        edge.hear(behind, _BEHIND)
    elif not came:
        return does_not_arise("no accounts")
    elif (total or 0) > WINDOW_ROWS:
        edge = _Edge(came, _BEHIND, has_more=True)
    else:
        last = came if came < service.page_rows else max(came, total or 0)
        edge = _Edge(came, last + 1, has_more=False)
    while edge.low + 1 < edge.high and service.caller.spare:
        edge.ask(service)
    return edge.answer(total)


@dataclass
class _Edge:
    """Where the reach of a query ends.

    Attributes:
        low: The last row that is known to be in reach.
        high: The first one that is not, or is not there.
        has_more: Whether it is known that rows are out of reach, or would be.
        refuses: Whether rows out of reach are refused: then so are those that are not there.
        named: The row that a refusal names as the last one.
    """

    low: int
    high: int
    has_more: bool
    refuses: bool = False
    named: int | None = None

    def __post_init__(self) -> None:
        self._is_untried = True

    def hear(self, refusal: ApiError, number: int) -> None:
        """Take in that a row is refused, and the last row in reach, if the refusal names it."""
        self.has_more = self.refuses = True
        named = [one for one in _numbers(refusal) if self.low <= one < number]
        if len(named) == 1:
            self.named = named[0]

    def ask(self, service: ProbedService) -> None:
        """Ask for a row between the last one in reach and the first one out of it."""
        number = self._candidate()
        self._is_untried = False
        page = service.caller.tried(lambda: _row(service, number))
        if isinstance(page, ApiError):
            self.hear(page, number)
            self.high = number
        elif self.refuses or page.hits:
            self.low = number
        else:
            self.high = number

    def _candidate(self) -> int:
        """Return the row to ask for: the one that is named, the last one, a round one, any."""
        if self.named is not None and self.low <= self.named < self.high:
            return self.named if self.low < self.named else self.low + 1
        if self._is_untried:
            return self.high - 1
        middle = (self.low + self.high) // 2 // _STEP * _STEP
        while middle <= self.low:
            middle += _STEP
        if middle < self.high:
            return middle
        return self.low + (1 if self.low % _STEP == 0 else (self.high - self.low) // 2)

    def answer(self, total: int | None) -> Answer:
        """Return how far a query reaches, as far as that was found out."""
        if not self.has_more:
            return Answer(f"at least {self.low}", f"row {self.low} of {total} came")
        known = f"row {self.low} is in reach"
        details = [str(self.low)] if self.low else []
        if self.low + 1 == self.high:
            return Answer(str(self.low), f"{known}, row {self.high} is not", details=details)
        if self.named is not None and self.low <= self.named < self.high:
            evidence = f"{known}, and a refusal names row {self.named}"
            return Answer(str(self.named), evidence, details=[str(self.named)])
        advice = "raise --max-calls to know it exactly"
        evidence = f"{known}, row {self.high} is not"
        return Answer(f"{self.low} to {self.high - 1}", evidence, advice, details=details)


def _numbers(refusal: ApiError) -> set[int]:
    """Return the numbers in the words of a refusal."""
    return {int(one) for one in re.findall(r"\b\d{1,9}\b", refusal.reason)} - {0}


QUESTIONS: Final = (
    Question("page_behind_window", "What comes behind row 10,000?", 1, page_behind_window),
)
OF_WHAT_IS_LEFT: Final = (Question("window_rows", "How far does one query reach?", 0, window_rows),)
