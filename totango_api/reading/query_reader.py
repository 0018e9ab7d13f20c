"""Chooses how a query is read, so that nothing that matches it throughout can be missed.

In this order: on one page, which is a snapshot; page by page, where nothing moves; by leaving out
what came, until nothing is left; in windows of a date that every row has; page by page several
times; in partitions by the values that rows have.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from totango_api.reading.coverage import full_coverage
from totango_api.reading.date_keys import KeyNotUsableError, keys_of_all
from totango_api.reading.deduplication import Sample
from totango_api.reading.overlap.pages_read import PagesRead
from totango_api.reading.overlap.repeated_read import RepeatedRead
from totango_api.reading.overlap.seams import largest_group
from totango_api.reading.pages import is_whole
from totango_api.reading.partitions.partitioners import UserPartitions
from totango_api.reading.partitions.reader import PartitionReader
from totango_api.reading.remainder import Remainder
from totango_api.reading.windows.reader import WindowReader

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.deduplication import Deduplicator
    from totango_api.reading.pages import Pages
    from totango_api.reading.partitions.partitioners import Partitioner
    from totango_api.reading.result import Proof, Reading, RecordBatch
    from totango_api.search import Page, Query

logger = logging.getLogger(__name__)

FEW_PAGES: Final = 8
"""Pages up to which windows cost hardly more than one pass, and less than one for nothing."""

SEEN_PAGES: Final = 4
"""Pages whose dates are a sample: rows are not kept for longer than that."""

SMALL_PAGES: Final = 2
"""Pages up to which to read them twice costs no more than windows."""

NEARLY: Final = 0.98
"""Share of what a query gives that it may have where rows may come meanwhile."""

TIED: Final = 0.25
"""Share of a page that may have one name: pages overlap by more than that."""


@dataclass
class _State:
    """A query, and what is known of it so far."""

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


class QueryReader:
    """Reads a query, and queries that are parts of it.

    Args:
        pages: Fetches pages.
        keys: Dates by which rows may be read in windows, the safest first.
        partitioners: Ways to read them in partitions.
        given: Deduplicates rows.
        ways: Counts how queries were read.

    Attributes:
        is_in_parts: Whether rows were read in windows or in partitions, while rows moved.
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
            pages, given, self._sample, ways, batch=self._batch, read=self.part
        )
        self.is_in_parts = False

    def batches(self, query: Query, first: Page) -> Reading:
        """Yield the rows of a whole query; return how many are missing.

        Args:
            query: What to read.
            first: Its first page, already fetched.

        Raises:
            ApiError: If pages cannot be had.
        """
        return self._read(query, first, self._keys, self._partitioners, is_part=False)

    def part(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey],
        ways: Sequence[Partitioner] | None = None,
    ) -> Reading:
        """Yield the rows of a part of a query; return how many are missing.

        Args:
            query: The part.
            first: Its first page, already fetched.
            keys: Dates to read it by.
            ways: Ways to read it in partitions; None = all.

        Raises:
            ApiError: If pages cannot be had.
        """
        ways = self._partitioners if ways is None else ways
        return self._read(query, first, keys, ways, is_part=True)

    def _read(
        self,
        query: Query,
        first: Page,
        keys: Sequence[DateKey],
        ways: Sequence[Partitioner],
        *,
        is_part: bool,
    ) -> Reading:
        if is_whole(first, self._pages.size):
            self._ways["in one answer, which is a snapshot"] += 1
            yield self._batch(first)
            return 0
        before = len(self._given)
        state = _State(query, first, keys, ways, Remainder(self._pages), before, is_part)
        state.total = first.total_hits or 0
        covering = self._covering(state)
        if (yield from self._at_once(state, covering)):
            return 0
        for key in covering:
            try:
                return (yield from self._windows(state, key))
            except KeyNotUsableError as error:
                logger.info("Not reading by %s: %s", key.name, error)
        return (yield from self._undated(state))

    def _covering(self, state: _State) -> list[DateKey]:
        """Return the dates by which a query is read in windows, judged by some of its rows."""
        pages, hits, total = self._pages, state.first.hits, state.total
        if total >= pages.most:
            return [] if state.is_named else keys_of_all(state.keys, hits)
        if total <= SMALL_PAGES * pages.size:
            return []
        return [key for key in keys_of_all(state.keys, hits) if key.parts(hits, total, pages.size)]

    # All at once ------------------------------------------------------------------------------

    def _at_once(self, state: _State, covering: Sequence[DateKey]) -> Proof:
        """Yield pages, and then the remainder; return whether it is shown that none is missing."""
        pages, total, remainder = self._pages, state.total, state.remainder
        yield self._noted(state, state.first)
        can_exclude = remainder.is_worth_it(total)
        is_small = total <= FEW_PAGES * pages.size
        is_tied = can_exclude and largest_group(state.first) > TIED * pages.size
        is_reached = total < pages.most * (NEARLY if covering else 1)
        is_worth_it = is_reached and not is_small and not is_tied and (can_exclude or covering)
        if is_worth_it and (yield from self._quietly(state)):
            return True
        state.is_moving = state.is_moving or is_small or is_tied
        is_parted = state.is_named or any(
            key.alike(state.first.hits, total) < pages.size for key in covering
        )
        if not can_exclude or (total >= pages.most and is_parted):
            return False
        counted = None if state.first.total_hits is None else state.total
        is_proven = yield from remainder.batches(state.query, counted, self._batch)
        if is_proven:
            self._ways["by leaving out what came, until nothing was left"] += 1
        return is_proven

    def _quietly(self, state: _State) -> Proof:
        """Yield pages until rows are seen to move; return whether none did."""
        reading = PagesRead(self._pages, state.query, state.first, stops_when_moved=True)
        for page in reading.pages():
            yield self._noted(state, page)
        state.is_moving, state.total = reading.has_moved, reading.last_total or state.total
        if reading.is_quiet:
            self._ways["page by page, while nothing moved"] += 1
        return reading.is_quiet

    def _noted(self, state: _State, page: Page) -> RecordBatch:
        state.remainder.add(page.keys)
        if len(state.seen) < SEEN_PAGES:
            state.seen.append(page)
        return self._batch(page)

    # By a date --------------------------------------------------------------------------------

    def _windows(self, state: _State, key: DateKey) -> Reading:
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
            otherwise=lambda query, first: self.part(query, first, others, state.ways),
        )
        yield from reader.batches()
        has_other_rows = len(self._given) - state.rows_before != state.total
        self.is_in_parts = self.is_in_parts or is_moving or reader.has_moved or has_other_rows
        self._ways[f"in windows of {key.name}"] += 1
        return reader.missing

    # Without one ------------------------------------------------------------------------------

    def _undated(self, state: _State) -> Reading:
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

    def _repeatedly(self, state: _State, ways: Sequence[Partitioner]) -> Reading:
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

    def _batch(self, page: Page) -> RecordBatch:
        batch = self._given.new(page)
        self._sample.take(batch.hits)
        return batch
