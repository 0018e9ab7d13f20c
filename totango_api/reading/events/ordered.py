"""Reading events that come in the order of their times, page after page, to the end.

A page is asked for by its time, so that nothing that comes or goes elsewhere can push an event from
one page to another; or by its place, without a filter, so that one with room for more is the end of
everything, events without a time included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.events.newest import Horizon, newest_of
from totango_api.reading.events.offsets import FEW, learn_unit, linked_passes
from totango_api.reading.events.pages import (
    event_id_of,
    lacking_behind,
    lacking_on,
    since,
    time_of,
    until,
)
from totango_api.reading.events.places import (
    counts_rows,
    seam_between,
    span_behind,
    spots,
    ties_at_end,
)
from totango_api.reading.events.times import TIMELESS, TimePages
from totango_api.reading.pages import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from totango_api.reading.events.pages import EventPages
    from totango_api.reading.events.places import PageSpan, Seam
    from totango_api.search import Hit, Page

SMALLEST: Final = 200
"""Rows on a page; smaller ones would repeat too much of each other by their places."""

PART_REPEATED: Final = 125
"""By its place, a page repeats at least one row in so many."""

PART_DRIFTED: Final = 40
"""So many more where rows that were read may have gone unseen."""

PART_OF_LAST: Final = 3
"""To show the end, a page repeats one row in so many."""

SURE: Final = 20
"""After so many full pages, one with room for more is not one that the server cut short.

Unless it ends where searches of accounts and users are known to."""

MARGIN: Final = 20
"""One row in so many of a page is kept back of what reading by places may cost."""

SEAMS: Final = 5
"""So many seams that are all exact show that nothing moved."""

ROOMY: Final = 8
"""So many pages in a row that all have room were not all cut short."""


class OrderedRead:
    """One read of events that come in the order of their times.

    Args:
        pages: Fetches pages.
        first: The first one, already given.
        started: When it was asked for, in epoch milliseconds.

    Raises:
        KeyNotUsableError: If its events are not in the order of their times.
    """

    def __init__(self, pages: EventPages, first: Page, started: int) -> None:
        self._pages = pages
        self._first = first
        self._started = started
        self._times = TimePages(pages, first, started)
        self._horizon = Horizon(self._times, first)
        self._rows = spots(first)
        self._reached_from = self._time_of(0)
        self._end = first.rows
        self._full = int(self._end >= pages.size)
        self._roomy = 1 - self._full
        self._exact = 0
        self._asked = 1
        self._is_still = True
        self._is_watched = True
        self._has_places = True
        self._has_ended = False

    def hits(self) -> Iterator[list[Hit]]:
        """Yield the events after the first page.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time; nothing is lost by then.
            ApiError: If a page cannot be had.
        """
        while not self._has_ended:
            span = self._span()
            if span is None or not (yield from self._by_place(span)):
                yield from self._by_time()
        if self._times.sign > 0:
            # The newest come last, unless they were there already with a time that is yet to come.
            self._is_watched = self._reached_from <= self._started
        elif self._exact < SEAMS and not self._times.has_shown_newest:
            self._is_watched = False
        if not self._is_watched and self._pages.result.missing is not None:
            yield from newest_of(self._pages, self._times)

    def _span(self) -> PageSpan | None:
        """Return the place of the next page; None if it is better asked for by its time."""
        size, ties = self._pages.size, ties_at_end(self._rows)
        if not self._has_places:
            return None
        if self._roomy:
            last = self._span_behind(max(size // PART_OF_LAST, ties + 1))
            self._has_places = last.end > self._end
            return last if self._has_places else None
        falls = self._times.sign < 0
        if size < SMALLEST or (falls and not self._is_still):
            return None
        part = PART_REPEATED if falls or self._exact else PART_DRIFTED
        span = self._span_behind(max(size // part, ties + 1))
        if self._full >= SURE:  # it may be the last, and spare a call
            most = self._asked * size + size // MARGIN
            return span if span.end >= most else None
        is_cheap = self._end + size - span.end < ties + self._times.newest
        return span if is_cheap and falls else None

    def _span_behind(self, overlap: int) -> PageSpan:
        pages = self._pages
        return span_behind(self._end, overlap, pages.size, counts_rows=bool(pages.counts_rows))

    def _by_place(self, span: PageSpan) -> Generator[list[Hit], None, bool]:
        """Read a page by its place.

        Returns:
            Whether nothing can lie between it and the rows before.
        """
        pages = self._pages
        try:
            page = pages.fetch(
                offset=span.offset, count=span.count, max_retry_seconds=PROBE_SECONDS
            )
        except (RefusedError, UnavailableError):
            self._has_places = False
            return False
        yield pages.new(page)
        if pages.counts_rows is None and span.offset:
            pages.counts_rows = counts_rows(self._first, page, span)
            if pages.counts_rows:
                again = self._span()
                return again is not None and (yield from self._by_place(again))
        seam = seam_between(self._rows, page, self._end - span.start, self._times.sign)
        if not seam.is_closed:
            self._has_places = False
            return False
        self._note_movement(seam)
        has_room = page.rows < span.count
        if not has_room and not seam.new:
            self._has_places = False  # nothing is gained
            return False
        if not has_room and time_of(page.hits[-1]) is None:
            raise KeyNotUsableError(TIMELESS)
        self._end = span.start + page.rows
        self._take(page)
        self._note_room(has_room=has_room, new=seam.new, page=page)
        return True

    def _note_movement(self, seam: Seam) -> None:
        self._exact += seam.is_exact
        self._is_still = self._is_still and seam.is_exact
        if seam.new != 0 and not self._is_still:
            self._is_watched = False

    def _take(self, page: Page) -> None:
        self._asked += 1
        found = spots(page)
        known = set(found)
        before = [spot for spot in self._rows if spot not in known]
        self._rows = [*before, *found][-2 * self._pages.size :]

    def _note_room(self, *, has_room: bool, new: int | None, page: Page) -> None:
        """Take in whether a page by its place shows the end."""
        if not has_room:
            self._full, self._roomy = (1 if self._roomy else self._full + 1), 0
            return
        self._roomy += 1
        lacking = lacking_behind(page, self._end)
        is_shown = self._roomy > 1 and new is not None and new <= self._few
        is_sure = self._full >= SURE and self._roomy == 1
        is_counted = page.total_hits == self._end
        if self._end == limits.WINDOW_ROWS:  # where other searches end
            self._has_places = False
            return
        self._has_ended = (is_shown or is_sure or is_counted) and not lacking
        self._give_up(lacking)

    @property
    def _few(self) -> int:
        """Rows that may have come at the end since the page before."""
        return max(self._pages.size // FEW, 1) if self._times.sign > 0 else 0

    def _give_up(self, lacking: int) -> None:
        if self._roomy > ROOMY and not self._has_ended:
            self._has_ended = True
            self._pages.note_missing(lacking)

    def _by_time(self) -> Iterator[list[Hit]]:
        """Read a page by its time.

        Raises:
            KeyNotUsableError: If the server does not take or heed a time.
        """
        pages, before = self._pages, self._pages.known
        reached, known = self._time_of(-1), set(self._rows)
        if self._horizon.is_behind(reached):
            pages.result.leaves_newer = self._has_ended = True
            return
        found = self._times.next(self._rows)
        new = pages.new(found.response)
        yield new
        came = {event_id_of(hit) for hit in new}
        self._is_still = self._is_still and came.isdisjoint(map(event_id_of, found.newest))
        if found.newest:
            self._is_watched = True
        elif self._times.sign < 0 and not self._times.shows_newest:
            self._is_watched = False
        self._end += pages.known - before
        self._reached_from = self._times.time(found.page.hits[0])
        behind = len(set(spots(found.page)) - known)
        self._take(found.page)
        if found.response.rows >= pages.size:
            self._full, self._roomy = (1 if self._roomy else self._full + 1), 0
            if self._time_of(-1) == reached:
                yield from self._moment(reached)
            return
        self._roomy += 1
        lacking = lacking_on(found.response)
        if self._roomy > 1 and behind <= self._few and not lacking and not self._has_places:
            yield from self._show_end()
        self._give_up(lacking)

    def _moment(self, reached: int) -> Iterator[list[Hit]]:
        """Read a moment of which there are more events than a page holds, and what follows."""
        pages, moment = self._pages, self._times.sign * reached
        yield from learn_unit(pages, self._first)
        yield from linked_passes(pages, since(moment), until(moment))
        found = self._times.page_from(reached + 1)
        yield pages.new(found.response)
        self._end = pages.known
        if found.page.hits:
            self._take(found.page)
            self._roomy = int(found.page.rows < pages.size)
            return
        yield from self._show_end()
        if not self._has_ended:
            msg = "events stand behind the last moment that can be asked for"
            raise KeyNotUsableError(msg)

    def _show_end(self) -> Iterator[list[Hit]]:
        """Ask for the row behind as many as came: one that did not, and is older, is not the last.

        Raises:
            KeyNotUsableError: If it is an event without a time.
        """
        behind = self._pages.behind()
        new = [] if behind is None else self._pages.new(behind)
        yield new
        if behind is not None and any(time_of(hit) is None for hit in behind.hits):
            raise KeyNotUsableError(TIMELESS)
        self._has_ended = all((time_of(hit) or 0) >= self._started for hit in new)

    def _time_of(self, place: int) -> int:
        timed = [moment for _, moment in self._rows if moment is not None]
        return self._times.sign * timed[place]
