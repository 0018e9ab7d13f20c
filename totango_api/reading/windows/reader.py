"""Reading a query in windows of a date, each complete at one moment.

A window that fits on one page is a snapshot: what its response counts is what it holds. A larger
one is read page by page, and believed only where nothing moved at all; else it is read again in
smaller ones. A window that can be cut no further is read in another way, before any later one.
Since a row does not leave its window, or only for a later one, none is missed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.date_keys import KeyNotUsableError, Movement, Window, mirrored
from totango_api.reading.overlap.pages_read import PagesRead
from totango_api.reading.pages import PROBE_SECONDS, is_whole
from totango_api.reading.result import RecordBatch, ResumePoint, plus
from totango_api.reading.windows.estimates import trend_of
from totango_api.reading.windows.planner import WindowPlanner
from totango_api.reading.windows.size import WindowSize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator
    from totango_api.reading.pages import Pages
    from totango_api.reading.result import Reading
    from totango_api.search import Hit, Key, Page, Query

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 3
"""How often a window is asked for whose response counts more rows than it holds."""


MOST_WINDOWS: Final = 4
"""Windows for each page of rows, and some more, after which a filter does not part rows: it is
ignored, or compares whole days."""


class WindowReader:
    """One read of a query in windows.

    Args:
        pages: Fetches pages.
        query: What to read.
        key: The date.
        given: Tells rows apart.
        first: The first page.
        total: Rows in all.
        seen: Other pages.
        is_moving: Whether rows were seen to move before.
        is_part: Whether it is a part of a read: nothing can be resumed from inside it.
        gaps: What is to be read; everything, unless a read is resumed.
        otherwise: Reads a window that can be cut no further, given its query and first page.

    Attributes:
        missing: Rows that windows counted and never gave; None = nobody knows.
    """

    def __init__(
        self,
        pages: Pages,
        query: Query,
        key: DateKey,
        given: Deduplicator,
        first: Page,
        total: int,
        *,
        seen: Sequence[Page] = (),
        is_moving: bool = False,
        is_part: bool = False,
        gaps: Sequence[Window] = (Window(),),
        otherwise: Callable[[Query, Page], Reading],
    ) -> None:
        self._pages = pages
        self._query = query
        self._key = key
        self._given = given
        # Where names run against the date, the first rows are the last ones: back through time,
        # unless rows move on meanwhile.
        dates = key.dates(first.hits)
        trend = trend_of(dates)
        self._is_backward = key.movement is not Movement.GROWING and trend < 0
        hits = _different(first, *seen)
        sample = dates if trend else key.dates(hits)
        self._planner = WindowPlanner(
            self._planned(sample), total, len(hits), [self._turned(gap) for gap in gaps]
        )
        self._size = WindowSize(pages.size, total, pages.most, is_moving=is_moving)
        self._is_proven = False
        self._windows_left = MOST_WINDOWS * (total // pages.size + 10)
        self._short = 0
        self._otherwise = otherwise
        self._is_part = is_part
        self.missing: int | None = 0

    @property
    def has_moved(self) -> bool:
        """Whether rows were seen to move in a window of several pages."""
        return self._size.has_moved

    def batches(self, rows_before: int = 0) -> Iterator[RecordBatch]:
        """Yield the rows of one window after another, and what is left after each.

        Args:
            rows_before: Rows that an interrupted read had given before.

        Raises:
            KeyNotUsableError: If the server does not take the windows; before any row was lost.
            ApiError: If a page cannot be had.
        """
        while (window := self._next()) is not None:
            yield from self._window(window)
            if self._is_part:
                continue
            left = [self._turned(one) for one in self._planner.left()]
            windows = tuple((one.low, one.high) for one in left)
            point = ResumePoint(self._key.name, windows, rows_before + len(self._given))
            is_whole = point.is_portable and self.missing == 0
            yield RecordBatch([], [], point if is_whole else None)

    def _next(self) -> Window | None:
        return self._planner.next(self._size.rows, self._size.spill)

    def _turned(self, window: Window) -> Window:
        """Return a window of the planner's time in real time, or the other way round."""
        return mirrored(window) if self._is_backward else window

    def _planned(self, dates: list[int]) -> list[int]:
        return [-date for date in dates] if self._is_backward else dates

    def _window(self, window: Window) -> Iterator[RecordBatch]:
        self._windows_left -= 1
        if self._windows_left < 0:
            msg = "it does not part rows"
            raise KeyNotUsableError(msg)
        query = self._query.narrowed(self._key.within(self._turned(window)))
        first = self._first(query, window)
        rows = first.total_hits
        if rows is None:
            msg = "the server does not count"
            raise KeyNotUsableError(msg)
        attempts = 1
        while rows > (held := first.rows) and held < self._pages.size:
            if attempts == ATTEMPTS:
                self._note_missing(rows - held)
                break
            first, attempts = self._first(query, window), attempts + 1
            rows = first.total_hits or 0
        if is_whole(first, self._pages.size) or held < self._pages.size:
            yield self._given.new(first)
            self._planner.read(window, held)
        else:
            yield from self._large(window, query, first, max(rows, held))

    def _note_missing(self, rows: int) -> None:
        self.missing = plus(self.missing, rows)
        self._short += 1
        if self._short == ATTEMPTS:
            self._pages.overcounts = True
            msg = "the server counts more rows than it gives"
            raise KeyNotUsableError(msg)

    def _first(self, query: Query, window: Window) -> Page:
        page = self._pages.first(query) if self._is_proven else self._tried(query)
        if not all(self._turned(window).holds(self._key.of(hit)) for hit in page.hits):
            msg = "the server ignores it"
            raise KeyNotUsableError(msg)
        self._is_proven = self._is_proven or bool(page.hits)
        return page

    def _tried(self, query: Query) -> Page:
        try:
            return self._pages.first(query, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            msg = f"it is refused: {error}"
            raise KeyNotUsableError(msg) from error

    def _large(self, window: Window, query: Query, first: Page, rows: int) -> Iterator[RecordBatch]:
        """Yield the rows of a window that does not fit on one page."""
        if not self._planner.can_cut(window):
            self.missing = plus(self.missing, (yield from self._otherwise(query, first)))
            self._planner.read(window, rows)
            return
        dates = self._key.dates(first.hits)
        trend = trend_of(dates)
        if rows <= self._pages.most * 0.98 and self._size.is_worth_reading(rows):
            reading = PagesRead(self._pages, query, first, stops_when_moved=True)
            calls, dates = 0, []
            for page in reading.pages():
                yield self._given.new(page)
                dates += self._key.dates(page.hits)
                calls += 1
            # Where only counts do not agree, smaller windows tell, too, whether they ever do.
            self._size.note(rows, calls, 0 if reading.is_quiet else max(reading.moves, 1))
            if reading.is_quiet:
                self._planner.read(window, reading.rows)
                return
        else:
            yield self._given.new(first)
        self._planner.put_back(window, rows, self._planned(dates), trend)


def _different(*pages: Page) -> list[Hit]:
    """Return the rows of pages, of each key the last one."""
    hits: dict[Key | None, Hit] = {}
    for page in pages:
        hits.update(zip(page.keys, page.hits, strict=True))
    return list(hits.values())
