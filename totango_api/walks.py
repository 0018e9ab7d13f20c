"""How a splitter is gone through: piece after piece, learning from what each one counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.pieces import Piece

FILL: Final = 0.85
"""Share of what is in reach that a window is planned to fill: samples err."""

_DAY: Final = 86_400_000

_BELIEVABLE: Final = (0.4, 2.5)
"""Counted rows by expected rows, outside which a sample is not believed any more."""


class Walk(ABC):
    """The pieces of a cut, one after another."""

    @abstractmethod
    def next(self) -> Piece | None:
        """Return the next piece; None at the end."""

    @abstractmethod
    def counted(self, total: int | None) -> bool:
        """Take in how many rows the piece has; tell whether it is to be read.

        If not, :meth:`next` returns a smaller one instead.
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

    def counted(self, total: int | None) -> bool:  # noqa: ARG002 (all are to be read)
        """Tell that the piece is to be read."""
        return True

    def rest(self) -> list[Piece]:
        """Return the pieces not yet returned."""
        return self._pieces[self._at :]


class WindowWalk(Walk):
    """Windows over a date, each as large as the counts so far allow.

    Rows come in the order of their names, which may or may not have to do with the date. So
    the first windows end at quantiles of the rows seen; once a count shows that these mislead,
    windows are sized by the density of what was counted instead.

    Args:
        dates: Dates of the rows seen, in epoch milliseconds.
        share: Part of all rows that these are.
        total: Rows in all, those without a date included.
        reach: Rows that a window may have.
        bounds: First and last millisecond to cover; None = open.
        window: Makes the piece of a window.
    """

    def __init__(
        self,
        dates: Sequence[int],
        *,
        share: float,
        total: int,
        reach: int,
        bounds: tuple[int | None, int | None],
        window: Callable[[int | None, int | None], Piece],
    ) -> None:
        self._dates = sorted(dates)
        self._share = share
        self._left = total
        self._reach = reach
        self._low, self._end = bounds
        self._window = window
        self._high: int | None = None
        self._too_high: int | None = None  # the lowest end known to count too many rows
        self._too_many = 0
        self._density = 0.0  # rows a millisecond, in the last window read
        self._length = 0
        self._step_back = 0
        self._trusted = True
        self._done = False

    def next(self) -> Piece | None:
        """Return the next window; None when everything is covered."""
        if self._done:
            return None
        self._high = self._guess()
        return self._window(self._low, self._high)

    def counted(self, total: int | None) -> bool:
        """Take in how many rows the window has; tell whether it is to be read."""
        self._judge_sample(total or 0)
        if (total or 0) > self._reach and self._can_shrink():
            self._too_high, self._too_many = self._high, total or 0
            return False
        self._accept(total or 0)
        return True

    def rest(self) -> list[Piece]:
        """Return the window of everything after the last one, if there is anything."""
        return [] if self._done else [self._window(self._low, self._end)]

    def _accept(self, total: int) -> None:
        self._left -= total
        if self._high is None or self._high == self._end:
            self._done = True
            return
        if self._low is not None:
            self._length = self._high - self._low + 1
            self._density = total / self._length
        elif self._too_high is not None:
            self._density = (self._too_many - total) / max(self._too_high - self._high, 1)
        self._low = self._high + 1
        self._too_high, self._too_many = None, 0
        self._step_back = 0

    def _can_shrink(self) -> bool:
        return self._low is None or self._high is None or self._high > self._low

    def _guess(self) -> int | None:
        """Return the last millisecond of the next window; None = as far as there is."""
        if self._too_many:
            return self._shrunk()
        if self._left <= self._reach:
            return self._end
        wanted = self._reach * FILL
        if self._trusted:
            start = bisect_left(self._dates, self._low) if self._low is not None else 0
            at = start + int(wanted * self._share) + 1
            high = self._dates[at] - 1 if at < len(self._dates) else None
        else:
            start = self._low if self._low is not None else self._dates[0]
            # Where nothing was counted, everything that is left may well be within reach.
            high = start + int(wanted / self._density) if self._density else None
        if high is not None and self._low is not None:
            high = max(high, self._low)
        return self._within(high)

    def _shrunk(self) -> int:
        """Return an end below the one that counted too many rows."""
        first, last = self._dates[0], self._dates[-1]
        wanted = self._reach * FILL / self._too_many
        low = self._low if self._low is not None else first - 1
        top = self._too_high if self._too_high is not None else max(last, low) + 1
        inside = [date for date in self._dates if low < date <= top]
        if self._trusted and inside:
            return min(inside[int(len(inside) * wanted)] - 1, top - 1)
        if self._low is None:
            # Everything lies before the rows seen: step back, twice as far each time.
            self._step_back = 2 * self._step_back or max(last - first, _DAY)
            return min(top, first) - self._step_back
        if self._too_high is None and not inside:
            # Everything lies behind the rows seen: step on, twice as far each time.
            return self._low + 2 * max(self._length, _DAY)
        return max(min(self._low + int((top - self._low) * wanted), top - 1), self._low)

    def _within(self, high: int | None) -> int | None:
        if self._end is not None:
            return self._end if high is None else min(high, self._end)
        return high

    def _judge_sample(self, total: int) -> None:
        first = bisect_left(self._dates, self._low) if self._low is not None else 0
        last = bisect_right(self._dates, self._high) if self._high is not None else len(self._dates)
        expected = (last - first) / self._share if self._share else 0.0
        low, high = _BELIEVABLE
        if not low * expected <= total <= high * expected:
            self._trusted = False
