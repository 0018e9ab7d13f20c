"""Reads the pages of a query again, until no pass leaves a place for a row to slip through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.reading.deduplication import KeySet
from totango_api.reading.overlap.pages_read import PagesRead
from totango_api.reading.pages import is_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.pages import Pages
    from totango_api.search import Page, Query

QUIET_SEAMS: Final = 5
"""Seams that must all be exact before one pass is believed: fewer may be so by chance."""

PASSES: Final = 5
"""Passes over the same pages, at most."""

ENOUGH: Final = 2
"""Passes in a row that must leave no seam open."""

CHANCE: Final = 0.001
"""Rows that may be lost, on average, since in each pass they were renamed to where it had been."""


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
        is_overcounted: Whether more rows are counted than stand in the places up to the end.
        missing: Rows that were counted and did not come; None where counts do not tell.
    """

    def __init__(self, pages: Pages, query: Query, first: Page) -> None:
        self._pages = pages
        self._query = query
        self._first = first
        self._found = KeySet()
        self._names = KeySet()
        self.is_proven = False
        self.closed_seams = False
        self.has_moved = False
        self.is_overcounted = False
        self.missing: int | None = None

    def pages(self) -> Iterator[Page]:
        """Yield each page of each pass.

        Raises:
            ApiError: If pages cannot be had.
        """
        try:
            yield from self._passes()
        finally:
            self._found.close()
            self._names.close()

    def _passes(self) -> Iterator[Page]:
        in_order, unreadable, overlap = 0, 0, 0
        total = self._first.total_hits
        totals = {total}
        for number in range(PASSES):
            page = self._pages.first(self._query) if number else self._first
            if is_whole(page, self._pages.size):
                yield page
                self.is_proven = True
                return
            reading = PagesRead(self._pages, self._query, page, overlap=overlap)
            for each in reading.pages():
                self._note(each)
                yield each
            unreadable = reading.unreadable
            totals |= reading.totals
            in_order = in_order + 1 if reading.is_linked or reading.is_quiet else 0
            is_quiet = reading.is_quiet and reading.seams >= QUIET_SEAMS
            if is_quiet or (in_order >= ENOUGH and self._hidden(number + 1) < CHANCE):
                self.is_proven = self.closed_seams = True
                return
            self.has_moved = len(totals) > 1
            self.is_overcounted = reading.is_overcounted
            more = total is not None and len(self._found) + unreadable > total
            if reading.missing != 0 or (reading.is_tied and (self.has_moved or more)):
                break
            overlap = overlap if reading.is_linked else max(overlap, reading.wide_overlap)
        if total is not None and not self.has_moved:
            self.missing = total - len(self._found) - unreadable
        self.is_proven = self.missing == 0

    def _note(self, page: Page) -> None:
        named = zip(page.keys, page.sort_names, strict=True)
        self._found.add_all([key for key in page.keys if key is not None])
        self._names.add_all([(*key, name) for key, name in named if key is not None])

    def _hidden(self, passes: int) -> float:
        """Return how many rows, by chance, were renamed to where it had been, in each pass.

        Half of the renames in a pass lead there, and half of these concern rows not yet read.
        """
        rows = max(len(self._found), 1)
        renamed = (len(self._names) - len(self._found)) / passes
        return rows * (renamed / rows / 4) ** passes
