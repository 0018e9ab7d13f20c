"""Reads the pages of a query again, until two passes leave no place for a row to slip through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.reading.keyset import KeySet
from totango_api.reading.pages import is_whole
from totango_api.reading.pages_read import PagesRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.pages import Pages
    from totango_api.search import Hit, Page, Query

QUIET_SEAMS: Final = 5
"""Seams that must all be exact before one pass is believed: fewer may be so by chance."""

PASSES: Final = 4
"""Passes over the same pages, two in a row of which must leave no seam open."""

ENOUGH: Final = 2
"""Passes in a row that must be in order."""


class RepeatedRead:
    """Reads the pages of a query again, until nothing can be missing or it is known what is.

    Args:
        pages: Fetches pages.
        query: What to read.
        first: Its first page, already fetched.

    Attributes:
        is_proven: Whether nothing can be missing.
        closed_seams: Whether that is since no seam was open.
        has_moved: Whether rows were seen to come or to go.
        missing: Rows that were counted and did not come; None where counts do not tell.
    """

    def __init__(self, pages: Pages, query: Query, first: Page) -> None:
        self._pages = pages
        self._query = query
        self._first = first
        self.is_proven = False
        self.closed_seams = False
        self.has_moved = False
        self.missing: int | None = None

    def hits(self) -> Iterator[list[Hit]]:
        """Yield the hits of each page of each pass.

        Raises:
            ApiError: If pages cannot be had.
        """
        found, in_order, odd, overlap = KeySet(), 0, 0, 0
        total = self._first.total_hits
        totals = {total}
        page: Page | None = self._first
        for _ in range(PASSES):
            page = page or self._pages.first(self._query)
            if is_whole(page, self._pages.size):
                yield page.hits
                self.is_proven = True
                return
            reading, page = PagesRead(self._pages, self._query, page, overlap=overlap), None
            for hits in reading.hits():
                found.add_all([key for hit in hits if (key := self._pages.search.key(hit))])
                yield hits
            odd = reading.odd
            totals |= reading.totals
            in_order = in_order + 1 if reading.is_linked or reading.is_quiet else 0
            if (reading.is_quiet and reading.seams >= QUIET_SEAMS) or in_order == ENOUGH:
                self.is_proven = self.closed_seams = True
                return
            self.has_moved = len(totals) > 1
            more = total is not None and len(found) + odd > total
            if reading.missing != 0 or (reading.is_tied and (self.has_moved or more)):
                break
            overlap = overlap if reading.is_linked else max(overlap, reading.wide_overlap)
        if total is not None and not self.has_moved:
            self.missing = total - len(found) - odd
        found.close()
        self.is_proven = self.missing == 0
