"""Keeps a sample of the rows read so far, evenly spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search import Hit

SAMPLE_ROWS: Final = 2_000


class Sample:
    """Every n-th row, n doubled whenever they are too many.

    Attributes:
        hits: The rows.
    """

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._stride = 1
        self._skip = 0

    def take(self, hits: Sequence[Hit]) -> None:
        """Take in rows just read."""
        self.hits += hits[self._skip :: self._stride]
        self._skip = (self._skip - len(hits)) % self._stride
        while len(self.hits) > SAMPLE_ROWS:
            self.hits = self.hits[::2]
            self._stride *= 2
