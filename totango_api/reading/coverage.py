"""Whether filters leave out rows of a query, counted while the tenant changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from totango_api.reading.pages import Pages
    from totango_api.search import Query, Term

ROUNDS: Final = 4
"""How often both are counted before it is believed that some rows are left out."""


@dataclass(frozen=True)
class Coverage:
    """How much of a query a filter leaves.

    Attributes:
        left_out: Rows that do not match the filter; None if they cannot be counted.
        has_moved: Whether the number of rows changed meanwhile.
    """

    left_out: int | None
    has_moved: bool = False


def coverage_of(pages: Pages, query: Query, term: Term, total: int) -> Coverage:
    """Count what a filter leaves out.

    All rows and those that match are counted in turn. Where the tenant changes, a count of all
    rows before and one after say what it was in between.

    Args:
        pages: Asks.
        query: All rows.
        term: The filter.
        total: Rows of the query, as counted just now.

    Raises:
        ApiError: If the server refuses the filter.
    """
    least, has_moved = float(total), False
    for _ in range(ROUNDS):
        matching = pages.count(query.narrowed(term))
        after = pages.count(query)
        if matching is None or after is None:
            return Coverage(None)
        if matching == after == total == pages.paging.window:
            return Coverage(None)  # perhaps as far as the server counts
        left = (total + after) / 2 - matching
        has_moved = has_moved or total != after
        if abs(left) <= (0.5 if total != after else 0):
            return Coverage(0, has_moved)
        if total == after and left > 0:
            return Coverage(int(left), has_moved)
        least, total = min(least, abs(left)), after
    return Coverage(max(round(least), 1), has_moved)
