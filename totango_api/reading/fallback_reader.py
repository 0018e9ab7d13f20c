"""Reads a query that cannot be read at once: rows move, or are too many for one query to reach.

In this order: in windows of a date that every row has; page by page several times; in partitions by
the values that rows have.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from totango_api.reading.coverage import full_coverage
from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.overlap.repeated_read import RepeatedRead
from totango_api.reading.partitions.partitioners import UserPartitions
from totango_api.reading.partitions.reader import PartitionReader
from totango_api.reading.windows.reader import WindowReader

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator, Sample
    from totango_api.reading.pages import Pages
    from totango_api.reading.partitions.partitioners import Partitioner
    from totango_api.reading.partitions.reader import Read
    from totango_api.reading.remainder import Remainder
    from totango_api.reading.result import Reading, RecordBatch
    from totango_api.search import Page, Query

logger = logging.getLogger(__name__)


@dataclass
class QueryState:
    """A query, and what is known of it so far.

    Attributes:
        query: What is read.
        first: Its first page.
        keys: Dates to read it by.
        ways: Ways to read it in partitions.
        remainder: Knows which of its rows came.
        rows_before: Rows that were given before any of it.
        is_part: Whether it is a part of a read.
        total: Its rows, as counted last.
        is_moving: Whether rows were seen to move.
        seen: Some of its pages, as a sample.
    """

    query: Query
    first: Page
    keys: Sequence[DateKey]
    ways: Sequence[Partitioner]
    remainder: Remainder
    rows_before: int
    is_part: bool = True
    total: int = 0
    is_moving: bool = False
    seen: list[Page] = field(default_factory=list)

    @property
    def is_named(self) -> bool:
        """Whether the user named partitions."""
        return any(isinstance(way, UserPartitions) for way in self.ways)


class FallbackReader:
    """Reads queries whose rows move, or are too many for one query to reach.

    Args:
        pages: Fetches pages.
        given: Knows how many rows were given.
        sample: Some of them, from which partitions are made.
        counts: Counts how queries were read.
        batch: Makes a batch of those rows that were not given before.
        read: Reads a part of a query: its first page, dates and ways to read it by.

    Attributes:
        is_in_parts: Whether rows were read in windows or in partitions, while rows moved.
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
        self._given = given
        self._sample = sample
        self._ways = counts
        self._batch = batch
        self._read = read
        self.is_in_parts = False

    @cached_property
    def _in_partitions(self) -> PartitionReader:
        return PartitionReader(
            self._pages, self._given, self._sample, self._ways, batch=self._batch, read=self._read
        )

    def batches(self, state: QueryState, covering: Sequence[DateKey]) -> Reading:
        """Yield the rows of a query; return how many are missing.

        Args:
            state: The query.
            covering: Dates by which it may be read in windows.

        Raises:
            ApiError: If pages cannot be had.
        """
        for key in covering:
            try:
                return (yield from self._windows(state, key))
            except KeyNotUsableError as error:
                logger.info("Not reading by %s: %s", key.name, error)
        return (yield from self._undated(state))

    # By a date --------------------------------------------------------------------------------

    def _windows(self, state: QueryState, key: DateKey) -> Reading:
        """Yield the rows of all windows of a date; return how many are missing.

        Raises:
            KeyNotUsableError: If the server does not filter by it, or not every row has it.
        """
        is_moving, seen = state.is_moving, state.seen
        others = [one for one in state.keys if one.name != key.name]
        if not key.is_filtered:
            coverage = full_coverage(self._pages, state.query, key, state.total)
            is_moving = is_moving or coverage.has_moved
            seen = [*seen, *coverage.pages]
        reader = WindowReader(
            self._pages,
            state.query,
            key,
            self._given,
            state.first,
            state.total,
            seen=seen,
            is_moving=is_moving,
            is_part=state.is_part,
            otherwise=lambda query, first: self._read(query, first, others, state.ways),
        )
        yield from reader.batches()
        has_other_rows = len(self._given) - state.rows_before != state.total
        self.is_in_parts = self.is_in_parts or is_moving or reader.has_moved or has_other_rows
        self._ways[f"in windows of {key.name}"] += 1
        return reader.missing

    # Without one ------------------------------------------------------------------------------

    def _undated(self, state: QueryState) -> Reading:
        """Yield the rows of a query page by page or in partitions; return how many are missing."""
        pages, ways = self._pages, state.ways
        if pages.overcounts:
            ways = ()  # partitions would not find them either
        is_reached = state.total < pages.most or pages.overcounts
        if is_reached or (not state.is_named and pages.serves_beyond(state.query)):
            return (yield from self._repeatedly(state, ways))
        self.is_in_parts = True
        return (
            yield from self._in_partitions.batches(
                state.query, state.first, state.keys, ways, state.rows_before
            )
        )

    def _repeatedly(self, state: QueryState, ways: Sequence[Partitioner]) -> Reading:
        """Yield the rows of a query within reach, read until two passes left no seam open."""
        pages, query = self._pages, state.query
        repeated = RepeatedRead(pages, query, state.first)
        yield from map(self._batch, repeated.pages())
        if repeated.closed_seams:
            self._ways["page by page, until no seam was open"] += 1
        if repeated.is_proven:
            return 0
        missing, reach = repeated.missing, pages.reach
        is_over = missing is not None and missing < 0
        may_go_on = missing and (is_over or pages.is_one_way)
        if may_go_on and pages.serves_beyond(query) and pages.reach > reach:  # only now known
            state.first = pages.first(query)
            return (yield from self._repeatedly(state, ways))
        if is_over:
            # It counts so far and no further: only the user can know all partitions.
            missing, ways = None, [way for way in ways if isinstance(way, UserPartitions)]
        if repeated.is_overcounted:
            ways = ()  # partitions would not find more either
        if not ways or not (missing or is_over or repeated.has_moved):
            return missing or None
        self.is_in_parts, first, before = True, pages.first(query), state.rows_before
        return (
            yield from self._in_partitions.batches(
                query, first, (), ways, before, missing, is_read=True
            )
        )
