"""Defines filters: the steps between reading and sending."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from target_totango.objects import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import Decision, Results


class Filter(ABC):
    """A step between reading and sending. Used by one thread.

    Attributes:
        objects: Whom it is about: it is asked where there is a row about one of these.
        marks: It is asked as well where a row has one of these marks.
    """

    objects: ClassVar[frozenset[str]] = frozenset(OBJECTS)
    marks: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""

    def finish(self) -> Results:
        """Return the decisions on rows that were held back: no row follows."""
        return []


class RowFilter(Filter):
    """A filter that looks at one row after the other."""

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""
        decide, objects = self.decide, self.objects
        results: Results = []
        results += [
            (row, why) for row in rows if row.object in objects and (why := decide(row)) is not None
        ]
        return without(rows, results), results

    @abstractmethod
    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row about its objects from being sent; None if nothing does."""


def without(rows: Sequence[Row], results: Results) -> Sequence[Row]:
    """Return rows without those that have a result already."""
    if not results:
        return rows
    dropped = {row.seq for row, _ in results}
    return [row for row in rows if row.seq not in dropped]
