"""Counts the rows of a query that a filter leaves out, while the tenant changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.overlap.seams import seam_of, slice_of
from totango_api.text import rows

if TYPE_CHECKING:
    from totango_api.reading.date_keys import DateKey
    from totango_api.reading.pages import Pages
    from totango_api.search import Page, Query, Term

ROUNDS: Final = 4
"""How often both are counted before it is believed that some rows are left out."""


@dataclass(frozen=True)
class Coverage:
    """How much of a query a filter leaves.

    Attributes:
        left_out: Rows that do not match the filter; None if they cannot be counted.
        has_moved: Whether rows were seen to come, to go or to change places.
        pages: Some of the rows, as a sample.
    """

    left_out: int | None
    has_moved: bool = False
    pages: tuple[Page, ...] = ()


def coverage_of(pages: Pages, query: Query, term: Term, total: int) -> Coverage:
    """Count what a filter leaves out.

    All rows and those that match are counted in turn. Where the tenant changes, a count of all
    rows before and one after say what it was in between. The counts come with two pages that
    overlap, from the middle: where they do not fit together, rows change places.

    Args:
        pages: Asks.
        query: All rows.
        term: The filter.
        total: Rows of the query, as counted just now.

    Raises:
        ApiError: If the server refuses the filter.
    """
    half = pages.size // 2
    middle = int(max(min(total // 2, pages.reach - pages.size - half), 0))
    least, has_moved, sample = float(total), False, []
    for _ in range(ROUNDS):
        those = pages.probe(query.narrowed(term), middle)
        all_of_them = pages.probe(query, middle + half)
        sample += [those, all_of_them]
        matching, after = those.total_hits, all_of_them.total_hits
        if matching is None or after is None:
            return Coverage(None)
        if matching == after == total == pages.paging.window:
            return Coverage(None)  # perhaps as far as the server counts
        left = (total + after) / 2 - matching
        has_moved = has_moved or total != after or not _fit(pages, middle, those, all_of_them)
        if abs(left) <= (0.5 if total != after else 0):
            return Coverage(0, has_moved, tuple(sample))
        if total == after and left > 0:
            return Coverage(int(left), has_moved)
        least, total = min(least, abs(left)), after
    return Coverage(max(round(least), 1), has_moved)


def full_coverage(pages: Pages, query: Query, key: DateKey, total: int) -> Coverage:
    """Count the rows of a query with a date, which have to be all of them.

    Raises:
        KeyNotUsableError: If they are not, or the server does not filter by it.
    """
    try:
        coverage = coverage_of(pages, query, key.anything, total)
    except (RefusedError, UnavailableError) as error:
        msg = f"it is refused: {error}"
        raise KeyNotUsableError(msg) from error
    if coverage.left_out != 0:
        number = coverage.left_out
        msg = f"not in {'nobody knows how many rows' if number is None else rows(number)}"
        raise KeyNotUsableError(msg)
    return coverage


def _fit(pages: Pages, middle: int, before: Page, after: Page) -> bool:
    """Return whether the second page begins with the second half of the first one, unchanged."""
    half = pages.size // 2
    seam = seam_of(slice_of(before, middle), slice_of(after, middle + half))
    return seam.is_exact
