"""Reading events by offsets: overlapping pages, whether an offset counts pages or rows.

The documentation calls `offset` a page number; where it is one, pages overlap because each is a
little smaller than the one before. As long as a row of one page is found again in the next, nothing
slipped between them. Of events at one moment, which may change places, several have to be found in
order.
"""

from __future__ import annotations

import logging
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.reading.deduplication import KeySet
from totango_api.reading.events.pages import SPARSE, event_id_of, is_sparse, rows_on, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.events.pages import EventPages
    from totango_api.search import Hit, Page, Term

logger = logging.getLogger(__name__)

OVERLAP: Final = 3
"""Rows that a page repeats of the one before."""

PASSES: Final = 8
"""Passes over the same pages, one of which must show that nothing slipped through."""

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
    pages.counts_rows = counts_rows(first, page, count)


def counts_rows(first: Page, page: Page, count: int) -> bool:
    """Return whether offsets count rows, by a page of so many rows at offset 1."""
    places = {event_id_of(hit): place for place, hit in enumerate(first.hits)}
    shifts = [
        places[event_id] - place
        for place, hit in enumerate(page.hits)
        if (event_id := event_id_of(hit)) in places
    ]
    shift = statistics.median_low(shifts or [count])
    if is_by_row := 2 * shift < count + 1:
        logger.info("Event offsets count rows here, not pages as documented.")
    return is_by_row


def linked_passes(
    pages: EventPages, *terms: Term, down_to: int | None = None
) -> Iterator[list[Hit]]:
    """Yield the events of a query, read until it is established that these are all; or say not.

    Every seam of a pass shows it; or that as many events came as stand before the end, which has
    not moved since the pass before.

    Args:
        pages: Fetches pages.
        terms: Which events, beside those of the query.
        down_to: A moment; older events need not be read.

    Raises:
        ApiError: If a page cannot be had.
    """
    known, end = KeySet(), None
    try:
        for _ in range(PASSES):
            reading = OffsetRead(pages, known, terms, down_to)
            yield from reading.hits()
            # A count is no proof where events went: some of those that came are not there any more.
            is_counted = reading.has_ended and len(known) == reading.end == end
            end = reading.end
            if reading.is_linked or is_counted:
                is_cut = reading.end == limits.WINDOW_ROWS  # where other searches end
                pages.note_missing(None if is_cut else 0 if down_to else reading.lacking)
                return
        pages.note_missing(None)
    finally:
        known.close()


@dataclass(frozen=True)
class PageSpan:
    """Where a page stands: its offset, its size, and its first row."""

    offset: int
    count: int
    start: int


class OffsetRead:
    """One pass over the pages of a query.

    Args:
        pages: Fetches them.
        known: Takes in which events came.
        terms: Which events, beside those of the query.
        down_to: A moment; older events need not be read.

    Attributes:
        is_linked: Whether nothing can have slipped between two pages.
        has_ended: Whether the last page is one that has room for more.
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
        self.is_linked = True
        self.has_ended = False
        self.end = 0
        self.lacking = 0

    def hits(self) -> Iterator[list[Hit]]:
        """Yield the new events of each page.

        Raises:
            ApiError: If a page cannot be had.
        """
        page, passed = self._pages.fetch(*self._terms), KeySet()
        yield self._taken(page, passed)
        self.end, before, sparse = rows_on(page), 0, 0
        # A page that brings nothing shows that nothing comes after it.
        while len(passed) > before and sparse < SPARSE and not self._is_older(page):
            before = len(passed)
            for overlap in self._overlaps():
                place = self._place(overlap)
                following = self._pages.fetch(*self._terms, offset=place.offset, count=place.count)
                yield self._taken(following, passed)
                if are_linked(page, following):
                    break
            else:
                self.is_linked = False
            self.has_ended = 0 < rows_on(following) < place.count
            if len(passed) == before and not self.has_ended:
                # No end looks like that: an offset counts something else than it was taken to.
                self.is_linked = False
                self._pages.counts_rows = not self._pages.counts_rows
            page, self.end = following, place.start + rows_on(following)
            is_small = 2 * place.count < self._pages.size  # too small to tell
            sparse = sparse + 1 if is_sparse(following, place.count) and not is_small else 0
            self.lacking = max((following.total_hits or 0) - self.end, 0)
        passed.close()

    def _is_older(self, page: Page) -> bool:
        moments = (time_of(hit) or 0 for hit in page.hits)
        return self._down_to is not None and any(one < self._down_to for one in moments)

    def _taken(self, page: Page, passed: KeySet) -> list[Hit]:
        keys = [(event_id_of(hit) or repr(hit),) for hit in page.hits]
        passed.add_all(keys)
        self._known.add_all(keys)
        return self._pages.new(page)

    def _overlaps(self) -> tuple[int, ...]:
        """Return by how much pages overlap, one try after another."""
        half = max(self._pages.size // 2, 1)
        return tuple(sorted({min(one, half) for one in (OVERLAP, 8 * OVERLAP, half)}))

    def _place(self, overlap: int) -> PageSpan:
        """Return the place of a page that repeats some rows, as far as there is one."""
        size = self._pages.size
        span = span_behind(self.end, overlap, size, counts_rows=bool(self._pages.counts_rows))
        if span.start + span.count > self.end:
            return span
        number = self.end // size
        return PageSpan(number, size, number * size)


def span_behind(end: int, overlap: int, size: int, *, counts_rows: bool) -> PageSpan:
    """Return the place of a page that repeats some rows of the one that ends at a place.

    Args:
        end: Rows up to the end of that one.
        overlap: Rows to repeat, at least.
        size: Rows on a page, at most.
        counts_rows: Whether an offset counts rows, not pages.
    """
    start = max(end - overlap, 0)
    if counts_rows:
        return PageSpan(start, size, start)
    number = max(-(-start // size), 1)
    count = start // number
    return PageSpan(number, count, count * number)


def are_linked(before: Page, after: Page) -> bool:
    """Return whether nothing can lie between two pages, read one after the other."""
    if not before.hits:
        return True
    first, second = (
        [(event_id_of(hit), time_of(hit)) for hit in page.hits] for page in (before, after)
    )
    last, known = time_of(before.hits[-1]), set(first)
    if any(moment not in {None, last} for _, moment in known.intersection(second)):
        return True
    if not second or second[0] not in known:
        return False
    tail = first[first.index(second[0]) :]
    return tail == second[: len(tail)] and len(tail) >= min(2, len(first))
