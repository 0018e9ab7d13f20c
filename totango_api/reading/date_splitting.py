"""Cutting a query by a date."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from totango_api.reading.splitting import Splitter, largest_of, share_of
from totango_api.reading.windows import WindowWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.reading.pieces import Piece
    from totango_api.reading.walks import Walk
    from totango_api.search.endpoint import Hit
    from totango_api.search.query import Term

Bounds: TypeAlias = tuple[int | None, int | None]
"""First and last epoch millisecond of a window; None = open."""

_LONG_AGO: Final = -62_135_596_800_000
"""The first millisecond of the year 1."""


class DateWindows(Splitter):
    """Windows on a date, cut at the quantiles of the rows seen.

    *Inferred*: `gte` is evidenced for events, `lte` by analogy; the type and name of the term
    as in the field of the same date.

    Args:
        name: Tells this splitter apart.
        term: Type and name of the term, without operators.
        value: Reads the date off a hit, in epoch milliseconds.
    """

    def __init__(self, name: str, term: Term, value: Callable[[Hit], int | None]) -> None:
        self.name = name
        self._term = term
        self._value = value

    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return the share of rows that have the date."""
        return share_of(sum(self._value(hit) is not None for hit in sample), len(sample))

    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Cut into windows; the outer ones stay open, so that no row falls beside them."""
        dates = [date for hit in sample if (date := self._value(hit)) is not None]
        low, high = self._bounds(piece)
        if not dates or (low is not None and low == high):
            return None
        return WindowWalk(
            dates,
            share=share_of(len(sample), total),
            total=total,
            reach=reach,
            bounds=(low, high),
            window=lambda first, last: piece.cut(self.name, self.window(first, last)),
            value=self._value,
        )

    def window(self, first: int | None, last: int | None) -> Term:
        """Return the term of a window, both ends included."""
        term = dict(self._term)
        if first is not None:
            term["gte"] = first
        if last is not None:
            term["lte"] = last
        return term

    def fits(self, sample: Sequence[Hit], total: int, reach: int) -> bool:
        """Tell whether no single moment has more rows than are in reach."""
        counts = Counter(date for hit in sample if (date := self._value(hit)) is not None)
        return largest_of(counts) * total <= reach * len(sample)

    def covered(self) -> Term:
        """Return a term that every row with a date matches."""
        return {**self._term, "gte": _LONG_AGO}

    def honoured(self, piece: Piece, hit: Hit) -> bool:
        """Tell whether the row's date lies in the window."""
        low, high = self._bounds(piece)
        date = self._value(hit)
        if date is None:
            return low is None and high is None
        return (low is None or date >= low) and (high is None or date <= high)

    def _bounds(self, piece: Piece) -> Bounds:
        terms = piece.terms.get(self.name)
        return (terms[0].get("gte"), terms[0].get("lte")) if terms else (None, None)


def date_in(name: str) -> Callable[[Hit], int | None]:
    """Return a reader of a date that hits carry under a name of their own."""
    return lambda hit: _milliseconds(hit.get(name))


def date_at(position: int) -> Callable[[Hit], int | None]:
    """Return a reader of a date in `selected_fields`."""

    def read(hit: Hit) -> int | None:
        values = hit.get("selected_fields")
        at_hand = isinstance(values, list) and position < len(values)
        return _milliseconds(values[position]) if at_hand and values else None

    return read


def _milliseconds(value: object) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None
