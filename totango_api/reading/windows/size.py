"""How many rows a window should have, by how much the tenant was seen to move.

A window of one page is a snapshot: nothing can move in it. Larger ones cost fewer calls, since
they are filled better, but are read for nothing where their rows move.
"""

from __future__ import annotations

import math
from typing import Final

LARGEST: Final = 0.98
"""Share of the rows that one query gives of which a window has at most: estimates err."""

FILL: Final = 0.95
"""Share of what a window may have that is aimed at, at most."""

RISK: Final = 0.1
"""Share of windows that may turn out to have moved."""

FEWEST: Final = 8
"""Windows of fewer pages than this are chosen by `TWO_PAGES`."""

TWO_PAGES: Final = 40
"""Pages of a tenant, for each row that moves at a call, from which two cost less than one."""

BEYOND: Final = 0.9
"""Share of one page more that may be read where rows of one date leave much of a page empty."""


class WindowSize:
    """Decides how many rows to ask for at once.

    Args:
        page_size: Rows on a page.
        total: Rows in all.
        most: Rows that one query gives.
        is_moving: Whether rows were seen to move before.
    """

    def __init__(self, page_size: int, total: int, most: float, *, is_moving: bool) -> None:
        self._page_size = page_size
        self._total = max(total, 1)
        self._largest = int(min(most, 20 * page_size) * LARGEST)
        self._moves = 1.0 if is_moving else 0.0
        self._exposed = 1.0 if is_moving else 0.0

    @property
    def has_moved(self) -> bool:
        """Whether rows were seen to move."""
        return self._moves > 0

    @property
    def rows(self) -> int:
        """Rows of the next window, at most."""
        pages = self._pages
        if not pages:
            return self._largest
        return pages * self._page_size - 1 if pages == 1 else int(pages * self._page_size * 0.99)

    @property
    def spill(self) -> int:
        """Rows of the next window, at most, where fewer would leave much of a page empty."""
        rows = int((self._pages + BEYOND) * self._page_size)
        return rows if 0 < self._pages < FEWEST and self.is_worth_reading(rows) else self.rows

    @property
    def _pages(self) -> int:
        """Pages of the next window; 0 = as many as one query gives."""
        if not self._moves:
            return 0
        pages = int(math.sqrt(RISK * self._total / (self._page_size * self._rate)))
        if pages >= FEWEST:
            return min(pages, self._largest // self._page_size)
        return 2 if self._total > TWO_PAGES * self._page_size * max(self._rate, 1) else 1

    def is_worth_reading(self, rows: int) -> bool:
        """Return whether to read on in a window of several pages, rather than to cut it."""
        pages = math.ceil(rows / self._page_size)
        moves = self._rate * (pages - 1) * rows / self._total
        return min(moves, 1) < 1 - (pages - 1) / math.ceil(rows / (self._page_size * FILL))

    def note(self, rows: int, calls: int, moves: int) -> None:
        """Take in how a window of several pages was read, and how many rows moved."""
        self._exposed += (calls - 1) * rows / self._total
        self._moves += moves

    @property
    def _rate(self) -> float:
        """Moves that a call sees in all rows."""
        return self._moves / max(self._exposed, 1e-9)
