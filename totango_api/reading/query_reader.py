"""Choosing how a query is read, so that nothing that matches it throughout can be missed.

In this order: on one page, which is a snapshot; page by page, where nothing moves meanwhile; in
windows of a date that every row has; page by page twice, from which no row can hide unless it was
renamed to the side already read, twice; in parts by the values that rows have.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.coverage import coverage_of
from totango_api.reading.date_keys import Movement
from totango_api.reading.pages import PROBE_SECONDS, is_whole
from totango_api.reading.pages_read import PagesRead
from totango_api.reading.result import RecordBatch
from totango_api.reading.sample import Sample
from totango_api.reading.values import UserPartitions
from totango_api.reading.window_reader import KeyNotUsableError, WindowReader

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator
    from totango_api.reading.pages import Pages
    from totango_api.reading.result import ReadResult
    from totango_api.reading.values import Part, Values
    from totango_api.search import Hit, Page, Query, Term

logger = logging.getLogger(__name__)

QUIET_SEAMS: Final = 8
"""Seams that must all be exact before one pass is believed: a few may be so by chance."""

PASSES: Final = 4
"""Passes over the same pages, two in a row of which must leave no seam open."""

SMALL_PAGES: Final = 2
"""Pages up to which two passes cost no more than windows."""


class QueryReader:
    """Reads a query, and queries that are parts of it.

    Args:
        pages: Fetches pages.
        keys: Dates by which rows may be read in windows, the safest first.
        values: Values by which they may be read in parts.
        given: Tells rows apart.
        result: Takes in what is missing.
    """

    def __init__(
        self,
        pages: Pages,
        keys: Sequence[DateKey],
        values: Sequence[Values],
        given: Deduplicator,
        result: ReadResult,
    ) -> None:
        self._pages = pages
        self._keys = list(keys)
        self._values = list(values)
        self._given = given
        self._result = result
        self._sample = Sample()

    def batches(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey] | None = None,
        values: Sequence[Values] | None = None,
    ) -> Iterator[RecordBatch]:
        """Yield the rows of a query.

        Args:
            query: What to read.
            first: Its first page, already fetched.
            keys: Dates to read it by; None = all.
            values: Values to read it by; None = all.

        Raises:
            ApiError: If pages cannot be had.
        """
        keys = self._keys if keys is None else keys
        values = self._values if values is None else values
        total, pages = first.total_hits, self._pages
        named = [way for way in values if isinstance(way, UserPartitions)]
        covering = self._covering(keys, first)
        if is_whole(first, pages.size):
            yield self._batch(first.hits)
            return
        if total is None or (total <= SMALL_PAGES * pages.size and total < pages.most):
            yield from self._passes(query, first, values)
            return
        # Of few pages, too few seams would tell that nothing moved.
        is_moving = total <= QUIET_SEAMS * pages.size
        if covering and not is_moving and total < pages.most * 0.98:
            reading = PagesRead(pages, query, first, stops_when_moved=True)
            yield from map(self._batch, reading.hits())
            if reading.is_quiet:
                return
            is_moving = reading.has_moved
        if not (named and total >= pages.most):
            for key in covering:
                if (yield from self._windows(query, first, key, keys, values, is_moving)):
                    return
        if total < pages.most or (not named and pages.serves_beyond(query)):
            yield from self._passes(query, first, values)
        else:
            yield from self._parts(query, first, keys, values)

    # By a date --------------------------------------------------------------------------------

    def _covering(self, keys: Sequence[DateKey], first: Page) -> list[DateKey]:
        """Return the dates that every row seen has, and that no row leaves for an earlier one."""
        lasting = [key for key in keys if key.movement is not Movement.CHANGING]
        return [key for key in lasting if key.share(first.hits) == 1]

    def _windows(
        self,
        query: Query,
        first: Page,
        key: DateKey,
        keys: Sequence[DateKey],
        values: Sequence[Values],
        is_moving: bool,
    ) -> Generator[RecordBatch, None, bool]:
        """Yield the rows of all windows of a date; return whether that was possible."""
        total = first.total_hits or 0
        try:
            if not key.is_filtered:
                coverage = coverage_of(self._pages, query, key.anything, total)
                if coverage.left_out != 0:
                    logger.info("%s rows have no %s.", coverage.left_out, key.name)
                    return False
                is_moving = is_moving or coverage.has_moved
            reader = WindowReader(
                self._pages, query, key, self._given, first.hits, total, is_moving=is_moving
            )
            yield self._batch(first.hits)
            for batch in reader.batches():
                yield batch
        except (RefusedError, UnavailableError, KeyNotUsableError) as error:
            logger.info("Not reading in windows of %s: %s", key.name, error)
            return False
        yield from self.after_windows(reader, key, keys, values)
        return True

    def after_windows(
        self,
        reader: WindowReader,
        key: DateKey,
        keys: Sequence[DateKey] | None = None,
        values: Sequence[Values] | None = None,
    ) -> Iterator[RecordBatch]:
        """Yield the rows of windows that could be cut no further, read in another way."""
        self._result.lacks(reader.missing)
        others = [one for one in (self._keys if keys is None else keys) if one.name != key.name]
        for query, first in reader.too_large:
            yield from self.batches(query, first, others, values)

    # Page by page -----------------------------------------------------------------------------

    def _passes(
        self, query: Query, first: Page | None, values: Sequence[Values]
    ) -> Iterator[RecordBatch]:
        """Yield the rows of a query within reach, read until two passes left no seam open."""
        linked = most = 0
        reading: PagesRead | None = None
        for _ in range(PASSES):
            page = first or self._pages.first(query)
            first = None
            if is_whole(page, self._pages.size):
                yield self._batch(page.hits)
                return
            reading = PagesRead(self._pages, query, page)
            yield from map(self._batch, reading.hits())
            most = max(most, reading.rows + reading.odd)
            if reading.is_quiet and reading.seams >= QUIET_SEAMS:
                return
            linked = linked + 1 if reading.is_linked else 0
            if linked == 2:
                return
            if reading.missing != 0:
                break
        total = reading.total if reading is not None else None
        if self._pages.is_one_way and total and total > most and self._serves_more(query):
            yield from self._passes(query, None, values)
        elif values and total is not None:
            yield from self._parts(query, self._pages.first(query), (), values, most=most)
        else:
            self._result.lacks(None if total is None else max(total - most, 0) or None)

    def _serves_more(self, query: Query) -> bool:
        """Tell whether rows beyond the window turn out to be served."""
        before = self._pages.reach
        return self._pages.serves_beyond(query) and self._pages.reach > before

    # By values --------------------------------------------------------------------------------

    def _parts(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey],
        values: Sequence[Values],
        most: int = 0,
    ) -> Iterator[RecordBatch]:
        """Yield the rows of a query in parts; what no part holds is missing.

        Args:
            query: What to read.
            first: Its first page.
            keys: Dates by which parts may be read.
            values: Ways to read it in parts.
            most: Rows of it that were read before.
        """
        yield self._batch(first.hits)
        total = first.total_hits or 0
        lacking: int | None = total - most if most else None
        done: list[Term] = []
        for way in self._ranked(values, first.hits):
            rest = [one for one in values if one.name != way.name]
            given = len(self._given)
            parts = way.parts(self._sample.hits, total, self._most(way, total))
            counted = yield from self._parts_of(query, way, parts, keys, rest, done)
            if counted is None:
                continue
            values_held = [one for part in parts for one in part.values]
            held = way.term(values_held) if values_held else None
            done += [held] if held is not None else []
            if lacking is None:
                lacking = self._lacking(query, total, counted, held)
            else:
                lacking -= len(self._given) - given
            if lacking <= 0:
                return
            logger.info("%s rows are missing of those read by %s.", lacking, way.name)
        if lacking is None:
            reading = PagesRead(self._pages, query, first)
            yield from map(self._batch, reading.hits())
            lacking = total - reading.rows - reading.odd
        self._result.lacks(max(lacking, 1))

    def _ranked(self, values: Sequence[Values], hits: Sequence[Hit]) -> list[Values]:
        found = [(way.share(hits), way) for way in values]
        ranked = sorted((one for one in found if one[0] > 0), key=lambda one: -round(one[0], 2))
        return [way for _, way in ranked]

    def _parts_of(
        self,
        query: Query,
        way: Values,
        parts: Sequence[Part],
        keys: Sequence[DateKey],
        rest: Sequence[Values],
        done: Sequence[Term],
    ) -> Generator[RecordBatch, None, int | None]:
        """Yield the rows of each part; return how many were counted, None if it is no use."""
        size, counted = self._pages.size, 0 if parts else None
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            page = self._first_of(query, way, part)
            if page is None:
                return None
            rows = page.total_hits or len(page.hits)
            halves = way.halves(part)
            if halves and (rows > self._pages.most or (way.is_partition and rows >= size)):
                waiting.extendleft(reversed(halves))
                yield self._batch(page.hits)
                continue
            counted = (counted or 0) + rows
            narrowed = query.narrowed(*part.terms)
            if done and not is_whole(page, size) and self._is_read(narrowed, rows, done):
                yield self._batch(page.hits)
                continue
            yield from self.batches(narrowed, page, keys, rest)
        return counted

    def _most(self, way: Values, total: int) -> int:
        """Return how many rows a part may have: one page, where rows do not change parts."""
        if way.is_partition:
            return self._pages.size - 1
        return int(min(self._pages.most * 0.98, total))

    def _first_of(self, query: Query, way: Values, part: Part) -> Page | None:
        """Return the first page of a part; None when the server does not take its filters."""
        narrowed = query.narrowed(*part.terms)
        level = logging.WARNING if isinstance(way, UserPartitions) else logging.INFO
        try:
            page = self._pages.first(narrowed, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            logger.log(level, "Not reading by %s: it is refused: %s", way.name, error)
            return None
        if any(not way.holds(part, hit) for hit in page.hits):
            logger.log(level, "Not reading by %s: the server ignores it.", way.name)
            return None
        return page

    def _is_read(self, query: Query, rows: int, done: Sequence[Term]) -> bool:
        """Tell, at the cost of a call, whether earlier parts held all rows of this one."""
        term = done[0] if len(done) == 1 else {"type": "or", "or": list(done)}
        try:
            count = self._pages.count(query.narrowed(term))
        except RefusedError:
            return False
        return count is not None and count >= rows

    def _lacking(self, query: Query, total: int, counted: int, held: Term | None) -> int:
        """Return how many rows no part held.

        Parts are counted one after another. Where their sum is short, and the tenant may have
        changed meanwhile, all of them are counted at once.
        """
        if counted >= total:
            return 0
        after = self._pages.count(query)
        if after is None or held is None or min(total, after) <= counted:
            return max(min(total, total if after is None else after) - counted, 0)
        left = coverage_of(self._pages, query, held, after).left_out
        return total - counted if left is None else left

    def _batch(self, hits: list[Hit]) -> RecordBatch:
        new = self._given.new(hits)
        self._sample.take(new)
        return RecordBatch(new)
