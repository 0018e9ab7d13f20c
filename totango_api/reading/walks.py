"""How a splitter is gone through: piece after piece, learning from what each one counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.reading.pieces import Piece
    from totango_api.search.endpoint import Hit

FILL: Final = 0.85
"""Share of what is in reach that a list is planned to fill: samples err."""


class Walk(ABC):
    """The pieces of a cut, one after another."""

    @abstractmethod
    def next(self) -> Piece | None:
        """Return the next piece; None at the end."""

    @abstractmethod
    def counted(self, total: int | None, hits: Sequence[Hit] = ()) -> bool:
        """Take in how many rows the piece has; tell whether it is to be read.

        If not, :meth:`next` returns a smaller one instead.

        Args:
            total: What the server counts.
            hits: The first rows of the piece.
        """

    @abstractmethod
    def rest(self) -> list[Piece]:
        """Return what is left after the piece that :meth:`next` returned last."""


class ListWalk(Walk):
    """Pieces that are known from the start."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = list(pieces)
        self._at = 0

    def next(self) -> Piece | None:
        """Return the next piece; None at the end."""
        if self._at == len(self._pieces):
            return None
        self._at += 1
        return self._pieces[self._at - 1]

    def counted(self, total: int | None, hits: Sequence[Hit] = ()) -> bool:  # noqa: ARG002
        """Tell that the piece is to be read."""
        return True

    def rest(self) -> list[Piece]:
        """Return the pieces not yet returned."""
        return self._pieces[self._at :]
