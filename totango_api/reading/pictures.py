"""Pictures of how rows lie over a date: each foretells how many there are up to a moment.

Two are drawn at once, since neither always holds. One is made of the dates of rows seen, and is
fair where names, by which rows are sorted, have nothing to do with the date. The other goes on
with the density of the windows counted last, which holds where names follow the date. What each
foretold is compared with what is then counted, and the better one is believed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Knot: TypeAlias = tuple[int, int]
"""A moment, and how many rows were counted from the frontier up to it."""

_WORST: Final = math.log(10)
_FEW: Final = 10
"""Rows by which no picture is judged."""

_BOLD: Final = 4
"""How many times as many rows as were counted a density may be trusted to foretell."""

_ENOUGH: Final = 50
"""Rows of a window from which on its density is compared with another's."""

_NOISE: Final = 3.0
"""Standard errors within which two densities count as one."""

_ALL_TIME: Final = 10**15

_DOUBTED: Final = 0.5
"""Error from which on a density is evened out."""

_STEEPEST: Final = 4.0
_SHORTER: Final = 3.0
_LONGER: Final = 1.5


class Picture(ABC):
    """One way to foretell; `error` is how far off it was lately, as a logarithm."""

    error: float

    def judged(self, foretold: float | None, counted: int) -> None:
        """Take in what was counted where something had been foretold."""
        if foretold is not None:
            off = abs(math.log((counted + _FEW) / (foretold + _FEW)))
            self.error = (self.error + min(off, _WORST)) / 2

    @abstractmethod
    def aim(self, reach: int, knots: Sequence[Knot]) -> float:
        """Return how many rows to aim at, so that the count is hardly ever over `reach`."""

    @abstractmethod
    def upto(self, frontier: int, knots: Sequence[Knot], end: int) -> float | None:
        """Foretell the rows after the frontier up to `end`; None if it cannot."""

    @abstractmethod
    def end_of(self, frontier: int, knots: Sequence[Knot], rows: float) -> int | None:
        """Return the moment up to which there are so many rows; None if it cannot tell."""


def stretch_of(frontier: int, knots: Sequence[Knot], rows: float) -> tuple[Knot, Knot | None]:
    """Return the knots between which the row of that number lies; None = none after it."""
    before = (frontier, 0)
    for knot in knots:
        if knot[1] > rows:
            return before, knot
        before = knot
    return before, None


def _stretch_to(frontier: int, knots: Sequence[Knot], end: int) -> tuple[Knot, Knot | None]:
    before = (frontier, 0)
    for knot in knots:
        if knot[0] >= end:
            return before, knot
        before = knot
    return before, None


class SeenDates(Picture):
    """The dates of rows seen, taken for a fair sample.

    Between two knots the number of rows is known, and all dates seen count; after the last one,
    only those of the first page do, whose share of the rows is known.

    Args:
        dates: Dates of the first rows seen.
        share: Part of all rows that these are.
    """

    def __init__(self, dates: Iterable[int], share: float) -> None:
        self.error = 0.1
        self._first = sorted(dates)
        self._all = list(self._first)
        self._share = share

    def saw(self, dates: Iterable[int]) -> None:
        """Take in the dates of more rows, those of a window that held too many."""
        self._all = sorted([*self._all, *dates])

    def between(self, after: int, end: int | None) -> int:
        """Return how many of the first dates lie after a moment, up to another."""
        last = len(self._first) if end is None else bisect_right(self._first, end)
        return max(last - bisect_right(self._first, after), 0)

    def aim(self, reach: int, knots: Sequence[Knot]) -> float:
        """Return less the fewer dates there are."""
        _, knot = stretch_of(0, knots, reach * 0.9)
        if knot is None:
            whole, seen = len(self._first) / self._share, len(self._first)
        else:
            whole, seen = float(knot[1]), bisect_right(self._all, knot[0])
        part = most = min(reach / max(whole, 1.0), 1.0)
        for _ in range(4):
            part = max(most - math.sqrt(part * (1 - part) / max(seen, 1)), most / 4)
        return part * whole * math.exp(-self.error / 10)

    def upto(self, frontier: int, knots: Sequence[Knot], end: int) -> float | None:
        """Foretell by the share of dates seen that lie before the end."""
        (start, rows), knot = _stretch_to(frontier, knots, end)
        if knot is None:
            return rows + self.between(start, end) / self._share
        inside = self._inside(start, knot[0])
        part = bisect_right(inside, end) / len(inside) if inside else 0.5
        return rows + (knot[1] - rows) * part

    def end_of(self, frontier: int, knots: Sequence[Knot], rows: float) -> int | None:
        """Return the moment before the date at that quantile: equal dates stay together."""
        (start, before), knot = stretch_of(frontier, knots, rows)
        if knot is None:
            dates = self._first[bisect_right(self._first, start) :]
            at = int((rows - before) * self._share) + 1
            if at >= len(dates):
                return None
        else:
            dates = self._inside(start, knot[0])
            at = int((rows - before) / (knot[1] - before) * (len(dates) + 1))
            if not dates:
                return None
            if at >= len(dates):
                return knot[0] - 1
        if dates[at] == dates[0] and (knot is None or knot[0] > dates[0]):
            # More than asked for at one moment: by itself, if far more.
            far = dates[min(2 * at, len(dates) - 1)] == dates[0]
            return dates[0] - 1 if far and dates[0] > start + 1 else dates[0]
        return max(dates[at] - 1, start)

    def _inside(self, after: int, end: int) -> list[int]:
        return self._all[bisect_right(self._all, after) : bisect_right(self._all, end)]


class Density(Picture):
    """How densely rows lay in the windows counted last, and how that changed from one to the next.

    Args:
        fill: Share of what is in reach to aim at.

    Attributes:
        last: Length of the window counted last.
    """

    def __init__(self, fill: float) -> None:
        self.error = 1.0
        self._fill = fill
        self._windows: list[tuple[int, int]] = []  # length and rows, the last one last
        self._covered = 0
        self.last = 0

    def counted(self, length: int, rows: int) -> None:
        """Take in a window next to the frontier."""
        self.last = length
        self._covered += rows
        if self._windows and rows < self._windows[-1][1] / 3:
            # Few rows say little: they are added to those before.
            before = self._windows.pop()
            length, rows = before[0] + length, before[1] + rows
        self._windows = [*self._windows[-1:], (length, rows)]

    def relies_on(self, windows: list[tuple[int, int]]) -> None:
        """Take these windows, if any, for the last ones."""
        self._windows = windows or self._windows

    def aim(self, reach: int, knots: Sequence[Knot]) -> float:
        """Return less the more it was off, and not far more than was ever counted."""
        most = reach * min(max(1 - self.error / 2, 0.6), self._fill)
        counted = self._covered + (knots[-1][1] if knots else 0)
        return min(most, max(_BOLD * counted, reach / 20))

    def upto(self, frontier: int, knots: Sequence[Knot], end: int) -> float | None:
        """Foretell by density, or by how the rows must lie between two knots."""
        (start, rows), knot = _stretch_to(frontier, knots, end)
        rate, growth = self._rate(frontier, knots, start)
        if knot is not None:
            growth = self._bent(rate, knot[0] - start, knot[1] - rows)
            whole = _grown(1.0, growth, knot[0] - start)
            part = _grown(1.0, growth, end - start) / whole if whole else 1.0
            return rows + (knot[1] - rows) * part
        return rows + _grown(rate, growth, end - start) if rate else None

    def end_of(self, frontier: int, knots: Sequence[Knot], rows: float) -> int | None:
        """Return the moment that density leads to."""
        (start, before), knot = stretch_of(frontier, knots, rows)
        rate, growth = self._rate(frontier, knots, start)
        if knot is not None:
            length = knot[0] - start
            growth = self._bent(rate, length, knot[1] - before)
            rate = (knot[1] - before) / max(_grown(1.0, growth, length), 1e-9)
        if not rate:
            return None
        needed = _length(rate, growth, rows - before)
        if knot is not None and self.error > _DOUBTED:
            evenly = (rows - before) / (knot[1] - before) * (knot[0] - start)
            needed = math.sqrt(max(needed * evenly, 0.0))
        return start + int(min(needed, _ALL_TIME))

    def _rate(self, frontier: int, knots: Sequence[Knot], start: int) -> tuple[float, float]:
        """Return the rows a millisecond at a knot, and the exponent by which they grow."""
        windows = list(self._windows)
        before = (frontier, 0)
        for knot in knots:
            if knot[0] > start:
                break
            windows.append((knot[0] - before[0], knot[1] - before[1]))
            before = knot
        if not windows:
            return 0.0, 0.0
        windows = windows[-2:]
        length, rows = windows[-1]
        rate, growth = rows / max(length, 1), 0.0
        if len(windows) > 1 and min(rows, windows[0][1]) >= _ENOUGH:
            ratio = math.log(rate / (windows[0][1] / max(windows[0][0], 1)))
            if abs(ratio) > _NOISE * math.sqrt(1 / rows + 1 / windows[0][1]):
                growth = ratio / ((length + windows[0][0]) / 2)
                rate *= math.exp(max(-1.0, min(growth * length / 2, 1.0)))
        return rate, growth

    @staticmethod
    def _bent(rate: float, length: int, rows: int) -> float:
        """Return the growth by which a density at the start comes to so many rows in the end."""
        if not rate or length <= 0:
            return 0.0
        low, high = -_STEEPEST, _STEEPEST
        for _ in range(40):
            middle = (low + high) / 2
            if _grown(rate, middle / length, length) < rows:
                low = middle
            else:
                high = middle
        return low / length


def _grown(rate: float, growth: float, length: float) -> float:
    """Return the rows in a stretch whose density starts at `rate` and grows by `growth`."""
    bend = growth * length
    if abs(bend) < 1e-6:
        return rate * length
    return rate * length * math.expm1(min(bend, 50.0)) / bend


def _length(rate: float, growth: float, rows: float) -> float:
    """Return how long that stretch must be for so many rows; growth is not trusted without end."""
    plain = rows / rate
    inner = 1 + growth * plain
    if abs(inner - 1) < 1e-6:
        return plain
    grown = math.log(inner) / growth if inner > 0 else math.inf
    return max(plain / _SHORTER, min(grown, plain * _LONGER))
