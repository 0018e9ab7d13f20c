"""Showing, when events were read from the first page to the last, that these are all.

Two things may have gone unseen. The last page may be one that the server cut short; and an event
that was edited may have been given the time of the edit, and stand among the newest now, which were
read first. Where the pages themselves show neither, one call asks for both ends at once: for what
stands from the newest event on, and for what stands behind the last one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.events.chain import Chain, is_in_order
from totango_api.reading.events.pages import (
    either,
    event_id_of,
    is_sparse,
    lacking_on,
    rows_on,
    since,
    until,
)
from totango_api.reading.events.times import TimePages
from totango_api.reading.pages import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from totango_api.reading.events.pages import EventPages
    from totango_api.search import Hit, Page

FRONTS: Final = 5
"""How often the newest events are read once more, until they fit on one page."""

MOST_CALLS: Final = 3
"""Of all events, the newest may take so many times as many calls."""


class TimeRead:
    """One read of events that come in the order of their times.

    Args:
        pages: Fetches pages.
        first: The first one, already given.

    Attributes:
        chain: The pages that were read by their places.

    Raises:
        KeyNotUsableError: If its events are not in the order of their times.
    """

    def __init__(self, pages: EventPages, first: Page) -> None:
        self._pages = pages
        self._first = first
        self._times = TimePages(pages, first)
        self.chain = Chain(pages, first, self._times.sign)

    def hits(self) -> Iterator[list[Hit]]:
        """Yield the events after the first page.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time; nothing is lost by then.
            ApiError: If a page cannot be had.
        """
        chain, started = self.chain, _now()
        newest = min(abs(self._times.time(self._first.hits[0])), started)
        yield from chain.hits()
        is_still = chain.has_ended and chain.is_still
        if not chain.has_ended:
            yield from self._times.following(chain.page)
        elif not chain.is_sure:
            if not is_still and (yield from self._both_ends(newest)):
                return
            yield from self._tail()
        if self._times.sign > 0:
            # The newest come last, unless they were there already with a time that is yet to come.
            is_still, newest = self._last_moment() <= started, started
        if not is_still and self._pages.result.missing is not None:
            yield from self._fronts(newest)

    def _last_moment(self) -> int:
        """Return the time from which on the last page was read."""
        reached = self._times.time(self.chain.page.hits[0])
        return reached if self._times.start is None else max(self._times.start, reached)

    def _both_ends(self, newest: int) -> Generator[list[Hit], None, bool]:
        """Ask for what stands before the first event and behind the last one, at once.

        Returns:
            Whether this shows that nothing is missing.
        """
        if self._times.sign > 0:
            return False
        first, last = self._first.hits[0], self.chain.page.hits[-1]
        end = self._times.time(last)
        try:
            page = self._pages.fetch(
                either(since(newest), until(-end)), max_retry_seconds=PROBE_SECONDS
            )
        except (RefusedError, UnavailableError):
            return False
        yield self._pages.new(page)
        is_whole = rows_on(page) < self._pages.size and not lacking_on(page)
        shows_both = {event_id_of(first), event_id_of(last)} <= set(map(event_id_of, page.hits))
        is_whole = is_whole and shows_both and is_in_order(page, self._times.sign)
        moments = [self._times.time(hit) for hit in page.hits] if is_whole else []
        return is_whole and all(one <= -newest or one == end for one in moments)

    def _tail(self) -> Iterator[list[Hit]]:
        """Ask for the last event once more, and for what stands behind it."""
        page = self._times.next(self.chain.page)
        yield self._pages.new(page)
        # Where the newest come last, a few may have come since.
        end = self._times.time(self.chain.page.hits[-1])
        goes_on = self._times.sign < 0 and self._times.time(page.hits[-1]) > end
        if goes_on or not is_sparse(page, self._pages.size) or lacking_on(page):
            yield from self._times.following(page)

    def _fronts(self, newest: int) -> Iterator[list[Hit]]:
        """Ask for the newest events until they fit on one page.

        Where ever more come, the read ends: what is newer than its beginning is left to the next.
        """
        pages, times = self._pages, self._times
        most = MOST_CALLS * times.calls
        for _ in range(FRONTS):
            started = _now()
            page = times.asked(since(newest))
            yield pages.new(page)
            is_passed = times.sign < 0 and page.hits and times.time(page.hits[-1]) > -newest
            if rows_on(page) < pages.size or is_passed:
                return
            yield from times.following(page, since(newest))
            newest = started if times.sign > 0 else min(-times.time(page.hits[0]), started)
            if times.calls > most:
                break
        pages.result.leaves_newer = True


def _now() -> int:
    return time.time_ns() // 1_000_000
