"""Reading one query to its end: pages fetched ahead, rows told apart by key.

The rows that one query can reach are limited (`limits.WINDOW_ROWS`); read once in ascending
and once in descending order, twice as many can be had.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.errors import ApiError, AuthenticationError
from totango_api.search.query import ASCENDING, DESCENDING, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

    from totango_api.reading.deduplication import Part, Seen
    from totango_api.search.endpoint import Hit, Page, Search

logger = logging.getLogger(__name__)

PROBE_SECONDS: Final = 20.0
"""How long a call is retried that a server may well refuse by a 5xx."""


@dataclass(frozen=True)
class Paging:
    """How pages are asked for.

    Attributes:
        page_size: Rows on a page, at most `limits.PAGE_ROWS`.
        window: Rows that one query can reach.
        in_flight: Pages fetched at once.
    """

    page_size: int = limits.PAGE_ROWS
    window: int = limits.WINDOW_ROWS
    in_flight: int = 4


@dataclass
class Tally:
    """What reading one query came to.

    Attributes:
        total: Rows the server counted, by its last answer; None if it did not count.
        steady: Whether every answer counted the same.
        fell: Whether an answer counted fewer rows than the one before: where rows go away, the
            pages after them move up, and rows are passed over.
        miscounted: Whether it turned out that the server does not count all rows.
        part: Counts the rows that were told apart.
        keyless: Rows without a key, which are of no use to anybody.
        odd: Rows that were not even objects.
        repeated: Rows whose key had been seen before in this query.
        ended: Whether the server itself came to an end, by a short or an empty page.
        straddling: Names that two pages share. Rows that sort alike may come in another order
            for each page, and then one comes twice and another one not at all.
    """

    part: Part
    total: int | None = None
    steady: bool = True
    fell: bool = False
    miscounted: bool = False
    keyless: int = 0
    odd: int = 0
    repeated: int = 0
    ended: bool = False
    straddling: set[str] = field(default_factory=set)
    _last_names: dict[str, str] = field(default_factory=dict)

    def turned(self, order: str, page: Page) -> None:
        """Take in the names at the edges of a page, in the order in which pages are read."""
        first, last = _first_name(page.hits), _first_name(reversed(page.hits))
        if first is None or last is None:
            return
        if self._last_names.get(order) == first:
            self.straddling.add(first)
        self._last_names[order] = last

    def met(self) -> None:
        """Take in that pages in both orders have come to the same place."""
        self.straddling.update(self._last_names.values())

    @property
    def rows(self) -> int:
        """Rows that were told apart."""
        return self.part.rows + self.keyless

    @property
    def missing(self) -> int:
        """Rows that the server counts and that were not seen."""
        return max((self.total or 0) - self.rows - self.odd, 0)

    @property
    def complete(self) -> bool:
        """Whether everything that the server counts was seen; without a count, its end."""
        if self.fell:
            return False
        return self.missing == 0 if self.total is not None else self.ended

    def counted(self, total: int | None) -> None:
        """Take in what an answer counted."""
        if total is None or self.miscounted:
            return
        if self.total is not None and total != self.total:
            self.steady = False
            self.fell = self.fell or total < self.total
        self.total = total


def _first_name(hits: Iterable[Hit]) -> str | None:
    names = (hit.get("display_name") for hit in hits)
    return next((name for name in names if isinstance(name, str)), None)


class QueryReader:
    """Reads queries of one search endpoint, page by page.

    Args:
        search: The endpoint.
        paging: How pages are asked for.
        pool: Where pages are fetched ahead.
        seen: Tells rows apart.
    """

    def __init__(
        self, search: Search, paging: Paging, pool: ThreadPoolExecutor, seen: Seen
    ) -> None:
        self.search = search
        self.paging = paging
        self._pool = pool
        self._seen = seen
        self._counts_beyond = False
        self._probed: Page | None = None
        self.window: float = paging.window
        self.one_way = False

    def first(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        """Fetch the first page of a query."""
        page = self._fetch(query, 0, ASCENDING, max_retry_seconds)
        if (page.total_hits or 0) > self.paging.window:
            self._counts_beyond = True
        return page

    def rows(self, query: Query, first: Page, tally: Tally) -> Iterator[list[Hit]]:
        """Yield the rows of a query that lies within reach and that were never seen before.

        Args:
            query: What to read.
            first: Its first page, already fetched.
            tally: Takes in what was seen.
        """
        yield self._told_apart(first, tally, ASCENDING)
        total = first.total_hits
        if total is None or total <= self.window:
            yield from self._forward(query, first, total, tally)
            if total == self.paging.window and not self._counts_beyond:
                yield self._other_end(query, tally)
        else:
            yield from self._forward(query, first, self.paging.window, tally)
            yield from self._backward(query, total, tally)

    def beyond(self, query: Query, first: Page, tally: Tally) -> Iterator[list[Hit]]:
        """Yield the rows beyond the window, of a server that serves them."""
        offsets = self._offsets(self.paging.window, first.total_hits or 0, self._size_served(first))
        for page in self._pages(query, offsets, ASCENDING):
            yield self._told_apart(page, tally, ASCENDING)

    def again(self, query: Query, tally: Tally) -> Iterator[list[Hit]]:
        """Read a query once more, from its other end, and yield the rows not seen before.

        Pages of rows that sort alike overlap and leave gaps; another order leaves others.
        """
        reach = int(min(tally.total or self.paging.window, self.window))
        tally.fell = tally.fell and reach < (tally.total or 0)
        for page in self._pages(query, self._offsets(0, reach), DESCENDING):
            yield self._told_apart(page, tally, DESCENDING)

    def _forward(
        self, query: Query, first: Page, end: int | None, tally: Tally
    ) -> Iterator[list[Hit]]:
        """Ascending pages after the first, up to `end` rows or the server's own end."""
        size = self._size_served(first)
        offset = len(first.hits) + first.odd_hits
        if end is not None:
            for page in self._pages(query, self._offsets(offset, end, size), ASCENDING):
                yield self._told_apart(page, tally, ASCENDING)
                offset += len(page.hits) + page.odd_hits
                if not page.hits and not page.odd_hits:
                    tally.ended = True
                    return
        yield from self._past_the_count(query, first, offset, end, tally)

    def _past_the_count(
        self, query: Query, first: Page, offset: int, end: int | None, tally: Tally
    ) -> Iterator[list[Hit]]:
        """Pages beyond what the server counted: it may count wrongly, or not at all."""
        size = self._size_served(first)
        full = offset > 0 and offset % size == 0
        counted_more = end is not None and offset > end
        while (full or counted_more) and offset < self.window:
            page = self._fetch(query, offset, ASCENDING, None)
            rows = len(page.hits) + page.odd_hits
            yield self._told_apart(page, tally, ASCENDING)
            offset += rows
            full, counted_more = rows >= size, False
        tally.ended = offset < self.window or not full

    def _other_end(self, query: Query, tally: Tally) -> list[Hit]:
        """Return the rows of the last page that were not seen before.

        A count that is just the window may be as far as the server counts. If there are more
        rows than that, it did not count them.
        """
        repeated = tally.repeated
        new = self._told_apart(self._fetch(query, 0, DESCENDING, None), tally, DESCENDING)
        tally.repeated = repeated
        if tally.total == self.paging.window < tally.rows:
            logger.info("The server counts no further than %s.", tally.total)
            tally.total, tally.ended, tally.miscounted = None, False, True
        return new

    def _backward(self, query: Query, total: int, tally: Tally) -> Iterator[list[Hit]]:
        """Descending pages for what lies beyond the window."""
        beyond = min(total - self.paging.window, self.paging.window)
        for page in self._pages(query, self._offsets(0, beyond), DESCENDING):
            rows = tally.rows
            yield self._told_apart(page, tally, DESCENDING)
            if tally.rows == rows:
                logger.info("The server does not sort in descending order.")
                self.one_way = True
                return
        # Where rows sort alike the two halves need not meet.
        tally.met()

    def _pages(self, query: Query, offsets: Iterable[int], order: str) -> Iterator[Page]:
        """Fetch pages ahead, and yield them in order."""
        waiting: deque[Future[Page]] = deque()
        remaining = iter(offsets)
        try:
            while True:
                while len(waiting) < self.paging.in_flight:
                    offset = next(remaining, None)
                    if offset is None:
                        break
                    waiting.append(self._pool.submit(self._fetch, query, offset, order, None))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _fetch(
        self, query: Query, offset: int, order: str, max_retry_seconds: float | None
    ) -> Page:
        if self._probed is not None and (offset, order) == (self.paging.window, ASCENDING):
            page, self._probed = self._probed, None
            return page
        count = self.paging.page_size
        if offset < self.paging.window:
            # A page that reaches over the window may be refused whole.
            count = min(count, self.paging.window - offset)
        return self.search.page(query.at(offset, count, order), max_retry_seconds=max_retry_seconds)

    def _size_served(self, first: Page) -> int:
        """Rows on a full page: fewer than asked when the server has a lower limit."""
        rows = len(first.hits) + first.odd_hits
        more_counted = first.total_hits is None or first.total_hits > rows
        return rows if more_counted and 0 < rows < self.paging.page_size else self.paging.page_size

    def _offsets(self, start: int, end: int, size: int | None = None) -> Iterable[int]:
        return range(start, end, size or self.paging.page_size)

    def _told_apart(self, page: Page, tally: Tally, order: str) -> list[Hit]:
        """Return the rows of a page that were never seen before."""
        tally.counted(page.total_hits)
        tally.turned(order, page)
        tally.odd += page.odd_hits
        rows = tally.part.rows
        new, keyless = self._seen.take(page.hits)
        tally.keyless += keyless
        tally.repeated += len(page.hits) - keyless - (tally.part.rows - rows)
        return new

    def serves_beyond(self, query: Query) -> bool:
        """Ask for the page after the window: some servers may have it to give.

        The page is kept, for when the query is then read to its end.
        """
        try:
            page = self._fetch(query, self.paging.window, ASCENDING, PROBE_SECONDS)
        except AuthenticationError:
            raise
        except ApiError as error:
            logger.info("Rows beyond %s are not served: %s", self.paging.window, error)
            return False
        self._probed = page if page.hits else None
        self.window = math.inf if page.hits else self.paging.window
        return bool(page.hits)
