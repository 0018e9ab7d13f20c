"""What a way to cut a query is, whose rows are out of reach.

A splitter proposes terms; what they really match is seen from the counts and rows that come
back, so that a term which a server refuses or ignores costs calls, never rows. Which terms are
evidenced and which inferred: see each class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from totango_api.reading.pieces import Piece
    from totango_api.reading.walks import Walk
    from totango_api.search.endpoint import Hit
    from totango_api.search.query import Term


class Splitter(ABC):
    """One way to cut.

    Attributes:
        name: Tells splitters apart.
        disjoint: Whether no row can be in two pieces.
    """

    name: str
    disjoint = True

    @abstractmethod
    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return the share of rows that the pieces are expected to hold, 0 to 1."""

    @abstractmethod
    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Cut a piece.

        Args:
            piece: What to cut.
            sample: Some of its rows.
            total: How many rows it has.
            reach: Rows that can be read of one query.

        Returns:
            The smaller pieces; None when it cannot be cut this way.
        """

    def fits(self, sample: Sequence[Hit], total: int, reach: int) -> bool:  # noqa: ARG002
        """Tell whether the pieces are expected to be within reach."""
        return True

    def covered(self) -> Term | None:
        """Return a term that matches every row of every piece; None if there is none."""
        return None

    def honoured(self, piece: Piece, hit: Hit) -> bool:  # noqa: ARG002 (for subclasses)
        """Tell whether a row may be in a piece: if not, the server ignores the term."""
        return True


def largest_of(counts: Counter[Any]) -> int:
    """Return how often the most frequent one is there."""
    return max(counts.values(), default=0)


def share_of(part: float, whole: float) -> float:
    """Return a part of a whole; of nothing, nothing."""
    return part / whole if whole else 0.0
