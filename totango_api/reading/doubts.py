"""Whether rows that the server counts but did not give are worth asking for again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from totango_api.reading.paginator import Tally

logger = logging.getLogger(__name__)

ENOUGH: Final = 3
"""Queries in a row that were read again and came to the same: so will the next."""


class Doubts:
    """What came of reading queries again: a server may count more rows than there are.

    Where the same number stayed missing of one query after another, the count is taken to be
    too high by that number, and only what is missing beyond it is asked for again. Where
    nothing was found time and again, nothing is any more. Neither makes a read complete: what
    the server counts stays missing.
    """

    def __init__(self) -> None:
        self._missing: list[int] = []
        self._for_nothing = 0

    @property
    def in_vain(self) -> bool:
        """Whether nothing was found time and again."""
        return self._for_nothing >= ENOUGH

    def worth_it(self, tally: Tally) -> bool:
        """Tell whether a query that did not give all its rows should be read again."""
        if tally.complete or (self.in_vain and len(set(self._missing)) > 1):
            return False
        return tally.fell or tally.total is None or not self.explain(tally.missing)

    def explain(self, missing: int) -> bool:
        """Tell whether so many rows are missing just because the server counts too many."""
        if len(self._missing) < ENOUGH or len(set(self._missing)) > 1:
            return False
        return missing <= self._missing[0]

    def weigh(self, tally: Tally, found: int) -> None:
        """Take in what reading a query again came to."""
        self._for_nothing = 0 if tally.complete or found else self._for_nothing + 1
        self._missing = [*self._missing, tally.missing][-ENOUGH:] if not tally.complete else []
        if self._for_nothing == ENOUGH:
            logger.warning("The server counts more rows than it gives, however often it is asked.")
