"""Reading everything that a query matches, or knowing how much is missing.

A query within reach is read page by page. One out of reach is cut into pieces
(:mod:`totango_api.reading.cutting`), which are cut again until they are within reach. Rows are told
apart by key, and counted against what the server says it has.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from totango_api.reading.cutting import Cutter
from totango_api.reading.date_splitting import DateWindows
from totango_api.reading.deduplication import Seen
from totango_api.reading.paginator import Paging, QueryReader, Tally
from totango_api.reading.passes import Passes
from totango_api.reading.pieces import WHOLE, Piece
from totango_api.reading.result import Batch, Outcome, Plan
from totango_api.reading.walks import ListWalk

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from totango_api.reading.deduplication import Part
    from totango_api.reading.splitting import Splitter
    from totango_api.search.endpoint import Hit, Page, Search
    from totango_api.search.query import Query

logger = logging.getLogger(__name__)


@dataclass
class CompleteRead:
    """One read of everything that a query matches.

    Args:
        search: The endpoint.
        query: What to read.
        splitters: Ways to cut it, should it be out of reach.
        paging: How pages are asked for.
        resume: Where an interrupted read of the same query stopped.
    """

    search: Search
    query: Query
    splitters: Sequence[Splitter]
    paging: Paging = field(default_factory=Paging)
    resume: Plan | None = None

    def __post_init__(self) -> None:
        self.outcome = Outcome()
        self._seen = Seen(self.search.key)
        self._first_call = self.search.calls

    def batches(self) -> Iterator[Batch]:
        """Yield rows, each key once; afterwards `outcome` tells what it came to.

        Raises:
            ApiError: If the plain query itself fails.
        """
        pool = ThreadPoolExecutor(self.paging.in_flight, thread_name_prefix="search")
        self._reader = QueryReader(self.search, self.paging, pool, self._seen)
        self._cutter = Cutter(self.query, self.splitters, self._reader, self._seen, self.outcome)
        try:
            yield from self._whole()
        finally:
            # Calls under way end by themselves; nobody waits for their answers.
            pool.shutdown(wait=False, cancel_futures=True)
            self.outcome.calls = self.search.calls - self._first_call
            self._seen.close()

    def _whole(self) -> Iterator[Batch]:
        first = self._reader.first(self.query)
        self.outcome.total = first.total_hits
        self._cutter.full_page = max(len(first.hits), 1)
        self._seen.reserve(first.total_hits)
        carried = 0
        with self._seen.part() as whole:
            if not self._cutter.out_of_reach(first):
                yield from self._plainly(first)
            elif self.resume is not None:
                carried = yield from self._resumed(self.resume, first, whole)
            elif not self._well_cut(first) and self._cutter.asks_beyond():
                yield from self._plainly(first)
            else:
                yield from self._cut_whole(first, whole)
        self.outcome.rows = carried + len(self._seen)

    def _plainly(self, first: Page) -> Iterator[Batch]:
        for hits in self._cutter.leaf(WHOLE, self.query, first):
            yield Batch(self._new(hits))

    def _well_cut(self, first: Page) -> bool:
        """Tell whether all rows seen have a date to cut by, so that nothing else need be tried."""
        best = next(iter(self._cutter.ranked(first)), None)
        total = first.total_hits or 0
        whole = best is not None and best.coverage(first.hits) == 1
        return (
            whole
            and isinstance(best, DateWindows)
            and best.fits(first.hits, total, self._cutter.reach)
        )

    def _cut_whole(self, first: Page, whole: Part) -> Iterator[Batch]:
        for batch in self._cutter.cut(WHOLE, first, self._cutter.reach, whole):
            hits = self._new(batch.hits)
            yield Batch(hits, batch.plan and replace(batch.plan, rows=len(self._seen)))
        if whole.rows + self.outcome.unreadable < (first.total_hits or 0):
            # It cannot be cut any further: read what is in reach of it.
            with self._seen.part() as part:
                for hits in self._reader.rows(self.query, first, Tally(part)):
                    yield Batch(self._new(hits))

    def _resumed(self, plan: Plan, first: Page, whole: Part) -> Generator[Batch, None, int]:
        """Go on where an earlier run stopped; return the rows which that run had read."""
        logger.info("Going on after the %s rows of an interrupted read.", plan.rows)
        splitter = next((one for one in self.splitters if one.name == plan.splitter), None)
        pieces = [Piece(terms) for terms in plan.pieces]
        if splitter is not None:
            for batch in self._cutter.walked(splitter, ListWalk(pieces), Passes()):
                hits = self._new(batch.hits)
                rows = plan.rows + len(self._seen)
                yield Batch(hits, batch.plan and replace(batch.plan, rows=rows))
        if plan.rows + len(self._seen) >= (first.total_hits or 0):
            return plan.rows
        # Rows outside every piece: what was read before cannot be told from them.
        yield from self._cut_whole(first, whole)
        return 0

    def _new(self, hits: list[Hit]) -> list[Hit]:
        self._cutter.sample.take(hits)
        return hits
