"""How many pages a window should have, by how much the tenant was seen to move.

A window of one page is a snapshot: nothing can move in it. Larger ones cost fewer calls, since
they are filled better, but are read for nothing where their rows move meanwhile.
"""

from __future__ import annotations

import math
from typing import Final

MOST: Final = 18
"""Pages of a window at most, which both orders reach."""

ROOM: Final = 1.08
"""How much larger than an equal share a window may be, so that estimates may err."""

FILL: Final = 0.9
"""How full a window of one page is at most where there are so few that one more costs nothing."""

FIRST: Final = 3
"""The first window has so many times fewer pages than the others."""

FEWEST: Final = 8
"""Windows of fewer pages than this are no better than those of one."""

RISK: Final = 0.1
"""Share of windows that may turn out to have moved."""


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
        # The fewer pages in all, the dearer is a window that is read for nothing.
        wanted = min(int(2 * math.sqrt(self._total / page_size)), MOST)
        self._pages = max(min(wanted, int(most * 0.9) // page_size), 1)
        self._disturbed = 1.0 if is_moving else 0.0
        self._exposed = 1.0 if is_moving else 0.0

    @property
    def pages(self) -> int:
        """Pages of the next window."""
        if not self._disturbed:
            # The first one is small: what moves is seen there for little.
            return self._pages if self._exposed else max(self._pages // FIRST, 1)
        # A window of n pages is open to movement for n calls, in its share of all rows.
        rate = self._disturbed / max(self._exposed, 1e-9)
        most = int(math.sqrt(RISK * self._total / (self._page_size * rate)))
        return min(most, self._pages) if most >= FEWEST else 1

    @property
    def rows(self) -> int:
        """Rows of the next window, at most: an equal share of all rows, or one page of many."""
        pages = self.pages
        windows = math.ceil(self._total / (self._page_size * (FILL if pages == 1 else pages)))
        share = int(self._total / windows * ROOM)
        if pages > 1:
            return share
        full = self._page_size - 1
        return min(share, full) if windows < FEWEST else full

    def note(self, rows: int, calls: int, *, has_moved: bool) -> None:
        """Take in how a window of several pages was read."""
        self._exposed += calls * rows / self._total
        self._disturbed += has_moved
