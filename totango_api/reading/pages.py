"""Fetching pages, and what a server turns out to be able to do."""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.errors import ApiError, AuthenticationError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future, ThreadPoolExecutor

    from totango_api.reading.date_keys import DateKey
    from totango_api.search import Hit, Key, Page, Query, Search

logger = logging.getLogger(__name__)

PROBE_SECONDS: Final = 20.0
"""How long a call is retried that a server may well refuse by a 5xx."""


FEWEST: Final = 10
"""Rows to which a server cuts pages, at least."""

MOST_DOUBLED: Final = 1_000
"""Keys that the service lists twice, after which none is asked for again."""


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


@dataclass(frozen=True)
class Hints:
    """What need not be asked.

    A wrong hint costs calls, or leaves rows that the read then counts as missing.

    Attributes:
        is_window_closed: Whether pages behind the window are not served.
        refused_dates: Dates whose filters are refused or ignored, by the names of their keys.
    """

    is_window_closed: bool = False
    refused_dates: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return self.is_window_closed or bool(self.refused_dates)

    def usable(self, keys: Sequence[DateKey]) -> list[DateKey]:
        """Return the keys whose filters may be taken."""
        return [key for key in keys if key.is_filtered or key.name not in self.refused_dates]


NO_HINTS: Final = Hints()


class Pages:
    """Fetches pages of one search endpoint, and knows what the server can do.

    Args:
        search: The endpoint.
        paging: How pages are asked for.
        pool: Where pages are fetched at once.
        hints: What the service was found to refuse earlier.

    Attributes:
        size: Rows on a full page: fewer than asked for where the server has a lower limit.
        reach: Rows that one query reaches from either end.
        is_one_way: Whether the server ignores the sort order.
        unreadable_hits: Rows that were not objects; one that stands on two pages counts twice.
        overcounts: Whether it turned out to count more rows than it gives.
        counts_pages: Whether it counts the rows of each page instead of all: that is no count.
        refuses_exclusion: Whether it turned out not to leave out rows by their ids.
    """

    def __init__(
        self,
        search: Search,
        paging: Paging,
        pool: ThreadPoolExecutor,
        hints: Hints = NO_HINTS,
    ) -> None:
        self.search = search
        self.paging = paging
        self._pool = pool
        self.size = paging.page_size
        self.reach: float = paging.window
        self.is_one_way = False
        self.overcounts = False
        self.counts_pages = False
        self.refuses_exclusion = False
        self.unreadable_hits = 0
        self._listed_twice: set[Key] = set()
        self._serves_beyond: bool | None = False if hints.is_window_closed else None

    @property
    def most(self) -> float:
        """Rows that one query gives."""
        return self.reach if self.is_one_way else 2 * self.reach

    def first(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        """Fetch the first page of a query."""
        return self._fetch(query.at(0, self.size), max_retry_seconds)

    def learn_size(self, query: Query, page: Page) -> Page:
        """Learn from the first page of a query how many rows the server gives at once.

        A server may cut a page short and count no more than is on it, so a page is asked for behind
        it. What follows there may just have come: then the first page has become longer.

        Returns:
            The page; without its count, where that is none.
        """
        rows = page.rows
        if not 0 < rows < self.size:
            return page
        if page.total_hits != rows:
            self.size = rows
        elif rows >= FEWEST and self._goes_on(query, rows):
            again = self.first(query)
            if again.rows > rows:
                return again
            logger.info("Rows follow behind the %s that the server counted.", rows)
            self.size, self.counts_pages = rows, True
            return replace(again, total_hits=None)
        return page

    def _goes_on(self, query: Query, rows: int) -> bool:
        """Tell whether rows follow behind so many that were counted."""
        behind = self.probe(query, rows)
        return behind.rows > 0

    def count(self, query: Query) -> int | None:
        """Return how many rows a query has, at the cost of a call."""
        return self._fetch(query.at(0, 1), PROBE_SECONDS).total_hits

    def probe(self, query: Query, offset: int) -> Page:
        """Fetch a page that the server may well refuse."""
        return self._fetch(query.at(offset, self.size), PROBE_SECONDS)

    def fetch(self, query: Query, offset: int, order: str) -> Page:
        """Fetch one page."""
        return self._fetch(query.at(offset, self.size, order), None)

    def start(self, query: Query, offset: int, order: str) -> Future[Page]:
        """Begin to fetch one page."""
        return self._pool.submit(self.fetch, query, offset, order)

    def _fetch(self, query: Query, max_retry_seconds: float | None) -> Page:
        page = self._answered(query, max_retry_seconds)
        if doubled := self._doubled(page):
            # Another row may be missing in its place: what the service lists twice comes so again.
            page = self._answered(query, max_retry_seconds)
            again = self._doubled(page)
            self._listed_twice |= doubled & again
            if page.total_hits is not None:
                page = replace(page, hits=_once(page, again - doubled))
        self.unreadable_hits += page.unreadable_hits if query.count > 1 else 0
        return replace(page, total_hits=None) if self.counts_pages else page

    def _answered(self, query: Query, max_retry_seconds: float | None) -> Page:
        try:
            return self.search.page(query, max_retry_seconds=max_retry_seconds)
        except RateLimitError:
            if max_retry_seconds is None:
                raise
            return self.search.page(query)  # it is none of the refusals for which few retries are

    def _doubled(self, page: Page) -> set[Key]:
        """Return the keys that come several times, but those known to do so."""
        if len(self._listed_twice) >= MOST_DOUBLED:
            return set()
        keys = [key for key in page.keys if key is not None]
        if len(set(keys)) == len(keys):
            return set()
        return {key for key, times in Counter(keys).items() if times > 1} - self._listed_twice

    def serves_beyond(self, query: Query) -> bool:
        """Return whether the server gives rows beyond its window: asked once, some may."""
        if self._serves_beyond is None:
            self._serves_beyond = self._asks_beyond(query)
            self.reach = math.inf if self._serves_beyond else self.reach
        return self._serves_beyond

    def _asks_beyond(self, query: Query) -> bool:
        try:
            page = self._fetch(query.at(self.paging.window, self.size), PROBE_SECONDS)
        except AuthenticationError:
            raise
        except ApiError as error:
            logger.info("Rows beyond %s are not served: %s", self.paging.window, error)
            return False
        return bool(page.hits)


def _once(page: Page, doubled: set[Key]) -> list[Hit]:
    """Return the rows without repetitions of some, so that they are fewer than are counted."""
    return [
        hit
        for number, (hit, key) in enumerate(zip(page.hits, page.keys, strict=True))
        if key not in doubled or page.keys.index(key) == number
    ]


def is_whole(page: Page, size: int) -> bool:
    """Return whether a page holds everything that its query matched when it was answered.

    A full page never does: counts may be too low. Nor does one that holds more than is counted: the
    server may have a lower limit than was asked for.

    Args:
        page: The first page of a query.
        size: Rows on a full page.
    """
    return page.rows == 0 if page.total_hits is None else page.total_hits == page.rows < size
