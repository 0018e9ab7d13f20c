"""Reading everything that a query matches, or knowing how much is missing.

A query within reach is read page by page. One out of reach is cut into pieces
(:mod:`totango_api.splitters`), which are cut again until they are within reach. Rows are told
apart by key, and counted against what the server says it has.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from totango_api.date_splitting import DateWindows
from totango_api.doubts import Doubts
from totango_api.errors import RefusedError, UnavailableError
from totango_api.name_splitting import named_like
from totango_api.outcomes import Batch, Outcome, Plan
from totango_api.paging import PROBE_SECONDS, Paging, QueryReader, Tally
from totango_api.passes import Passes, Sample
from totango_api.pieces import WHOLE, Piece
from totango_api.seen import Seen
from totango_api.splitters import Partitions
from totango_api.walks import ListWalk

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from totango_api.queries import Query, Term
    from totango_api.search import Hit, Page, Search
    from totango_api.seen import Part
    from totango_api.splitting import Splitter
    from totango_api.walks import Walk

logger = logging.getLogger(__name__)


STRADDLING_NAMES: Final = 25
"""Names asked for in one `or` term."""

MOST_WAYS: Final = 4
"""Ways in which one piece is cut for the rows that it must still bring."""

_MISFIT: Final = 0.8
"""What the coverage of a splitter is worth whose pieces would have to be cut again."""


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
        self._unusable: set[str] = set()
        self._serves_beyond: bool | None = None
        self._doubts = Doubts()
        self._full_page = 0
        self._gaps = 0
        self._mending = False
        self._sample = Sample()
        self._first_call = self.search.calls

    def batches(self) -> Iterator[Batch]:
        """Yield rows, each key once; afterwards `outcome` tells what it came to.

        Raises:
            ApiError: If the plain query itself fails.
        """
        pool = ThreadPoolExecutor(self.paging.in_flight, thread_name_prefix="search")
        self._reader = QueryReader(self.search, self.paging, pool, self._seen)
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
        self._full_page = max(len(first.hits), 1)
        self._seen.reserve(first.total_hits)
        carried = 0
        with self._seen.part() as whole:
            if not self._out_of_reach(first):
                yield from self._plainly(first)
            elif self.resume is not None:
                carried = yield from self._resumed(self.resume, first, whole)
            elif not self._well_cut(first) and self._asks_beyond():
                yield from self._plainly(first)
            else:
                yield from self._cut_whole(first, whole)
        self.outcome.rows = carried + len(self._seen)

    def _plainly(self, first: Page) -> Iterator[Batch]:
        for hits in self._leaf(WHOLE, self.query, first):
            yield Batch(self._new(hits))

    def _well_cut(self, first: Page) -> bool:
        """Tell whether all rows seen have a date to cut by, so that nothing else need be tried."""
        best = next(iter(self._ranked(first)), None)
        total = first.total_hits or 0
        whole = best is not None and best.coverage(first.hits) == 1
        return whole and isinstance(best, DateWindows) and best.fits(first.hits, total, self._reach)

    def _asks_beyond(self) -> bool:
        """Find out, once, whether the server serves rows beyond its documented window."""
        if self._serves_beyond is None:
            self._serves_beyond = self._reader.serves_beyond(self.query)
        return self._serves_beyond

    def _out_of_reach(self, first: Page) -> bool:
        return not self._serves_beyond and (self._believed(first) or 0) > self._reach

    def _believed(self, first: Page) -> int | None:
        """Return how many rows a piece has; a page that is not full disproves a higher count."""
        if first.total_hits is None or len(first.hits) >= self._full_page:
            return first.total_hits
        return min(first.total_hits, len(first.hits) + first.odd_hits)

    @property
    def _reach(self) -> int:
        """Rows that one query gives: a window from each end, if the server sorts both ways."""
        return self.paging.window * (1 if self._reader.one_way else 2)

    def _cut_whole(self, first: Page, whole: Part) -> Iterator[Batch]:
        for batch in self._cut(WHOLE, first, self._reach, whole):
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
            for batch in self._walked(splitter, ListWalk(pieces), Passes()):
                hits = self._new(batch.hits)
                rows = plan.rows + len(self._seen)
                yield Batch(hits, batch.plan and replace(batch.plan, rows=rows))
        if plan.rows + len(self._seen) >= (first.total_hits or 0):
            return plan.rows
        # Rows outside every piece: what was read before cannot be told from them.
        yield from self._cut_whole(first, whole)
        return 0

    # Any piece --------------------------------------------------------------------------

    def _ranked(self, first: Page, last: frozenset[str] = frozenset()) -> list[Splitter]:
        """Return the usable splitters, the most promising first.

        Args:
            first: A page of what is to be cut.
            last: Names of those that come last, because they were tried on these rows before.
        """
        sample, total = first.hits, first.total_hits or 0

        def promise(splitter: Splitter) -> tuple[bool, float]:
            share = splitter.coverage(sample)
            if not splitter.fits(sample, total, self._reach):
                share *= _MISFIT
            return splitter.name in last, -round(share, 2)

        usable = [one for one in self.splitters if one.name not in self._unusable]
        return sorted((one for one in usable if one.coverage(sample) > 0), key=promise)

    def _first_of(self, splitter: Splitter, piece: Piece) -> Page | None:
        """Return the first page of a piece; None when the server does not take its terms."""
        query = self.query.narrowed(*piece.all_terms())
        try:
            first = self._reader.first(query, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            self._give_up(splitter, f"it is refused: {error}")
            return None
        if any(not splitter.honoured(piece, hit) for hit in first.hits):
            self._give_up(splitter, "the server ignores it")
            return None
        return first

    def _piece(self, piece: Piece, first: Page, done: Passes) -> Iterator[list[Hit]]:
        """Yield the rows of a piece, unless earlier passes must have had them all."""
        query = self.query.narrowed(*piece.all_terms())
        lacking = self._lacking(query, first, done.covered) if done.covered else None
        if lacking == 0:
            yield self._seen.take(first.hits)[0]
        elif self._out_of_reach(first):
            yield from self._inner(piece, query, first, done, lacking)
        else:
            known = len(self._seen)
            for hits in self._leaf(piece, query, first):
                yield hits
                if lacking is not None and len(self._seen) - known >= lacking:
                    break  # the rest was read by earlier passes

    def _give_up(self, splitter: Splitter, why: str) -> None:
        self._unusable.add(splitter.name)
        level = logging.WARNING if isinstance(splitter, Partitions) else logging.INFO
        logger.log(level, "Not cutting by %s: %s", splitter.name, why)

    def _lacking(self, query: Query, first: Page, covered: tuple[Term, ...]) -> int | None:
        """Return, at the cost of one call, how many rows earlier passes cannot have had."""
        total = first.total_hits or 0
        if total <= 2 * self.paging.page_size:
            return None
        term = covered[0] if len(covered) == 1 else {"type": "or", "or": list(covered)}
        try:
            narrowed = self.search.page(query.narrowed(term).at(0, 1))
        except RefusedError:
            return None
        return None if narrowed.total_hits is None else max(total - narrowed.total_hits, 0)

    def _inner(
        self, piece: Piece, query: Query, first: Page, done: Passes, lacking: int | None
    ) -> Iterator[list[Hit]]:
        """Yield the rows of a piece that is itself out of reach.

        It is cut one way only, unless it is known how many rows it must bring. Rows that this
        misses are left to another pass over the whole: were each piece to look for its own, the
        work would multiply.
        """
        known, ways = len(self._seen), 1 if lacking is None else MOST_WAYS
        with self._seen.part() as part:
            yield self._seen.take(first.hits)[0]
            for splitter in self._ranked(first, last=done.names):
                walk = splitter.walk(piece, first.hits, first.total_hits or 0, self._reach)
                if walk is None or not splitter.disjoint:
                    continue
                for batch in self._walked(splitter, walk, done):
                    yield batch.hits
                ways -= splitter.name not in self._unusable
                if not ways or (lacking is not None and len(self._seen) - known >= lacking):
                    break
            if part.rows < (first.total_hits or 0):
                self._gaps += 1
            if part.rows <= len(first.hits):
                with self._seen.part() as again:
                    yield from self._reader.rows(query, first, Tally(again))

    def _cut(self, piece: Piece, first: Page, reach: int, part: Part) -> Iterator[Batch]:
        """Yield the rows of smaller pieces, in as many passes as it takes to find them all.

        Args:
            piece: What to cut.
            first: Its first page.
            reach: Rows that a smaller piece should have at most.
            part: Counts the rows of the piece.
        """
        total = first.total_hits or 0
        yield Batch(self._seen.take(first.hits)[0])
        done, passed = Passes(), False
        for splitter in self._ranked(first):
            # The first page is one end of the alphabet; later there is a fairer sample.
            sample = self._sample.hits if done.names else first.hits
            walk = splitter.walk(piece, sample, total, reach)
            if walk is None:
                continue
            if passed and piece is WHOLE and self._asks_beyond():
                yield from map(Batch, self._leaf(WHOLE, self.query, first))
                return
            gaps, passed = self._gaps, True
            for batch in self._walked(splitter, walk, done):
                resumable = not done.names and splitter.disjoint
                yield batch if resumable else Batch(batch.hits)
                if part.rows >= total:
                    return
            if self._doubts.explain(total - part.rows):
                return
            if splitter.name not in self._unusable:
                logger.info(
                    "%s rows are missing of those cut by %s.", total - part.rows, splitter.name
                )
                covered = splitter.covered() if self._gaps == gaps else None
                done = done.and_then(splitter.name, covered)

    def _walked(self, splitter: Splitter, walk: Walk, done: Passes) -> Iterator[Batch]:
        """Yield the rows of one piece after another, and what is left after each."""
        while (piece := walk.next()) is not None:
            first = self._first_of(splitter, piece)
            if first is None:
                return
            if not walk.counted(self._believed(first), first.hits):
                yield Batch(self._seen.take(first.hits)[0])
                continue
            for hits in self._piece(piece, first, done):
                yield Batch(hits)
            plan = Plan(splitter.name, tuple(one.terms for one in walk.rest()))
            yield Batch([], plan if plan.portable else None)

    def _leaf(self, piece: Piece, query: Query, first: Page) -> Iterator[list[Hit]]:
        """Yield the rows of a query within reach; a shortfall is read once more."""
        with self._seen.part() as part:
            tally = Tally(part)
            yield from self._reader.rows(query, first, tally)
            one_way = not tally.complete and self._out_of_reach(first)  # which only now showed
            if one_way and piece is WHOLE and self._asks_beyond():
                yield from self._reader.beyond(query, first, tally)
            if self._doubts.worth_it(tally):
                rows = part.rows
                yield from self._repaired(piece, query, first, tally)
                self._doubts.weigh(tally, part.rows - rows)
            self._gaps += not tally.complete
            self._note(piece, tally)

    def _repaired(
        self, piece: Piece, query: Query, first: Page, tally: Tally
    ) -> Iterator[list[Hit]]:
        """Yield rows of a query that did not come at first."""
        if self._out_of_reach(first):
            yield from self._mended(piece, first, self._reach, tally.part)
        if self._doubts.worth_it(tally) and tally.straddling:
            yield from self._straddling(piece, tally)
        if self._doubts.worth_it(tally):
            logger.info("%s rows are short of %s: reading again.", tally.missing, tally.total)
            if tally.fell:
                logger.info("Rows went away while others were read.")
            shuffled = tally.repeated > 0
            yield from self._reader.again(query, tally)
            if shuffled and self._doubts.worth_it(tally) and len(first.hits) >= self._full_page:
                # Rows that sort alike change places between pages: pieces of one page do not.
                yield from self._mended(piece, first, self.paging.page_size, tally.part)

    def _mended(self, piece: Piece, first: Page, reach: int, part: Part) -> Iterator[list[Hit]]:
        """Cut a query that was within reach, but did not give all its rows: once, not its parts."""
        if self._mending:
            return
        self._mending = True
        try:
            for batch in self._cut(piece, first, reach, part):
                yield batch.hits
        finally:
            self._mending = False

    def _straddling(self, piece: Piece, tally: Tally) -> Iterator[list[Hit]]:
        """Yield the rows whose names stand on the edge of two pages: some have been missed."""
        names = sorted(name for name in tally.straddling if name.strip())
        for start in range(0, len(names), STRADDLING_NAMES):
            some = names[start : start + STRADDLING_NAMES]
            smaller = piece.cut("straddling", named_like(some))
            query = self.query.narrowed(*smaller.all_terms())
            try:
                first = self._reader.first(query, max_retry_seconds=PROBE_SECONDS)
            except (RefusedError, UnavailableError) as error:
                logger.info("Rows cannot be had by name: %s", error)
                return
            if (first.total_hits or 0) >= (tally.total or 0):
                return  # the server ignores the names
            if (first.total_hits or 0) <= len(first.hits):
                yield self._seen.take(first.hits)[0]
                continue
            with self._seen.part() as part:
                yield from self._mended(smaller, first, self.paging.page_size, part)

    def _note(self, piece: Piece, tally: Tally) -> None:
        outcome = self.outcome
        outcome.unreadable += tally.keyless + tally.odd
        outcome.repeated += tally.repeated
        outcome.steady = outcome.steady and tally.steady
        outcome.shifted = outcome.shifted or tally.fell
        if piece is WHOLE:
            outcome.total = tally.total
            outcome.ended = tally.ended

    def _new(self, hits: list[Hit]) -> list[Hit]:
        self._sample.take(hits)
        return hits
