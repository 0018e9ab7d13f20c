"""Defines filters: the steps between reading and sending."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import Decision, Results


class Filter(Protocol):
    """A step between reading and sending. Used by one thread."""

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not."""

    def finish(self) -> Results:
        """Return what becomes of rows that were held back: no row follows."""


class RowFilter(ABC):
    """A filter that looks at one row after the other."""

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not."""
        decide = self.decide
        results: Results = []
        results += [(row, why) for row in rows if (why := decide(row)) is not None]
        if not results:
            return list(rows), results
        dropped = {row.seq for row, _ in results}
        return [row for row in rows if row.seq not in dropped], results

    def finish(self) -> Results:
        """Return what becomes of rows that were held back: none were."""
        return []

    @abstractmethod
    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
