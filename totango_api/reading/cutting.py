"""Reading a query in pieces: cut, gone through, cut again, until each piece is within reach."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.doubts import Doubts
from totango_api.reading.mending import Mender
from totango_api.reading.paginator import PROBE_SECONDS, Tally
from totango_api.reading.passes import Passes, Sample
from totango_api.reading.pieces import WHOLE
from totango_api.reading.result import Batch, Outcome, Plan
from totango_api.reading.splitters import Partitions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from totango_api.reading.deduplication import Part, Seen
    from totango_api.reading.paginator import QueryReader
    from totango_api.reading.pieces import Piece
    from totango_api.reading.splitting import Splitter
    from totango_api.reading.walks import Walk
    from totango_api.search.endpoint import Hit, Page
    from totango_api.search.query import Query, Term

logger = logging.getLogger(__name__)

IDLE_WAYS: Final = 4
"""Ways that may bring nothing in which a piece is cut for the rows that it still lacks."""

_MISFIT: Final = 0.8
"""What the coverage of a splitter is worth whose pieces would have to be cut again."""


class Cutter:
    """Reads the pieces of one query.

    Args:
        query: What is cut.
        splitters: Ways to cut it.
        reader: Reads pieces within reach.
        seen: Tells rows apart.
        outcome: Takes in what reading came to.

    Attributes:
        full_page: Rows on a full page of the query.
        sample: Some of the rows read so far; whoever emits rows fills it.
    """

    def __init__(
        self,
        query: Query,
        splitters: Sequence[Splitter],
        reader: QueryReader,
        seen: Seen,
        outcome: Outcome,
    ) -> None:
        self._query = query
        self._splitters = splitters
        self._reader = reader
        self._seen = seen
        self._outcome = outcome
        self._unusable: set[str] = set()
        self._serves_beyond: bool | None = None
        self._doubts = Doubts()
        self._mender = Mender(self, query, reader, seen, self._doubts)
        self._gaps = 0
        self.full_page = 1
        self.sample = Sample()

    # What is in reach -----------------------------------------------------------------------

    def asks_beyond(self) -> bool:
        """Find out, once, whether the server serves rows beyond its documented window."""
        if self._serves_beyond is None:
            self._serves_beyond = self._reader.serves_beyond(self._query)
        return self._serves_beyond

    def out_of_reach(self, first: Page) -> bool:
        """Tell whether a query has more rows than can be read of it."""
        return not self._serves_beyond and (self._believed(first) or 0) > self.reach

    def _believed(self, first: Page) -> int | None:
        """Return how many rows a piece has; a page that is not full disproves a higher count."""
        if first.total_hits is None or len(first.hits) >= self.full_page:
            return first.total_hits
        return min(first.total_hits, len(first.hits) + first.odd_hits)

    @property
    def reach(self) -> int:
        """Rows that one query gives: a window from each end, if the server sorts both ways."""
        return self._reader.paging.window * (1 if self._reader.one_way else 2)

    # Pieces ---------------------------------------------------------------------------------

    def cut(self, piece: Piece, first: Page, reach: int, part: Part) -> Iterator[Batch]:
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
        for splitter in self.ranked(first):
            # The first page is one end of the alphabet; later there is a fairer sample.
            sample = self.sample.hits if done.names else first.hits
            walk = splitter.walk(piece, sample, total, reach)
            if walk is None:
                continue
            if passed and piece is WHOLE and self.asks_beyond():
                yield from map(Batch, self.leaf(WHOLE, self._query, first))
                return
            gaps, passed = self._gaps, True
            for batch in self.walked(splitter, walk, done):
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

    def walked(self, splitter: Splitter, walk: Walk, done: Passes) -> Iterator[Batch]:
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

    def ranked(self, first: Page, last: frozenset[str] = frozenset()) -> list[Splitter]:
        """Return the usable splitters, the most promising first.

        Args:
            first: A page of what is to be cut.
            last: Names of those that come last, because they were tried on these rows before.
        """
        sample, total = first.hits, first.total_hits or 0

        def promise(splitter: Splitter) -> tuple[bool, float]:
            share = splitter.coverage(sample)
            if not splitter.fits(sample, total, self.reach):
                share *= _MISFIT
            return splitter.name in last, -round(share, 2)

        usable = [one for one in self._splitters if one.name not in self._unusable]
        return sorted((one for one in usable if one.coverage(sample) > 0), key=promise)

    def _first_of(self, splitter: Splitter, piece: Piece) -> Page | None:
        """Return the first page of a piece; None when the server does not take its terms."""
        query = self._query.narrowed(*piece.all_terms())
        try:
            first = self._reader.first(query, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError) as error:
            self._give_up(splitter, f"it is refused: {error}")
            return None
        if any(not splitter.honoured(piece, hit) for hit in first.hits):
            self._give_up(splitter, "the server ignores it")
            return None
        return first

    def _give_up(self, splitter: Splitter, why: str) -> None:
        self._unusable.add(splitter.name)
        level = logging.WARNING if isinstance(splitter, Partitions) else logging.INFO
        logger.log(level, "Not cutting by %s: %s", splitter.name, why)

    def _piece(self, piece: Piece, first: Page, done: Passes) -> Iterator[list[Hit]]:
        """Yield the rows of a piece, unless earlier passes must have had them all."""
        query = self._query.narrowed(*piece.all_terms())
        lacking = self._lacking(query, first, done.covered) if done.covered else None
        if lacking == 0:
            yield self._seen.take(first.hits)[0]
        elif self.out_of_reach(first):
            yield from self._inner(piece, query, first, done, lacking)
        else:
            known = len(self._seen)
            for hits in self.leaf(piece, query, first):
                yield hits
                if lacking is not None and len(self._seen) - known >= lacking:
                    break  # the rest was read by earlier passes

    def _lacking(self, query: Query, first: Page, covered: tuple[Term, ...]) -> int | None:
        """Return, at the cost of one call, how many rows earlier passes cannot have had."""
        total = first.total_hits or 0
        if total <= 2 * self._reader.paging.page_size:
            return None
        term = covered[0] if len(covered) == 1 else {"type": "or", "or": list(covered)}
        try:
            narrowed = self._reader.search.page(query.narrowed(term).at(0, 1))
        except RefusedError:
            return None
        return None if narrowed.total_hits is None else max(total - narrowed.total_hits, 0)

    def _inner(
        self, piece: Piece, query: Query, first: Page, done: Passes, lacking: int | None
    ) -> Iterator[list[Hit]]:
        """Yield the rows of a piece that is itself out of reach.

        It is cut another way as long as that brings rows, and some more where rows are known
        to be missing. Others are left to another pass over the whole: were each piece to look
        for its own without end, the work would multiply.
        """
        total, known, enough = first.total_hits or 0, len(self._seen), False
        idle = 1 if lacking is None else IDLE_WAYS
        with self._seen.part() as part:
            yield self._seen.take(first.hits)[0]
            for splitter in self.ranked(first, last=done.names):
                walk = splitter.walk(piece, first.hits, total, self.reach)
                if walk is None or not splitter.disjoint:
                    continue
                gaps, before = self._gaps, len(self._seen)
                for batch in self.walked(splitter, walk, done):
                    yield batch.hits
                if splitter.name in self._unusable:
                    continue
                found = len(self._seen)
                enough = lacking is not None and found - known >= lacking
                idle -= found == before
                if enough or not idle or self._is_all(part.rows, total):
                    break
                covered = splitter.covered() if self._gaps == gaps else None
                done = done.and_then(splitter.name, covered)
            self._gaps += part.rows < total and not enough
            if part.rows <= len(first.hits):
                with self._seen.part() as again:
                    yield from self._reader.rows(query, first, Tally(again))

    def _is_all(self, rows: int, total: int) -> bool:
        """Tell whether all rows of a piece were seen, or all that will ever be."""
        return rows >= total or self._doubts.in_vain or self._doubts.explain(total - rows)

    # Within reach ---------------------------------------------------------------------------

    def leaf(self, piece: Piece, query: Query, first: Page) -> Iterator[list[Hit]]:
        """Yield the rows of a query within reach; a shortfall is read once more."""
        with self._seen.part() as part:
            tally = Tally(part)
            yield from self._reader.rows(query, first, tally)
            one_way = not tally.complete and self.out_of_reach(first)  # which only now showed
            if one_way and piece is WHOLE and self.asks_beyond():
                yield from self._reader.beyond(query, first, tally)
            if self._doubts.worth_it(tally):
                rows = part.rows
                yield from self._mender.rows(piece, query, first, tally)
                self._doubts.weigh(tally, part.rows - rows)
            self._gaps += not tally.complete
            self._note(piece, tally)

    def _note(self, piece: Piece, tally: Tally) -> None:
        outcome = self._outcome
        outcome.unreadable += tally.keyless + tally.odd
        outcome.repeated += tally.repeated
        outcome.steady = outcome.steady and tally.steady
        outcome.shifted = outcome.shifted or tally.fell
        if piece is WHOLE:
            outcome.total = tally.total
            outcome.ended = tally.ended
