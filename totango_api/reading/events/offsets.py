"""Reading events by offsets: overlapping pages, whether an offset counts pages or rows.

The documentation calls `offset` a page number; where it is one, pages overlap because each is a
little smaller than the one before. As long as a row of one page is found again in the next, nothing
slipped between them. Of events at one moment, which may change places, several have to be found in
order.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.reading.deduplication import KeySet
from totango_api.reading.events.pages import event_id_of, time_of
from totango_api.reading.events.places import (
    PageSpan,
    counts_rows,
    reaches_end,
    span_behind,
    spots,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.events.pages import EventPages
    from totango_api.search import Hit, Page, Term

logger = logging.getLogger(__name__)

OVERLAP: Final = 3
"""Rows that a page repeats of the one before.

As many have to be found in order, where all are of one moment: two come so by chance where the
order of a moment changes from call to call.
"""

PASSES: Final = 8
"""Passes over the same pages, one of which must show that nothing slipped through."""

LOOK: Final = 32
"""After so many pages a pass looks whether it has come half the way."""

STALE: Final = 2
"""So many pages in a row that bring nothing new, or repeat one with room, end a pass."""

FEW: Final = 32
"""One row in so many of a page may have come at the end since the page before."""

FIRST_ROWS: Final = 500
"""Rows by which it is told what an offset counts."""


def learn_unit(pages: EventPages, first: Page) -> Iterator[list[Hit]]:
    """Find out whether an offset counts pages or rows; yield what comes by the way.

    Args:
        pages: Fetches pages.
        first: The first page.

    Raises:
        ApiError: If a page cannot be had.
    """
    if pages.counts_rows is not None:
        return
    count = max(min(len(first.hits) // 2, FIRST_ROWS), 2)
    page = pages.fetch(offset=1, count=count)
    yield pages.new(page)
    pages.counts_rows = counts_rows(first, page, PageSpan(1, count, count))


def linked_passes(
    pages: EventPages, *terms: Term, first: Page | None = None, down_to: int | None = None
) -> Iterator[list[Hit]]:
    """Yield the events of a query, read until it is established that these are all; or say not.

    Every seam of a pass shows it; or that as many events came as stand before the end, which has
    not moved since the pass before.

    Args:
        pages: Fetches pages.
        terms: Which events, beside those of the query.
        first: The first page, where it was given already.
        down_to: A moment; older events need not be read.

    Raises:
        ApiError: If a page cannot be had.
    """
    known, end = KeySet(), None
    try:
        for _ in range(PASSES):
            reading = OffsetRead(pages, known, terms, down_to)
            yield from reading.hits(first)
            first, is_shown = None, reading.is_linked and reading.has_ended
            # A count is no proof where events went: some of those that came are not there any more.
            if not is_shown and len(known) == reading.end == end:
                is_shown = not pages.fetch(*terms, offset=end, count=1).rows
            end = reading.end
            if is_shown:
                is_cut = reading.end == limits.WINDOW_ROWS  # where other searches end
                pages.note_missing(None if is_cut else 0 if down_to else reading.lacking)
                return
        pages.note_missing(None)
    finally:
        known.close()


class OffsetRead:
    """One pass over the pages of a query.

    Args:
        pages: Fetches them.
        known: Takes in which events came.
        terms: Which events, beside those of the query.
        down_to: A moment; older events need not be read.

    Attributes:
        is_linked: Whether nothing can have slipped between two pages.
        has_ended: Whether the last page showed the end once more, with room behind it.
        end: Rows up to the end of the last page.
        lacking: Events that the last response counts beyond its own end.
    """

    def __init__(
        self, pages: EventPages, known: KeySet, terms: tuple[Term, ...], down_to: int | None
    ) -> None:
        self._pages = pages
        self._known = known
        self._terms = terms
        self._down_to = down_to
        self._steps = 0
        self._farthest: int | None = None
        self.is_linked = True
        self.has_ended = False
        self.end = 0
        self.lacking = 0

    def hits(self, first: Page | None = None) -> Iterator[list[Hit]]:
        """Yield the new events of each page.

        Args:
            first: The first page, where it was given already.

        Raises:
            ApiError: If a page cannot be had.
        """
        page, passed = first or self._pages.fetch(*self._terms), KeySet()
        yield self._taken(page, passed)
        self.end, stale, roomy = page.rows, 0, int(page.rows < self._pages.size)
        while not self.has_ended and stale < STALE and roomy <= STALE:
            before = len(passed)
            for overlap in self._overlaps(has_room=roomy > 0)[: None if self.is_linked else 1]:
                place = self._place(overlap)
                following = self._pages.fetch(*self._terms, offset=place.offset, count=place.count)
                yield self._taken(following, passed)
                if are_linked(page, following):
                    break
            else:
                self.is_linked = False
            has_room = following.rows < place.count
            is_reached = bool(page.hits) and reaches_end(spots(page), spots(following))
            few = max(self._pages.size // FEW, 1)
            is_shown = len(passed) <= before + few and is_reached
            stale = stale + 1 if len(passed) == before else 0
            self.has_ended = roomy > 0 and has_room and is_shown
            roomy = roomy + 1 if has_room else 0
            if stale and not has_room:
                self._doubt_unit()  # no end looks like that
            page = following if following.hits else page
            self.end = place.start + following.rows
            self.lacking = max((following.total_hits or 0) - self.end, 0)
            self.has_ended = self.has_ended or self._is_older(page) or self._is_behind_all()
        passed.close()

    def _is_behind_all(self) -> bool:
        """Return whether the pass is behind all that was there when it last looked ahead.

        Where more come at the end than it reads, it would not end.
        """
        self._steps += 1
        if self._steps % LOOK == 0 and self._farthest is None:
            ahead = self._pages.fetch(*self._terms, offset=2 * self.end, count=1)
            self._farthest = None if ahead.rows else 2 * self.end
        is_behind = self._farthest is not None and self.end > self._farthest
        if is_behind:
            last = self._pages.fetch(*self._terms, offset=self.end - 1, count=1)
            if last.rows:
                self._pages.result.leaves_newer = True
            else:
                self._doubt_unit()  # no row stands where the last one came from
        return is_behind

    def _doubt_unit(self) -> None:
        """Take offsets to count the other thing from now on: this pass shows nothing."""
        self.is_linked = False
        self._pages.counts_rows = not self._pages.counts_rows

    def _is_older(self, page: Page) -> bool:
        moments = (time_of(hit) or 0 for hit in page.hits)
        return self._down_to is not None and any(one < self._down_to for one in moments)

    def _taken(self, page: Page, passed: KeySet) -> list[Hit]:
        keys = [(event_id_of(hit) or repr(hit),) for hit in page.hits]
        passed.add_all(keys)
        self._known.add_all(keys)
        return self._pages.new(page)

    def _overlaps(self, *, has_room: bool) -> tuple[int, ...]:
        """Return by how much pages overlap, one try after another.

        A page that had room is repeated in part: one that was cut short, too, ends elsewhere.
        """
        half, third = (max(self._pages.size // part, 1) for part in (2, 3))
        least = (third,) if has_room else (OVERLAP, 8 * OVERLAP)
        return tuple(sorted({min(one, half) for one in (*least, half)}))

    def _place(self, overlap: int) -> PageSpan:
        """Return the place of a page that repeats some rows, as far as there is one."""
        size = self._pages.size
        span = span_behind(self.end, overlap, size, counts_rows=bool(self._pages.counts_rows))
        if span.start + span.count > self.end:
            return span
        number = self.end // size
        return PageSpan(number, size, number * size)


def are_linked(before: Page, after: Page) -> bool:
    """Return whether nothing can lie between two pages, read one after the other."""
    if not before.hits:
        return True
    first, second = spots(before), spots(after)
    last, known = time_of(before.hits[-1]), set(first)
    if any(moment not in {None, last} for _, moment in known.intersection(second)):
        return True
    if not second or second[0] not in known:
        return False
    tail = first[first.index(second[0]) :]
    return tail == second[: len(tail)] and len(tail) >= min(OVERLAP, len(first))
