"""Reads everything that a query matches, or says what is missing: the door of this room.

Every row that matches from the first call of a read to its last is given, even while the tenant
changes. Rows that come, go, or change whether they match may or may not be.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from totango_api.reading.date_keys import DateKey, KeyNotUsableError, Window
from totango_api.reading.deduplication import Deduplicator
from totango_api.reading.pages import NO_HINTS, Hints, Pages, Paging, is_whole
from totango_api.reading.query_reader import QueryReader
from totango_api.reading.remainder import Remainder
from totango_api.reading.result import ReadResult, RecordBatch, ResumePoint
from totango_api.reading.windows.reader import WindowReader
from totango_api.text import rows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from totango_api.reading.partitions.partitioners import Partitioner
    from totango_api.search import Page, Query, Search

logger = logging.getLogger(__name__)


@dataclass
class CompleteRead:
    """One read of everything that a query matches.

    Args:
        search: The endpoint.
        query: What to read.
        keys: Dates by which it may be read in windows, the safest first.
        partitioners: Ways to read it in partitions.
        paging: How pages are asked for.
        resume: Where an interrupted read of the same query stopped.
        hints: What the service was found to refuse earlier.

    Attributes:
        result: The result so far.
    """

    search: Search
    query: Query
    keys: Sequence[DateKey] = ()
    partitioners: Sequence[Partitioner] = ()
    paging: Paging = field(default_factory=Paging)
    resume: ResumePoint | None = None
    hints: Hints = NO_HINTS

    def __post_init__(self) -> None:
        self.keys = self.hints.usable(self.keys)
        self.result = ReadResult()

    def batches(self) -> Iterator[RecordBatch]:
        """Yield rows, each key once; again only where it has changed since.

        Raises:
            ApiError: If the plain query itself fails.
        """
        pool = ThreadPoolExecutor(self.paging.in_flight, thread_name_prefix="search")
        given, first_call = Deduplicator(), self.search.calls
        self._rows_before = 0
        pages = Pages(self.search, self.paging, pool, self.hints)
        remainder = Remainder(pages)
        try:
            for batch in self._batches(pages, given, remainder):
                remainder.add(batch.keys)
                self.result.calls = self.search.calls - first_call
                yield batch
        finally:
            # Calls under way end by themselves; nobody waits for their responses.
            pool.shutdown(wait=False, cancel_futures=True)
            self.result.calls = self.search.calls - first_call
            self.result.rows = self._rows_before + len(given)
            self.result.unreadable = given.keyless + pages.unreadable_hits
            self.result.doubled = given.doubled
            given.close()

    def _batches(
        self, pages: Pages, given: Deduplicator, remainder: Remainder
    ) -> Iterator[RecordBatch]:
        """Yield all rows; where they were read in parts, ask at last whether any is left."""
        first = pages.learn_size(self.query, pages.first(self.query))
        self.result.total = first.total_hits
        given.reserve(first.total_hits or 0)
        reader = QueryReader(pages, self.keys, self.partitioners, given, self.result.ways)
        if (
            self.resume is not None
            and not is_whole(first, pages.size)
            and (yield from self._resumed(self.resume, pages, given, first, reader))
        ):
            return
        missing = yield from reader.batches(self.query, first)
        left = remainder.batches(self.query, first.total_hits, given.new)
        if reader.is_in_parts and (yield from left):
            return
        # Partitions may count rows as missing that came in another way.
        most = (first.total_hits or 0) - len(given) - given.keyless
        self.result.missing = min(missing, max(most, 1)) if missing else missing

    def _resumed(
        self,
        resume: ResumePoint,
        pages: Pages,
        given: Deduplicator,
        first: Page,
        reader: QueryReader,
    ) -> Generator[RecordBatch, None, bool]:
        """Yield what an interrupted read has left; return whether that was possible."""
        key = next((one for one in self.keys if one.name == resume.key), None)
        if key is None:
            return False
        others = [one for one in self.keys if one.name != key.name]
        logger.info("Going on after the %s of an interrupted read.", rows(resume.rows))
        gaps = [Window(low, high) for low, high in resume.windows]
        total = first.total_hits or 0
        windows = WindowReader(
            pages,
            self.query,
            key,
            given,
            first,
            total,
            gaps=gaps,
            otherwise=lambda query, first: reader.part(query, first, others),
        )
        try:
            yield from windows.batches(resume.rows)
        except KeyNotUsableError as error:
            logger.info("Beginning again: %s", error)
            return False
        self.result.missing = windows.missing
        self.result.ways[f"in windows of {key.name}, behind an interrupted read"] += 1
        self._rows_before = resume.rows
        return True
