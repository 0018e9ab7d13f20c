"""Chooses how a query is read, so that nothing that matches it throughout can be missed.

In this order: on one page, which is a snapshot; page by page, where nothing moves; in
windows of a date that every row has; page by page twice, from which no row can hide unless it was
renamed to the side already read, twice; in parts by the values that rows have.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from totango_api.reading.coverage import full_coverage
from totango_api.reading.date_keys import KeyNotUsableError, keys_of_all
from totango_api.reading.pages import is_whole
from totango_api.reading.pages_read import PagesRead
from totango_api.reading.partitions.pages import PartPages
from totango_api.reading.partitions.values import UserPartitions, ranked
from totango_api.reading.repeated_read import RepeatedRead
from totango_api.reading.result import Reading, RecordBatch, unresumable
from totango_api.reading.sample import Sample
from totango_api.reading.windows.reader import WindowReader

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Generator, Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator
    from totango_api.reading.pages import Pages
    from totango_api.reading.partitions.values import Partition, Values
    from totango_api.search import Hit, Page, Query, Term

logger = logging.getLogger(__name__)

FEW_PAGES: Final = 8
"""Pages up to which windows cost hardly more than one pass, and less than one for nothing."""

SEEN_PAGES: Final = 4
"""Pages whose dates are a sample: rows are not kept for longer than that."""

SMALL_PAGES: Final = 2
"""Pages up to which two passes cost no more than windows."""


class QueryReader:
    """Reads a query, and queries that are parts of it.

    Args:
        pages: Fetches pages.
        keys: Dates by which rows may be read in windows, the safest first.
        values: Values by which they may be read in parts.
        given: Deduplicates rows.
        ways: Counts how queries were read.
    """

    def __init__(
        self,
        pages: Pages,
        keys: Sequence[DateKey],
        values: Sequence[Values],
        given: Deduplicator,
        ways: Counter[str],
    ) -> None:
        self._ways = ways
        self._pages = pages
        self._part_pages = PartPages(pages)
        self._keys = list(keys)
        self._values = list(values)
        self._given = given
        self._sample = Sample()

    def batches(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey] | None = None,
        values: Sequence[Values] | None = None,
    ) -> Reading:
        """Yield the rows of a query; return how many are missing.

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
        total, pages, before = first.total_hits, self._pages, len(self._given)
        if is_whole(first, pages.size):
            self._ways["in one answer, which is a snapshot"] += 1
            yield self._batch(first.hits)
            return 0
        if total is None or (total <= SMALL_PAGES * pages.size and total < pages.most):
            return (yield from self._passes(query, first, values, before))
        is_named = any(isinstance(way, UserPartitions) for way in values)
        covering = self._covering(keys, first.hits, total, is_named=is_named)
        is_moving = total <= FEW_PAGES * pages.size
        seen: list[Hit] = []
        if covering and not is_moving and total < pages.most * 0.98:
            reading = PagesRead(pages, query, first, stops_when_moved=True)
            for hits in reading.hits():
                seen += hits if len(seen) < SEEN_PAGES * pages.size else ()
                yield self._batch(hits)
            if reading.is_quiet:
                self._ways["page by page, while nothing moved"] += 1
                return 0
            is_moving, total = reading.has_moved, reading.last_total or total
        for key in covering:
            keys = [one for one in keys if one.name != key.name]
            try:
                return (
                    yield from self._windows(
                        query, first, seen, total, key, keys, values, is_moving
                    )
                )
            except KeyNotUsableError as error:
                logger.info("Not reading by %s: %s", key.name, error)
        if pages.overcounts:
            values = ()  # parts would not find them either
        is_reached = total < pages.most or pages.overcounts
        if is_reached or (not is_named and pages.serves_beyond(query)):
            return (yield from self._passes(query, first, values, before))
        return (yield from self._parts(query, first, keys, values, before))

    def _covering(
        self, keys: Sequence[DateKey], hits: Sequence[Hit], total: int, *, is_named: bool
    ) -> list[DateKey]:
        """Return the dates by which a query is read in windows, judged by some of its rows."""
        if total >= self._pages.most:
            return [] if is_named else keys_of_all(keys, hits)
        return [key for key in keys_of_all(keys, hits) if key.parts(hits, total, self._pages.size)]

    # By a date --------------------------------------------------------------------------------

    def _windows(
        self,
        query: Query,
        first: Page,
        seen: Sequence[Hit],
        total: int,
        key: DateKey,
        others: Sequence[DateKey],
        values: Sequence[Values],
        is_moving: bool,
    ) -> Reading:
        """Yield the rows of all windows of a date; return how many are missing.

        Raises:
            KeyNotUsableError: If the server does not filter by it, or not every row has it.
        """
        yield self._batch(first.hits)
        if not key.is_filtered:
            coverage = full_coverage(self._pages, query, key, total)
            is_moving = is_moving or coverage.has_moved
            seen = [*seen, *coverage.hits]
        reader = WindowReader(
            self._pages,
            query,
            key,
            self._given,
            first.hits,
            total,
            seen=seen,
            is_moving=is_moving,
            otherwise=lambda query, first: unresumable(self.batches(query, first, others, values)),
        )
        yield from reader.batches()
        self._ways[f"in windows of {key.name}"] += 1
        return reader.missing

    # Page by page -----------------------------------------------------------------------------

    def _passes(self, query: Query, first: Page, values: Sequence[Values], before: int) -> Reading:
        """Yield the rows of a query within reach, read until two passes left no seam open."""
        repeated = RepeatedRead(self._pages, query, first)
        yield from map(self._batch, repeated.hits())
        if repeated.closed_seams:
            self._ways["page by page, until no seam was open"] += 1
        if repeated.is_proven:
            return 0
        missing = repeated.missing
        is_over = missing is not None and missing < 0
        reach = self._pages.reach
        if (
            missing
            and (is_over or self._pages.is_one_way)
            and self._pages.serves_beyond(query)
            and self._pages.reach > reach  # only now known
        ):
            return (yield from self._passes(query, self._pages.first(query), values, before))
        if is_over:
            # It counts so far and no further: only the user can know all parts.
            missing, values = None, [way for way in values if isinstance(way, UserPartitions)]
        if values and (missing or is_over or repeated.has_moved):
            again = self._pages.first(query)
            return (yield from self._parts(query, again, (), values, before, missing, is_read=True))
        return missing or None

    # By values --------------------------------------------------------------------------------

    def _parts(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey],
        values: Sequence[Values],
        before: int,
        missing: int | None = None,
        *,
        is_read: bool = False,
    ) -> Reading:
        """Yield the rows of a query in parts; return how many no part held.

        Args:
            query: What to read.
            first: Its first page.
            keys: Dates by which parts may be read.
            values: Ways to read it in parts.
            before: Rows that were given before any of this query.
            missing: Rows that are missing of it; None if that is unknown.
            is_read: Whether it was read page by page before.
        """
        yield self._batch(first.hits)
        total = first.total_hits or 0
        done: list[Term] = []
        for way in ranked(values, first.hits):
            rest = [one for one in values if one.name != way.name]
            parts = way.parts(self._sample.hits, total, self._part_pages.most(way, total))
            given = len(self._given)
            counted, inner = yield from self._parts_of(query, way, parts, total, keys, rest, done)
            if counted is None:
                continue
            self._ways[f"in parts by {way.name}"] += 1
            listed = [one for part in parts for one in part.values]
            held = way.term(listed) if listed else None
            done += [held] if held is not None else []
            if missing is None:
                if not way.is_disjoint:
                    # Counts of parts that overlap prove nothing.
                    counted = min(counted, len(self._given) - before)
                missing = inner + self._part_pages.lacking(query, total, counted, held)
            else:
                missing = self._part_pages.remaining(query, missing, len(self._given) - given, done)
            if missing <= 0:
                return 0
            logger.info("%s rows are missing of those read by %s.", missing, way.name)
        if missing is None and not is_read:
            reading = PagesRead(self._pages, query, first)
            yield from map(self._batch, reading.hits())
            missing = max(total - reading.rows - reading.odd, 1)
        return missing

    def _parts_of(
        self,
        query: Query,
        way: Values,
        parts: Sequence[Partition],
        total: int,
        keys: Sequence[DateKey],
        rest: Sequence[Values],
        done: Sequence[Term],
    ) -> Generator[RecordBatch, None, tuple[int | None, int]]:
        """Yield the rows of each part; return how many were counted, and are missing of these.

        None were counted where parts are of no use.
        """
        size, missing = self._pages.size, 0
        counted = 0 if parts else None
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            page = self._part_pages.first(query, way, part)
            if page is None:
                return None, 0
            rows = page.total_hits or len(page.hits)
            halves = way.halves(part)
            if halves and (rows > self._pages.most or (way.is_partition and rows >= size)):
                waiting.extendleft(reversed(halves))
                yield self._batch(page.hits)
                continue
            counted = (counted or 0) + rows
            narrowed = query.narrowed(*part.terms)
            if done and not is_whole(page, size) and self._part_pages.is_read(narrowed, rows, done):
                yield self._batch(page.hits)
                continue
            inner = yield from unresumable(self.batches(narrowed, page, keys, rest))
            missing += 1 if inner is None else inner
            waiting = deque(self._part_pages.merged(way, waiting, total - counted, total))
        return counted, missing

    def _batch(self, hits: list[Hit]) -> RecordBatch:
        new = self._given.new(hits)
        self._sample.take(new)
        return RecordBatch(new)
