"""Pages of events by their time: each begins at the moment at which the one before ended.

What comes and goes elsewhere cannot push an event from one such page to another. Where the newest
come first, each page shows besides, at its beginning, what is newer than all before: an event that
was edited stands there, if an edit gives it the time of the edit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.events.pages import (
    either,
    event_id_of,
    since,
    time_of,
    until,
)
from totango_api.reading.pages import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.reading.events.pages import EventPages
    from totango_api.reading.events.places import Spot
    from totango_api.search import Hit, Page, Term

BACK: Final = (1, 8, 10**6)
"""How many rows before the end of a page the next one begins, one try after another."""

PART_NEWEST: Final = 400
"""Of the newest events, one in so many rows of a page is asked for again."""

TIMELESS: Final = "some have no time"


@dataclass(frozen=True)
class TimePage:
    """A page by time.

    Attributes:
        response: All of it.
        page: What follows the page before.
        newest: The newest events, which stand before that.
    """

    response: Page
    page: Page
    newest: list[Hit]


class TimePages:
    """Fetches pages of events by their times.

    Args:
        pages: Fetches pages.
        first: The first one, already given.
        started: When it was asked for, in epoch milliseconds.

    Attributes:
        sign: 1 where the oldest come first, -1 where the newest do.
        mark: From which time on nothing but the newest events stands, where these come first.
        shows_newest: Whether pages show these besides.
        has_shown_newest: Whether one did.
        newest: How many rows they take of a page.

    Raises:
        KeyNotUsableError: If its events are not in the order of their times.
    """

    def __init__(self, pages: EventPages, first: Page, started: int) -> None:
        self._pages = pages
        self._is_proven = False
        self.has_shown_newest = False
        self.sign = 1
        times = [self.time(hit) for hit in first.hits]
        if times != sorted(times):
            self.sign, times = -1, [-one for one in times]
        if times != sorted(times) or (times and times[0] == times[-1]):
            msg = "they are not in the order of their times"
            raise KeyNotUsableError(msg)
        self.mark = self._mark(first.hits, started) if self.sign < 0 else started
        self.shows_newest = self.sign < 0
        self.newest = sum(one <= -self.mark for one in times) if self.sign < 0 else 0

    def next(self, rows: Sequence[Spot], *terms: Term) -> TimePage:
        """Fetch the page that follows some rows: it begins with one of them.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time.
            ApiError: If a page cannot be had.
        """
        for back in BACK:
            start = self._start(rows, back)
            if self.shows_newest and not terms and self.mark > -start:
                asked = _now()
                found = self._with_newest(start)
                if found is not None and _shares(rows, found, -start):
                    self._note_newest(found, asked)
                    return found
                self.shows_newest = self.has_shown_newest and found is not None
            found = self.page_from(start, *terms)
            if _shares(rows, found, self.sign * start):
                self._is_proven = True
                return found
        msg = "events asked for once more did not come"
        raise KeyNotUsableError(msg)

    def _with_newest(self, start: int) -> TimePage | None:
        """Fetch a page that shows the newest events besides; None where there is none such."""
        try:
            response = self._pages.fetch(
                either(since(self.mark), until(-start)), max_retry_seconds=PROBE_SECONDS
            )
        except (RefusedError, UnavailableError):
            return None
        times = [self.time(hit) for hit in response.hits]
        newest = [hit for hit in response.hits if self.time(hit) <= -self.mark]
        is_heeded = times == sorted(times) and all(t <= -self.mark or t >= start for t in times)
        if not is_heeded or not (newest or self.has_shown_newest):
            return None
        return TimePage(response, replace(response, hits=response.hits[len(newest) :]), newest)

    def _note_newest(self, found: TimePage, asked: int) -> None:
        self.has_shown_newest = True
        self.newest = len(found.newest)
        self.shows_newest = 2 * self.newest <= self._pages.size
        if found.newest:
            self.mark = max(self.mark, self._mark(found.newest, asked))

    def page_from(self, start: int, *terms: Term) -> TimePage:
        """Fetch the page that begins at a time, counted in the direction of the pages.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time.
            ApiError: If a page cannot be had.
        """
        page = self.asked(*terms, since(start) if self.sign > 0 else until(-start))
        times = [self.time(hit) for hit in page.hits]
        if times and (times[0] < start or times != sorted(times)):
            msg = "the server does not heed a time"
            raise KeyNotUsableError(msg)
        return TimePage(page, page, [])

    def asked(self, *terms: Term, count: int | None = None) -> Page:
        """Fetch a page.

        Raises:
            KeyNotUsableError: If the server does not take a time.
            ApiError: If a page cannot be had.
        """
        if self._is_proven:
            return self._pages.fetch(*terms, count=count)
        try:
            return self._pages.fetch(*terms, count=count, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            msg = f"a time is refused: {error}"
            raise KeyNotUsableError(msg) from error

    def time(self, hit: Hit) -> int:
        """Return the time of an event, counted in the direction of the pages.

        Raises:
            KeyNotUsableError: If it has none.
        """
        moment = time_of(hit)
        if moment is None:
            raise KeyNotUsableError(TIMELESS)
        return self.sign * moment

    def _start(self, rows: Sequence[Spot], back: int) -> int:
        timed = [moment for _, moment in rows if moment is not None]
        return self.sign * timed[-min(back, len(timed))]

    def _mark(self, newest: Sequence[Hit], asked: int) -> int:
        """Return a time from which on only a few events stand; not later than they were asked for.

        An event may be dated to a time that is yet to come.
        """
        most = max(self._pages.size // PART_NEWEST, 1)
        return min(-self.time(newest[min(most, len(newest)) - 1]), asked)


def _shares(rows: Sequence[Spot], found: TimePage, moment: int) -> bool:
    """Return whether a page has one of some rows of a moment."""
    known = {event_id for event_id, one in rows if one == moment}
    return any(event_id_of(hit) in known for hit in found.page.hits if time_of(hit) == moment)


def _now() -> int:
    return time.time_ns() // 1_000_000
