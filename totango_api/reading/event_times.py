"""Reading events by their time: each page begins at the moment at which the one before ended.

Events come in the order of their times. A page is what a query gives first that asks for times
from a moment on, and so cannot be pushed about by what comes and goes before it: an event that
keeps its time is found. One that is edited may be given the time of the edit; so in the end the
newest are read once more.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.event_offsets import learn_unit, linked_passes
from totango_api.reading.event_pages import (
    SPARSE,
    event_id_of,
    is_sparse,
    lacking_on,
    rows_on,
    since,
    time_of,
    until,
)
from totango_api.reading.pages import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.event_pages import EventPages
    from totango_api.search import Hit, Page, Term

BACK: Final = (1, 8, 10**6)
"""How many rows before the end of a page the next one begins, one try after another."""

ATTEMPTS: Final = 3
"""How often a page is asked for that counts more events than it holds."""

FRONTS: Final = 5
"""How often the newest events are read once more, until they fit on one page."""

_TIMELESS: Final = "some have no time"


class TimeRead:
    """One read of events by their times.

    Args:
        pages: Fetches pages.
        first: The first one, already given.

    Raises:
        KeyNotUsableError: If its events are not in the order of their times.
    """

    def __init__(self, pages: EventPages, first: Page) -> None:
        self._pages = pages
        self._first = first
        self._is_proven = False
        self._start: int | None = None
        self._sign = 1
        times = [self._time(hit) for hit in first.hits]
        if times != sorted(times):
            self._sign, times = -1, [-one for one in times]
        if times != sorted(times) or (times and times[0] == times[-1]):
            msg = "they are not in the order of their times"
            raise KeyNotUsableError(msg)

    def hits(self) -> Iterator[list[Hit]]:
        """Yield the events after the first page.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time; nothing is lost by then.
            ApiError: If a page cannot be had.
        """
        pages, page, started = self._pages, self._first, time.time_ns() // 1_000_000
        yield from self._following(page)
        start = self._newest(page, started)
        for _ in range(FRONTS):
            if self._sign > 0 and self._start is not None and self._start <= start:
                return  # its last page was open-ended, and read after all others
            started = time.time_ns() // 1_000_000
            page = self._asked(since(start))
            yield pages.new(page)
            if rows_on(page) < pages.size or (
                self._sign < 0 and self._time(page.hits[-1]) > -start
            ):
                return
            yield from self._following(page, since(start))
            start = self._newest(page, started)
        pages.note_missing(None)

    def _newest(self, page: Page, now: int) -> int:
        """Return a moment before which no event is given a time from now on."""
        if self._sign > 0:
            return now
        return min(-self._time(page.hits[0]), now)

    def _following(self, page: Page, *terms: Term) -> Iterator[list[Hit]]:
        """Yield all events after a page."""
        sparse = 0
        while page.hits and sparse < SPARSE and (terms or not self._is_last(page)):
            reached = self._time(page.hits[-1])
            for _ in range(ATTEMPTS):
                following = self._next(page, terms)
                yield self._pages.new(following)
                goes_on = self._time(following.hits[-1]) > reached
                if goes_on or not lacking_on(following):
                    break
            if not goes_on and rows_on(following) < self._pages.size:
                self._pages.note_missing(lacking_on(following))
                return
            page = following
            is_thin = is_sparse(page, self._pages.size) and not lacking_on(page)
            sparse = sparse + 1 if is_thin else 0
            if not goes_on:  # there are more at this moment than a page holds
                moment = self._sign * reached
                yield from learn_unit(self._pages, self._first)
                yield from linked_passes(self._pages, *terms, since(moment), until(moment))
                page = self._asked(*terms, self._from(reached + 1))
                yield self._pages.new(page)

    def _is_last(self, page: Page) -> bool:
        """Return whether nothing stands behind all events: not even one without a time.

        Raises:
            KeyNotUsableError: If there is such a one.
        """
        if rows_on(page) >= self._pages.size or lacking_on(page):
            return False
        behind = self._pages.behind()
        if behind is None:
            return False
        if any(time_of(hit) is None for hit in behind.hits):
            raise KeyNotUsableError(_TIMELESS)
        return rows_on(behind) == 0

    def _next(self, page: Page, terms: tuple[Term, ...]) -> Page:
        """Fetch the page after one: it begins with a row of that."""
        for back in BACK:
            start = self._time(page.hits[-min(back, len(page.hits))])
            following = self._asked(*terms, self._from(start))
            self._start = self._sign * start
            times = [self._time(hit) for hit in following.hits]
            if times and (times[0] < start or times != sorted(times)):
                msg = "the server does not heed a time"
                raise KeyNotUsableError(msg)
            before, after = (
                {event_id_of(hit) for hit in one.hits if self._time(hit) == start}
                for one in (page, following)
            )
            if before & after:
                self._is_proven = True
                return following
        msg = "events asked for once more did not come"
        raise KeyNotUsableError(msg)

    def _from(self, start: int) -> Term:
        return since(start) if self._sign > 0 else until(-start)

    def _asked(self, *terms: Term) -> Page:
        """Fetch a page; say so if the server does not take a time."""
        if self._is_proven:
            return self._pages.fetch(*terms)
        try:
            return self._pages.fetch(*terms, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            msg = f"a time is refused: {error}"
            raise KeyNotUsableError(msg) from error

    def _time(self, hit: Hit) -> int:
        """Return the time of an event, counted in the direction of the pages."""
        moment = time_of(hit)
        if moment is None:
            raise KeyNotUsableError(_TIMELESS)
        return self._sign * moment
