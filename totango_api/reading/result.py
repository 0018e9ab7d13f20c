"""What reading everything brings: rows, what is left to do, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from totango_api.search.endpoint import Hit

PLAN_BYTES: Final = 16_384
"""A plan larger than this is not carried in Singer state, and so not resumed."""


@dataclass(frozen=True)
class Plan:
    """What of a query that was cut is still to be read: where a later run goes on.

    Attributes:
        splitter: Name of the splitter that cut it.
        pieces: Terms of each piece left, by splitter name.
        rows: Rows read before these.
    """

    splitter: str
    pieces: tuple[dict[str, tuple[dict[str, Any], ...]], ...]
    rows: int = 0

    @property
    def portable(self) -> bool:
        """Whether it is small enough to be carried in Singer state."""
        return len(msgspec.json.encode(self.pieces)) <= PLAN_BYTES


@dataclass(frozen=True)
class Batch:
    """Rows that were not seen before; `plan` once another piece is read to its end."""

    hits: list[Hit]
    plan: Plan | None = None


@dataclass
class Outcome:
    """What a read came to.

    Attributes:
        total: Rows the server counted; None if it did not.
        rows: Rows told apart, those of an interrupted earlier read included.
        unreadable: Rows without an id, or that are not objects.
        repeated: Rows that came more than once.
        calls: Search calls used.
        ended: Whether the server itself came to an end, where it did not count.
        steady: Whether the server counted the same throughout.
        shifted: Whether rows went away while others were read, which may have been passed over.
    """

    total: int | None = None
    rows: int = 0
    unreadable: int = 0
    repeated: int = 0
    calls: int = 0
    ended: bool = False
    steady: bool = True
    shifted: bool = False

    @property
    def missing(self) -> int | None:
        """Rows that the server counts and that were not read; None if that cannot be told."""
        if self.total is None:
            return 0 if self.ended else None
        return max(self.total - self.rows - self.unreadable, 0)

    @property
    def proven(self) -> bool:
        """Whether it is certain that nothing is missing."""
        counted = self.total is not None and self.missing == 0
        return counted and self.unreadable == 0 and not self.shifted

    def least_calls(self, page_size: int) -> int:
        """Return the fewest calls in which these rows could have come."""
        return max(-(-(self.total or self.rows) // page_size), 1)
