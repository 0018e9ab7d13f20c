"""Chooses how a query is read, so that nothing that matches it throughout can be missed.

In this order: on one page, which is a snapshot; page by page, where nothing moves; in
windows of a date that every row has; page by page twice, from which no row can hide unless it was
renamed to the side already read, twice; in partitions by the values that rows have.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.reading.coverage import full_coverage
from totango_api.reading.date_keys import KeyNotUsableError, keys_of_all
from totango_api.reading.pages import is_whole
from totango_api.reading.pages_read import PagesRead
from totango_api.reading.partitions.partitioners import UserPartitions
from totango_api.reading.partitions.reader import PartitionReader
from totango_api.reading.repeated_read import RepeatedRead
from totango_api.reading.result import Reading, RecordBatch, unresumable
from totango_api.reading.sample import Sample
from totango_api.reading.windows.reader import WindowReader

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator
    from totango_api.reading.pages import Pages
    from totango_api.reading.partitions.partitioners import Partitioner
    from totango_api.search import Hit, Page, Query

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
        partitioners: Ways to read them in partitions.
        given: Deduplicates rows.
        ways: Counts how queries were read.
    """

    def __init__(
        self,
        pages: Pages,
        keys: Sequence[DateKey],
        partitioners: Sequence[Partitioner],
        given: Deduplicator,
        ways: Counter[str],
    ) -> None:
        self._ways = ways
        self._pages = pages
        self._keys = list(keys)
        self._partitioners = list(partitioners)
        self._given = given
        self._sample = Sample()
        self._in_partitions = PartitionReader(
            pages, given, self._sample, ways, batch=self._batch, read=self.batches
        )

    def batches(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey] | None = None,
        ways: Sequence[Partitioner] | None = None,
    ) -> Reading:
        """Yield the rows of a query; return how many are missing.

        Args:
            query: What to read.
            first: Its first page, already fetched.
            keys: Dates to read it by; None = all.
            ways: Ways to read it in partitions; None = all.

        Raises:
            ApiError: If pages cannot be had.
        """
        keys = self._keys if keys is None else keys
        ways = self._partitioners if ways is None else ways
        total, pages, before = first.total_hits, self._pages, len(self._given)
        if is_whole(first, pages.size):
            self._ways["in one answer, which is a snapshot"] += 1
            yield self._batch(first.hits)
            return 0
        if total is None or (total <= SMALL_PAGES * pages.size and total < pages.most):
            return (yield from self._passes(query, first, ways, before))
        is_named = any(isinstance(way, UserPartitions) for way in ways)
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
                    yield from self._windows(query, first, seen, total, key, keys, ways, is_moving)
                )
            except KeyNotUsableError as error:
                logger.info("Not reading by %s: %s", key.name, error)
        if pages.overcounts:
            ways = ()  # partitions would not find them either
        is_reached = total < pages.most or pages.overcounts
        if is_reached or (not is_named and pages.serves_beyond(query)):
            return (yield from self._passes(query, first, ways, before))
        return (yield from self._in_partitions.batches(query, first, keys, ways, before))

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
        ways: Sequence[Partitioner],
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
            otherwise=lambda query, first: unresumable(self.batches(query, first, others, ways)),
        )
        yield from reader.batches()
        self._ways[f"in windows of {key.name}"] += 1
        return reader.missing

    # Page by page -----------------------------------------------------------------------------

    def _passes(
        self, query: Query, first: Page, ways: Sequence[Partitioner], before: int
    ) -> Reading:
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
            return (yield from self._passes(query, self._pages.first(query), ways, before))
        if is_over:
            # It counts so far and no further: only the user can know all partitions.
            missing, ways = None, [way for way in ways if isinstance(way, UserPartitions)]
        if ways and (missing or is_over or repeated.has_moved):
            again = self._pages.first(query)
            return (
                yield from self._in_partitions.batches(
                    query, again, (), ways, before, missing, is_read=True
                )
            )
        return missing or None

    def _batch(self, hits: list[Hit]) -> RecordBatch:
        new = self._given.new(hits)
        self._sample.take(new)
        return RecordBatch(new)
