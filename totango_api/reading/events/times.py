"""Reading events by their time: each page begins at the moment at which the one before ended.

Events come in the order of their times. A page is what a query gives first that asks for times
from a moment on, and so cannot be pushed about by what comes and goes before it: an event that
keeps its time is found.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.events.offsets import learn_unit, linked_passes
from totango_api.reading.events.pages import (
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

    from totango_api.reading.events.pages import EventPages
    from totango_api.search import Hit, Page, Term

BACK: Final = (1, 8, 10**6)
"""How many rows before the end of a page the next one begins, one try after another."""

ATTEMPTS: Final = 3
"""How often a page is asked for that counts more events than it holds."""

FIRST_LOOK: Final = 32
"""Calls after which a read of which no end is in sight looks ahead for the first time."""

FARTHER: Final = 2
"""It looks so many times as far ahead as its last calls came, then twice that if it is too near."""

_TIMELESS: Final = "some have no time"


class TimePages:
    """Fetches pages of events by their times.

    Args:
        pages: Fetches pages.
        first: The first one, already given.

    Attributes:
        sign: 1 where the oldest come first, -1 where the newest do.
        start: The time from which on the last page was asked for, counted in that direction.

    Raises:
        KeyNotUsableError: If its events are not in the order of their times.
    """

    def __init__(self, pages: EventPages, first: Page) -> None:
        self._pages = pages
        self._first = first
        self._is_proven = False
        self.sign = 1
        self.start: int | None = None
        times = [self.time(hit) for hit in first.hits]
        if times != sorted(times):
            self.sign, times = -1, [-one for one in times]
        if times != sorted(times) or (times and times[0] == times[-1]):
            msg = "they are not in the order of their times"
            raise KeyNotUsableError(msg)

    def following(self, page: Page, *terms: Term) -> Iterator[list[Hit]]:
        """Yield all events after a page.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time; nothing is lost by then.
            ApiError: If a page cannot be had.
        """
        sparse, stalls, horizon = 0, 0, Horizon(self, terms)
        while page.hits:
            reached = self.time(page.hits[-1])
            behind = None if terms or self._is_full(page) else self._behind()
            is_cut = any(self.time(hit) > reached for hit in behind or ()) and self.sign < 0
            sparse = 0 if is_cut else sparse
            if sparse >= SPARSE or behind == []:
                return
            if self.sign > 0 and horizon.is_behind(reached):
                self._pages.result.leaves_newer = True
                return
            for _ in range(ATTEMPTS):
                following = self.next(page, *terms)
                yield self._pages.new(following)
                goes_on = self.time(following.hits[-1]) > reached
                if goes_on or not lacking_on(following):
                    break
            if not goes_on and rows_on(following) < self._pages.size:
                stalls += 1
                if is_cut and stalls < ATTEMPTS:
                    continue
                self._pages.note_missing(None if is_cut else lacking_on(following))
                return
            page = following
            is_thin = is_sparse(page, self._pages.size) and not lacking_on(page)
            sparse = sparse + 1 if is_thin else 0
            if not goes_on:  # there are more at this moment than a page holds
                moment = self.sign * reached
                yield from learn_unit(self._pages, self._first)
                yield from linked_passes(self._pages, *terms, since(moment), until(moment))
                page = self._from(reached + 1, *terms)
                yield self._pages.new(page)

    def _is_full(self, page: Page) -> bool:
        return rows_on(page) >= self._pages.size or lacking_on(page) > 0

    def _behind(self) -> list[Hit] | None:
        """Return what stands behind all events, filtered by no time; None if nobody knows.

        Raises:
            KeyNotUsableError: If it is an event without a time.
        """
        behind = self._pages.behind()
        if behind is None or behind.odd_hits:
            return None
        if any(time_of(hit) is None for hit in behind.hits):
            raise KeyNotUsableError(_TIMELESS)
        return behind.hits

    def next(self, page: Page, *terms: Term) -> Page:
        """Fetch the page after one: it begins with a row of that.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time.
            ApiError: If a page cannot be had.
        """
        for back in BACK:
            start = self.time(page.hits[-min(back, len(page.hits))])
            following = self._from(start, *terms)
            before, after = (
                {event_id_of(hit) for hit in one.hits if self.time(hit) == start}
                for one in (page, following)
            )
            if before & after:
                self._is_proven = True
                return following
        msg = "events asked for once more did not come"
        raise KeyNotUsableError(msg)

    def _from(self, start: int, *terms: Term) -> Page:
        """Fetch the page that begins at a time, counted in the direction of the pages."""
        page = self.asked(*terms, since(start) if self.sign > 0 else until(-start))
        self.start = start
        times = [self.time(hit) for hit in page.hits]
        if times and (times[0] < start or times != sorted(times)):
            msg = "the server does not heed a time"
            raise KeyNotUsableError(msg)
        return page

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

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._pages.result.calls

    def time(self, hit: Hit) -> int:
        """Return the time of an event, counted in the direction of the pages.

        Raises:
            KeyNotUsableError: If it has none.
        """
        moment = time_of(hit)
        if moment is None:
            raise KeyNotUsableError(_TIMELESS)
        return self.sign * moment


class Horizon:
    """Where a read towards the newest events ends, though more come than it can read.

    Now and then it looks ahead: where nothing stands yet, everything lies before that moment that
    was there when the read began, unless it was edited since.

    Args:
        times: Fetches pages.
        terms: Which events, beside those of the query.
    """

    def __init__(self, times: TimePages, terms: tuple[Term, ...]) -> None:
        self._times = times
        self._terms = terms
        self._next_look = FIRST_LOOK
        self._farther = FARTHER
        self._mark: int | None = None
        self._end: float = math.inf

    def is_behind(self, reached: int) -> bool:
        """Return whether a read that has reached a time has passed the end."""
        calls = self._times.calls
        if self._mark is None and 2 * calls >= self._next_look:
            self._mark = reached
        if self._mark is not None and calls >= self._next_look:
            moment = reached + self._farther * max(reached - self._mark, 1)
            if rows_on(self._times.asked(*self._terms, since(moment), count=1)):
                self._farther *= 2
            else:
                self._end = min(self._end, moment)
            self._next_look, self._mark = 2 * calls, None
        return reached > self._end
