"""Chooses how a query is read, so that nothing that matches it throughout can be missed.

In this order: on one page, which is a snapshot; page by page, where nothing moves; by leaving out
what came, until nothing is left. What is not proven then is left to a `FallbackReader`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.reading.date_keys import keys_of_all
from totango_api.reading.deduplication import Sample
from totango_api.reading.fallback_reader import FallbackReader, QueryState
from totango_api.reading.overlap.pages_read import PagesRead
from totango_api.reading.overlap.seams import largest_group
from totango_api.reading.pages import is_whole
from totango_api.reading.remainder import Remainder

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
        self._fallback = FallbackReader(
            pages, given, self._sample, ways, batch=self._batch, read=self.part
        )

    @property
    def is_in_parts(self) -> bool:
        """Whether rows were read in windows or in partitions, while rows moved."""
        return self._fallback.is_in_parts

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
        state = QueryState(query, first, keys, ways, Remainder(self._pages), before, is_part)
        state.total = first.total_hits or 0
        covering = self._covering(state)
        if (yield from self._at_once(state, covering)):
            return 0
        return (yield from self._fallback.batches(state, covering))

    def _covering(self, state: QueryState) -> list[DateKey]:
        """Return the dates by which a query is read in windows, judged by some of its rows."""
        pages, hits, total = self._pages, state.first.hits, state.total
        if total >= pages.most:
            return [] if state.is_named else keys_of_all(state.keys, hits)
        if total <= SMALL_PAGES * pages.size:
            return []
        return [key for key in keys_of_all(state.keys, hits) if key.parts(hits, total, pages.size)]

    # All at once ------------------------------------------------------------------------------

    def _at_once(self, state: QueryState, covering: Sequence[DateKey]) -> Proof:
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

    def _quietly(self, state: QueryState) -> Proof:
        """Yield pages until rows are seen to move; return whether none did."""
        reading = PagesRead(self._pages, state.query, state.first, stops_when_moved=True)
        for page in reading.pages():
            yield self._noted(state, page)
        state.is_moving, state.total = reading.has_moved, reading.last_total or state.total
        if reading.is_quiet:
            self._ways["page by page, while nothing moved"] += 1
        return reading.is_quiet

    def _noted(self, state: QueryState, page: Page) -> RecordBatch:
        state.remainder.add(page.keys)
        if len(state.seen) < SEEN_PAGES:
            state.seen.append(page)
        return self._batch(page)

    def _batch(self, page: Page) -> RecordBatch:
        batch = self._given.new(page)
        self._sample.take(batch.hits)
        return batch
