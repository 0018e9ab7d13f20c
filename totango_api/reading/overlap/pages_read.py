"""One pass over a query, page by page, on a tenant that may change between two pages.

Each page begins some rows before the end of the one before (`seam`). The rows that one query
reaches are limited (`limits.WINDOW_ROWS`); asked for in ascending and in descending order, twice as
many can be had, and the middle is a seam like any other. Pages are asked for from the middle
outwards: there it shows first that rows move.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from typing import TYPE_CHECKING, Final

from totango_api.reading.deduplication import KeySet
from totango_api.reading.overlap.seams import PageChain, Place, largest_group, slice_of
from totango_api.search import ASCENDING, DESCENDING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from totango_api.reading.pages import Pages
    from totango_api.search import Page, Query

logger = logging.getLogger(__name__)

OVERLAP: Final = 0.01
"""Share of a page that the next one repeats."""

BRIDGES: Final = 3
"""Pages asked for between two whose seam is open, before it is given up."""

TIED: Final = 0.9
"""Share of a page that may have the same name: pages overlap by less."""

APART: Final = 3
"""Calls that may lie between two neighbours: so often may rows have moved before the second."""


class PagesRead:
    """One pass over the pages of a query.

    Args:
        pages: Fetches them.
        query: What to read.
        first: Its first page, already fetched.
        overlap: Rows that each page repeats of the one before, at least.
        stops_when_moved: Whether to stop as soon as rows were seen to move.

    Attributes:
        total: Rows counted by the first response; None if the server does not count.
        rows: Different rows.
        unreadable: Rows without a key, or that are not objects.
        missing: Rows behind the last page by its own count; None where no end was reached.
    """

    def __init__(
        self,
        pages: Pages,
        query: Query,
        first: Page,
        *,
        overlap: int = 2,
        stops_when_moved: bool = False,
    ) -> None:
        self._pages = pages
        self._query = query
        self._first = first
        self._stops_when_moved = stops_when_moved
        self._counts: dict[Place, int | None] = {}
        self._keys = KeySet()
        self._largest_group = largest_group(first)
        least = max(math.ceil(pages.size * OVERLAP), overlap, self._largest_group + 1)
        self._step = max(pages.size - min(least, pages.size // 2), 1)
        self._chain = PageChain(self._plan())
        self.total = first.total_hits
        self.rows = 0
        self.unreadable = 0
        self.missing: int | None = 0
        self._end = 0

    @property
    def seams(self) -> int:
        """Seams between the pages read."""
        return len(self._chain) - 1

    @property
    def totals(self) -> set[int | None]:
        """What the responses counted."""
        return set(self._counts.values())

    @property
    def has_moved(self) -> bool:
        """Whether rows were seen to come, to go or to change places."""
        return self.totals != {self.total} or self._chain.has_moved

    @property
    def moves(self) -> int:
        """Rows that were seen to come or to go, at least."""
        counts = [count for count in self._counts.values() if count is not None] or [0]
        return max(max(counts) - min(counts), int(self.has_moved))

    @property
    def wide_overlap(self) -> int:
        """Rows by which pages have to overlap so that their seams close, by what was seen."""
        at_a_call = math.ceil(self.moves / max(len(self._counts) - 1, 1))
        return self._largest_group + 1 + APART * at_a_call

    @property
    def is_tied(self) -> bool:
        """Whether all rows of a page have one name: where rows move, no seam closes."""
        return self._largest_group >= max(TIED * self._pages.size, 2)

    @property
    def last_total(self) -> int | None:
        """What the last response counted."""
        return list(self._counts.values())[-1]

    @property
    def is_linked(self) -> bool:
        """Whether no row that kept its name can have slipped between two pages."""
        return not self._chain.open and self.missing == 0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was seen to move, and every response counted just the rows that came."""
        return (
            not self.has_moved and self.missing == 0 and self.rows + self.unreadable == self.total
        )

    @property
    def is_overcounted(self) -> bool:
        """Whether each place up to the end held another row, and every response counted more."""
        is_full = self.rows + self.unreadable == self._end and not self._pages.is_one_way
        return is_full and self._end < (self.total or 0) and self.totals == {self.total}

    def pages(self) -> Iterator[Page]:
        """Yield each page.

        Raises:
            ApiError: If a page cannot be had.
        """
        try:
            yield from self._planned()
            if not (self._stops_when_moved and self.has_moved):
                yield from self._to_the_end()
                if not (self.is_tied and len(self.totals) > 1):
                    yield from self._bridged()
        finally:
            self._keys.close()

    # What is expected -------------------------------------------------------------------------

    def _plan(self) -> list[Place]:
        """Return the places of all pages, by the count of the first one."""
        pages, total = self._pages, self._first.total_hits
        if total is None:
            return [Place(0)]
        if total < pages.reach or pages.is_one_way:
            # Room for one row more than there are: a page that is not full is the last one.
            return [Place(offset) for offset in self._offsets(min(total + 1, pages.reach))]
        # A last page in ascending order that reached just to the limit would bring few rows.
        end = (pages.reach - pages.size) // self._step * self._step + pages.size
        overlap = pages.size - self._step
        if total - end > end - overlap:
            end = pages.reach
        beyond = min(total - end + overlap, pages.reach)
        ascending = [Place(offset) for offset in self._offsets(end)]
        return ascending + [Place(one, DESCENDING) for one in self._offsets(beyond)][::-1]

    def _offsets(self, end: float) -> list[int]:
        """Return the offsets of overlapping pages up to an end."""
        offsets = [0]
        while offsets[-1] + self._pages.size < end:
            offsets.append(self._following(offsets[-1]))
        return offsets

    def _following(self, offset: int) -> int:
        """Return the offset of the next page, which must not reach over the window."""
        return int(max(min(offset + self._step, self._pages.reach - self._pages.size), 0))

    def _planned(self) -> Iterator[Page]:
        places = self._chain.from_the_middle()
        yield self._taken(Place(0), self._first)
        waiting: deque[tuple[Place, Future[Page]]] = deque()
        done = 0
        try:
            while places or waiting:
                # Slow at first: should rows turn out to move, what is under way is for nothing.
                at_once = 1 + (done // 2 if self._stops_when_moved else done)
                while places and len(waiting) < min(self._pages.paging.in_flight, at_once):
                    place = places.pop(0)
                    page = self._pages.start(self._query, place.offset, place.order)
                    waiting.append((place, page))
                place, future = waiting.popleft()
                yield self._taken(place, future.result())
                done += 1
                if (self._stops_when_moved and self.has_moved) or self._is_one_way(place):
                    return
        finally:
            for _, future in waiting:
                future.cancel()

    # What was not -----------------------------------------------------------------------------

    def _to_the_end(self) -> Iterator[Page]:
        """Fetch pages until one is not full, or until both orders have met."""
        while (place := self._next()) is not None:
            after = self._chain.ends[0]
            self._chain.insert(place, after=after)
            yield self._taken(place, self._pages.fetch(self._query, place.offset, place.order))
            self._is_one_way(place)

    def _next(self) -> Place | None:
        """Return where the next page stands: after the last one, or between both orders."""
        last, descending = self._chain.ends
        rows = self._chain.rows_at(last)
        if descending is not None:
            following = self._following(descending.offset)
            met = (last, descending) not in self._chain.open
            return None if met or following == descending.offset else Place(following, DESCENDING)
        if len(rows.rows) < self._pages.size:
            self.missing = max((self._counts[last] or 0) - rows.end, 0)
            return None
        if (following := self._following(last.offset)) > last.offset:
            return Place(following)
        if not self._pages.is_one_way:
            return Place(0, DESCENDING)
        self.missing = None if self.total is None else max(self.total - rows.end, 1)
        return None

    def _is_one_way(self, place: Place) -> bool:
        """Return whether the page from the other end is but the first one."""
        if place != Place(0, DESCENDING):
            return False
        first, last = (set(self._chain.rows_at(one).rows) for one in (Place(0), place))
        if 2 * len(first & last) <= len(first):
            return False
        logger.info("The server does not sort in descending order.")
        self._pages.is_one_way = True
        self._chain.drop_descending()
        return True

    def _bridged(self) -> Iterator[Page]:
        """Fetch pages between neighbours that do not overlap: rows before them went away."""
        for left, right in list(self._chain.open):
            yield from self._between(left, right)

    def _between(self, left: Place, right: Place) -> Iterator[Page]:
        for number in range(1, BRIDGES + 1):
            if left.order != right.order or (left, right) not in self._chain.open:
                return
            far = max(left.offset, right.offset)
            back = number * self._pages.size // (BRIDGES + 1)
            place = Place(max(far - back, 0), left.order)
            if place in self._chain:
                return
            self._chain.insert(place, after=left)
            yield self._taken(place, self._pages.fetch(self._query, place.offset, place.order))
            if (left, place) in self._chain.open:
                right = place
            else:
                left = place

    def _taken(self, place: Place, page: Page) -> Page:
        """Take in a page, and return it."""
        self._counts[place] = page.total_hits
        self._largest_group = max(self._largest_group, largest_group(page))
        is_ascending = place.order == ASCENDING
        start = place.offset if is_ascending else (page.total_hits or 0) - place.offset - page.rows
        self._end = max(self._end, start + page.rows if page.rows else 0)
        self._chain.put(place, slice_of(page, start, place.order))
        keys = [key for key in page.keys if key is not None]
        self.rows += sum(self._keys.add_all(keys))
        self.unreadable += page.rows - len(keys)
        return page
