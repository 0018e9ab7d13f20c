"""Estimates how many rows lie in a stretch of a date, and how far off an estimate was."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from totango_api.reading.date_keys import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW: Final = 10
"""Rows by which no estimate is judged."""

_WORST: Final = math.log(10)

_TREND: Final = 0.9
"""Share of steps in one direction from which on names are taken to follow the date."""

_STEPS: Final = 4
"""Steps by which a trend is told."""


@dataclass
class Estimate:
    """How far off one way of estimating was lately, as a logarithm."""

    error: float

    def judge(self, expected: float | None, counted: int) -> None:
        """Take in what was counted where something had been expected."""
        if expected is not None:
            off = abs(math.log((counted + _FEW) / (expected + _FEW)))
            self.error = (self.error + min(off, _WORST)) / 2


@dataclass(frozen=True)
class Gap:
    """A stretch of the date that is not read yet.

    Attributes:
        window: Where it lies.
        dates: Dates of some of its rows, in order; none where they are no fair sample.
        weight: Rows for each of these dates.
        is_counted: Whether the rows of the gap were counted, so that the dates tell all of it.
        count: Rows, where no dates tell.
    """

    window: Window
    dates: tuple[int, ...]
    weight: float
    is_counted: bool = False
    count: float = 0

    @property
    def rows(self) -> float:
        """Rows that are expected."""
        return self.count + len(self.dates) * self.weight

    def cut(self, end: int, rows: float) -> tuple[Gap, Gap]:
        """Return what lies before and after a moment; so many rows before it if no dates tell."""
        at = bisect_right(self.dates, end)
        before = min(rows, self.count)
        left = replace(
            self, window=Window(self.window.low, end), dates=self.dates[:at], count=before
        )
        right = replace(
            self,
            window=Window(end, self.window.high),
            dates=self.dates[at:],
            count=self.count - before,
        )
        return left, right


def trend_of(dates: Sequence[int]) -> int:
    """Return whether dates, in the order of names, rise (1), fall (-1) or do neither (0)."""
    steps = [later - earlier for earlier, later in itertools.pairwise(dates) if later != earlier]
    if len(steps) < _STEPS:
        return 0
    rising = sum(step > 0 for step in steps) / len(steps)
    return 1 if rising > _TREND else -1 if rising < 1 - _TREND else 0


def grain_of(dates: Sequence[int]) -> int:
    """Return the unit in which dates differ."""
    grain = 0
    for date in dates:
        grain = math.gcd(grain, date - dates[0])
    return grain or DAY
