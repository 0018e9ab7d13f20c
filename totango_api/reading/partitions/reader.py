"""Reads a query in partitions, in one way after another, until no row is missing."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from totango_api.reading.overlap.pages_read import PagesRead
from totango_api.reading.pages import is_whole
from totango_api.reading.partitions.pages import PartitionPages
from totango_api.reading.partitions.partitioners import ranked
from totango_api.text import rows

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Generator, Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator, Sample
    from totango_api.reading.pages import Pages
    from totango_api.reading.partitions.partitioners import Partition, Partitioner
    from totango_api.reading.result import Reading, RecordBatch
    from totango_api.search import Page, Query, Term

    Ways = Sequence[Partitioner]
    Read = Callable[[Query, Page, Sequence[DateKey], Ways], Reading]

logger = logging.getLogger(__name__)

MOST_CALLS: Final = 6
"""Calls for each page of rows, and some more, after which no further partitions are read: where
rows come as fast as they are read, and prove nothing, that would have no end."""

SPARE_CALLS: Final = 60


class PartitionReader:
    """Reads queries in partitions.

    Args:
        pages: Fetches pages.
        given: Knows how many rows were given.
        sample: Some of them, from which partitions are made.
        counts: Counts how queries were read.
        batch: Makes a batch of those rows that were not given before.
        read: Reads a partition: the query, its first page, dates and ways to read it by.
    """

    def __init__(
        self,
        pages: Pages,
        given: Deduplicator,
        sample: Sample,
        counts: Counter[str],
        *,
        batch: Callable[[Page], RecordBatch],
        read: Read,
    ) -> None:
        self._pages = pages
        self._partitioned = PartitionPages(pages)
        self._given = given
        self._sample = sample
        self._counts = counts
        self._batch = batch
        self._read = read
        self._last_call = 0

    def batches(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey],
        ways: Ways,
        before: int,
        missing: int | None = None,
        *,
        is_read: bool = False,
    ) -> Reading:
        """Yield the rows of a query in partitions; return how many none held.

        Args:
            query: What to read.
            first: Its first page.
            keys: Dates by which partitions may be read.
            ways: Ways to read it in partitions.
            before: Rows that were given before any of this query.
            missing: Rows that are missing of it; None if that is unknown.
            is_read: Whether it was read page by page before.
        """
        yield self._batch(first)
        total = first.total_hits or 0
        self._limit_calls(total)
        done: list[Term] = []
        for way in ranked(ways, first.hits):
            rest = [one for one in ways if one.name != way.name]
            found = yield from self._one_way(query, way, total, keys, rest, done, before, missing)
            if found is None:
                continue
            if (missing := found) <= 0:
                return 0
            logger.info("Read by %s: %s missing.", way.name, rows(missing))
        if missing is None and not is_read:
            reading = PagesRead(self._pages, query, first)
            yield from map(self._batch, reading.pages())
            missing = max(total - reading.rows - reading.unreadable, 1)
        return missing

    def _limit_calls(self, total: int) -> None:
        """Note, once, after how many calls no further partitions are read."""
        calls = MOST_CALLS * (total // self._pages.size) + SPARE_CALLS
        self._last_call = self._last_call or self._pages.search.calls + calls

    @property
    def _is_spent(self) -> bool:
        return self._pages.search.calls > self._last_call

    def _one_way(
        self,
        query: Query,
        way: Partitioner,
        total: int,
        keys: Sequence[DateKey],
        rest: Ways,
        done: list[Term],
        before: int,
        missing: int | None,
    ) -> Reading:
        """Yield the rows of a query in the partitions of one way; return how many are missing now.

        None if they are of no use. The filter of the way is added to those that are done.
        """
        if self._is_spent:
            return None
        given, most = len(self._given), self._partitioned.most(way, total)
        partitions = way.partitions(self._sample.hits, total, most)
        waiting = deque(partitions)
        counted, inner = yield from self._each(query, way, waiting, total, keys, rest, done)
        if counted is None:
            return None
        self._counts[f"in parts by {way.name}"] += 1
        listed = [one for each in partitions for one in each.values]
        held = way.term(listed) if listed else None
        done += [held] if held is not None and not inner else []
        if missing is None:
            if not way.is_disjoint:
                # Counts of partitions that overlap prove nothing.
                counted = min(counted, len(self._given) - before)
            return inner + self._partitioned.lacking(query, total, counted, held)
        return self._partitioned.remaining(query, missing, len(self._given) - given, done)

    def _each(
        self,
        query: Query,
        way: Partitioner,
        waiting: deque[Partition],
        total: int,
        keys: Sequence[DateKey],
        rest: Ways,
        done: Sequence[Term],
    ) -> Generator[RecordBatch, None, tuple[int | None, int]]:
        """Yield the rows of each partition; return how many were counted, and are missing of these.

        None were counted where partitions are of no use.
        """
        size, missing = self._pages.size, 0
        counted = 0 if waiting else None
        while waiting:
            if self._is_spent:
                return counted, missing + len(waiting)
            partition = waiting.popleft()
            page = self._partitioned.first(query, way, partition)
            if page is None:
                return None, 0
            rows = page.total_hits or len(page.hits)
            halves = way.halves(partition)
            if halves and (rows > self._pages.most or (way.is_partition and rows >= size)):
                waiting.extendleft(reversed(halves))
                yield self._batch(page)
                continue
            counted = (counted or 0) + rows
            narrowed = query.narrowed(*partition.terms)
            is_known = bool(done) and not is_whole(page, size)
            if is_known and self._partitioned.is_read(narrowed, rows, done):
                yield self._batch(page)
                continue
            inner = yield from self._read(narrowed, page, keys, rest)
            missing += 1 if inner is None else inner
            waiting = deque(self._partitioned.merged(way, waiting, total - counted, total))
        return counted, missing
