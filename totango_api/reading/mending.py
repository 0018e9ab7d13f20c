"""Rows of a query within reach that did not come at first: where to look for them again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.name_splitting import named_like
from totango_api.reading.paginator import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.cutting import Cutter
    from totango_api.reading.deduplication import Part, Seen
    from totango_api.reading.doubts import Doubts
    from totango_api.reading.paginator import QueryReader, Tally
    from totango_api.reading.pieces import Piece
    from totango_api.search.endpoint import Hit, Page
    from totango_api.search.query import Query

logger = logging.getLogger(__name__)

STRADDLING_NAMES: Final = 25
"""Names asked for in one `or` term."""


class Mender:
    """Looks for the rows that a query within reach did not give.

    Args:
        cutter: Cuts a query that must be read in smaller pieces.
        query: What the pieces are pieces of.
        reader: Reads what is within reach.
        seen: Tells rows apart.
        doubts: Whether looking again is worth it.
    """

    def __init__(
        self, cutter: Cutter, query: Query, reader: QueryReader, seen: Seen, doubts: Doubts
    ) -> None:
        self._cutter = cutter
        self._query = query
        self._reader = reader
        self._seen = seen
        self._doubts = doubts
        self._at_work = False

    def rows(self, piece: Piece, query: Query, first: Page, tally: Tally) -> Iterator[list[Hit]]:
        """Yield rows of a query that did not come at first."""
        if self._cutter.out_of_reach(first):
            yield from self._mended(piece, first, self._cutter.reach, tally.part)
        if self._doubts.worth_it(tally) and tally.straddling:
            yield from self._straddling(piece, tally)
        if self._doubts.worth_it(tally):
            logger.info("%s rows are short of %s: reading again.", tally.missing, tally.total)
            if tally.fell:
                logger.info("Rows went away while others were read.")
            shuffled = tally.repeated > 0
            yield from self._reader.again(query, tally)
            if (
                shuffled
                and self._doubts.worth_it(tally)
                and len(first.hits) >= self._cutter.full_page
            ):
                # Rows that sort alike change places between pages: pieces of one page do not.
                yield from self._mended(piece, first, self._reader.paging.page_size, tally.part)

    def _mended(self, piece: Piece, first: Page, reach: int, part: Part) -> Iterator[list[Hit]]:
        """Cut a query that was within reach, but did not give all its rows: once, not its parts."""
        if self._at_work:
            return
        self._at_work = True
        try:
            for batch in self._cutter.cut(piece, first, reach, part):
                yield batch.hits
        finally:
            self._at_work = False

    def _straddling(self, piece: Piece, tally: Tally) -> Iterator[list[Hit]]:
        """Yield the rows whose names stand on the edge of two pages: some have been missed."""
        names = sorted(name for name in tally.straddling if name.strip())
        for start in range(0, len(names), STRADDLING_NAMES):
            some = names[start : start + STRADDLING_NAMES]
            smaller = piece.cut("straddling", named_like(some))
            query = self._query.narrowed(*smaller.all_terms())
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
                yield from self._mended(smaller, first, self._reader.paging.page_size, part)
