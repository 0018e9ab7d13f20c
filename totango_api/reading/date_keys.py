"""Dates by which the rows of a query are read in windows, and what is known of each.

A date that does not change while a row lives keeps the row in its window; one that only grows
moves it to a later window. Which terms a server takes is found out by asking (facts: "Search API
(accounts and users)"; `gte` is evidenced for events, `lte` inferred by analogy).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from totango_api.search import USERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from totango_api.search import FieldSpec, Hit, Term

DAY: Final = 86_400_000
CREATE_DATE: Final = "Create Date"
"""The attribute that tells since when there is an account ("System and core attributes")."""

OTHER_PAGES: Final = 5
"""Pages of rows at other moments from which windows cost less than to read all rows twice."""


class KeyNotUsableError(Exception):
    """The server does not take the filter of a date, or ignores it."""


class Movement(Enum):
    """How a date may change while its row lives."""

    STABLE = "never"
    GROWING = "to later dates only"


@dataclass(frozen=True)
class Window:
    """A stretch of a date, both ends included; None = open.

    Neighbours share an end, and the filter of the earlier one goes a millisecond beyond it: whether
    a server takes `gte` and `lte` to include their ends or not, no row falls between them.
    """

    low: int | None = None
    high: int | None = None

    def holds(self, date: int | None) -> bool:
        """Return whether a row may be in here, even where a server compares whole days."""
        if date is None:
            return self.low is None and self.high is None
        after = self.low is None or date > self.low - DAY
        return after and (self.high is None or date < self.high + DAY)


def mirrored(window: Window) -> Window:
    """Return a window for time that runs backwards; twice, it is the same again."""
    low = None if window.high is None else -window.high
    return Window(low, None if window.low is None else -window.low)


@dataclass(frozen=True)
class DateKey:
    """A date of the rows.

    Attributes:
        name: Tells keys apart, in Singer state too.
        term: Type and name of its filter, without operators.
        movement: How it may change.
        position: Where it stands in `selected_fields`; None = in the hit, under its name.
        is_filtered: Whether the query selects by it already, so that every row has it.
    """

    name: str
    term: Term
    movement: Movement
    position: int | None = None
    is_filtered: bool = False

    def of(self, hit: Hit) -> int | None:
        """Return the date of a row, in epoch milliseconds."""
        if self.position is None:
            value = hit.get(self.name)
        else:
            values = hit.get("selected_fields")
            is_there = isinstance(values, list) and self.position < len(values)
            value = values[self.position] if is_there and values else None
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else None

    def dates(self, hits: Iterable[Hit]) -> list[int]:
        """Return the dates of the rows that have one."""
        return [date for hit in hits if (date := self.of(hit)) is not None]

    def within(self, window: Window) -> Term:
        """Return the filter of a window."""
        term = dict(self.term)
        if window.low is not None:
            term["gte"] = window.low
        if window.high is not None:
            term["lte"] = window.high + 1
        return term

    @property
    def anything(self) -> Term:
        """The filter that every row with this date matches."""
        return {**self.term, "gte": _LONG_AGO}

    def parts(self, hits: Sequence[Hit], total: int, page_size: int) -> bool:
        """Return whether windows are worth while, by some of the rows: a moment cannot be cut."""
        alike = self.alike(hits, total)
        return alike < page_size or total - alike > OTHER_PAGES * page_size

    def alike(self, hits: Sequence[Hit], total: int) -> float:
        """Return how many rows are at the same moment, at most, by some of the rows."""
        return max(Counter(self.dates(hits)).values(), default=0) * total / max(len(hits), 1)

    def share(self, hits: Sequence[Hit]) -> float:
        """Return the share of rows that have it."""
        return len(self.dates(hits)) / len(hits) if hits else 0.0


_LONG_AGO: Final = -62_135_596_800_000
"""The first millisecond of the year 1."""


def date_keys_of(
    stream: str, fields: Sequence[FieldSpec], *, filtered_by: str | None = None
) -> list[DateKey]:
    """Return the dates by which rows of a stream may be read, the safest first.

    Args:
        stream: `accounts` or `users`.
        fields: Columns asked for, whose values hits hold by position.
        filtered_by: Name of the date that the query selects by, if it does.
    """
    found = []
    if stream == USERS:
        found.append(_of_hits("first_activity_time", Movement.STABLE, filtered_by))
    term = {"type": "date_attribute", "attribute": CREATE_DATE}
    for position, field in enumerate(fields):
        if stream != USERS and {key: field.get(key) for key in term} == term:
            found.append(DateKey(f"date:{CREATE_DATE}", term, Movement.STABLE, position))
    return [*found, _of_hits("last_activity_time", Movement.GROWING, filtered_by)]


def keys_of_all(keys: Iterable[DateKey], hits: Sequence[Hit]) -> list[DateKey]:
    """Return the dates that every one of some rows has."""
    return [key for key in keys if key.share(hits) == 1]


def _of_hits(name: str, movement: Movement, filtered_by: str | None) -> DateKey:
    term = {"type": "date", "term": name}
    return DateKey(name, term, movement, is_filtered=name == filtered_by)
