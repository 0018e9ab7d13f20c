"""Fetches and counts partitions of a query: their first pages, and what no partition holds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.coverage import coverage_of
from totango_api.reading.pages import PROBE_SECONDS
from totango_api.reading.partitions.packing import IN_LIST_LENGTH
from totango_api.reading.partitions.partitioners import UserPartitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.reading.pages import Pages
    from totango_api.reading.partitions.partitioners import Partition, Partitioner
    from totango_api.search import Page, Query, Term

logger = logging.getLogger(__name__)


class PartitionPages:
    """Fetches and counts partitions of queries.

    Args:
        pages: Fetches pages.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._has_moved = False

    def most(self, way: Partitioner, total: int) -> int:
        """Return how many rows a partition may have: one page, where none goes to another."""
        if way.is_partition:
            return self._pages.size - 1
        return int(min(self._pages.most * 0.98, total))

    def first(self, query: Query, way: Partitioner, partition: Partition) -> Page | None:
        """Return the first page of a partition; None when the server does not take its filters."""
        narrowed = query.narrowed(*partition.terms)
        level = logging.WARNING if isinstance(way, UserPartitions) else logging.INFO
        try:
            page = self._pages.first(narrowed, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            logger.log(level, "Not reading by %s: it is refused: %s", way.name, error)
            return None
        if any(not way.holds(partition, hit) for hit in page.hits):
            logger.log(level, "Not reading by %s: the server ignores it.", way.name)
            return None
        return page

    def merged(
        self, way: Partitioner, partitions: Sequence[Partition], rows: int, total: int
    ) -> Sequence[Partition]:
        """Return partitions as one, where the query is too large for that, but not their rows."""
        values = [one for each in partitions for one in each.values]
        fits = rows < self._pages.most * 0.98 and len(values) <= IN_LIST_LENGTH
        is_whole = total < self._pages.most or not way.is_disjoint or way.is_partition
        return (
            partitions if is_whole or not fits or len(partitions) < 2 else [way.partition(values)]
        )

    def is_read(self, query: Query, rows: int, done: Sequence[Term]) -> bool:
        """Return, at the cost of a call, whether earlier partitions held all rows of this one."""
        try:
            count = self._pages.count(query.narrowed(_any_of(done)))
        except RefusedError:
            return False
        return count is not None and count >= rows

    def lacking(self, query: Query, total: int, counted: int, held: Term | None) -> int:
        """Return how many rows no partition held.

        Partitions are counted one after another, so that their sum says nothing of a tenant that
        changed meanwhile: there, all rows that any partition holds are counted at once.
        """
        after = self._pages.count(query)
        if after is None or held is None or (after == total and counted <= total):
            return max(min(total, total if after is None else after) - counted, 0)
        self._has_moved = True
        left = coverage_of(self._pages, query, held, after).left_out
        return max(total - counted, 1) if left is None else left

    def remaining(self, query: Query, lacking: int, new: int, done: Sequence[Term]) -> int:
        """Return how many rows no partition held after partitions by other values brought new ones.

        Where the tenant changes, these may have come meanwhile: there, those are counted that are
        in none of the partitions which gave all that they held.
        """
        if not self._has_moved:
            return lacking - new
        after = self._pages.count(query) if done else None
        if after is None:
            return lacking
        try:
            left = coverage_of(self._pages, query, _any_of(done), after).left_out
        except RefusedError:
            return lacking
        return lacking if left is None else left


def _any_of(terms: Sequence[Term]) -> Term:
    return terms[0] if len(terms) == 1 else {"type": "or", "or": list(terms)}
