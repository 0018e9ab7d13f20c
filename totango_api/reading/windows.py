"""Windows over a date, one after another, each as large as can be read."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from totango_api.reading.pictures import Density, SeenDates
from totango_api.reading.walks import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.reading.pictures import Knot, Picture
    from totango_api.reading.pieces import Piece
    from totango_api.search.endpoint import Hit

_DAY: Final = 86_400_000

_FILL: Final = 0.92
"""Share of what is in reach that a window is planned to fill where density foretells."""

_SMALL: Final = 0.25
"""Share of all rows up to which the rows seen may be told for a sample or for all of a part."""

_FARTHEST: Final = 253_402_300_800_000
"""The first millisecond of the year 10000; nothing is looked for beyond it."""

_NEAR: Final = 0.85
"""Share of the rows aimed at from which on a moment is taken whose count is known."""

_BELIEVED: Final = 0.7
"""Error of a picture up to which it is believed that nothing lies beyond what it shows."""

_SAME: Final = 0.97
"""Share of the rows of a window from which on another one inside it is no better."""

_FEW: Final = 10

_MOST_TRIES: Final = 3
"""Windows with too many rows, one inside the other, before the next one is half as long."""


class WindowWalk(Walk):
    """Windows over a date, each as large as the counts so far allow.

    What is covered grows from the frontier on; beyond it, moments are known up to which a window
    counted too many rows. Rows come in the order of their names. Where the names run against the
    date, so that the first rows are the last ones, time is gone through backwards: everything in
    here is then counted in negative milliseconds.

    Args:
        dates: Dates of the rows seen, in epoch milliseconds.
        share: Part of all rows that these are.
        total: Rows in all, those without a date included.
        reach: Rows that a window may have.
        bounds: First and last millisecond to cover; None = open.
        window: Makes the piece of a window.
        value: Reads the date off a hit.
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
        value: Callable[[Hit], int | None] = lambda _: None,
    ) -> None:
        self._dates = sorted(dates)
        self._share = share
        self._left = total
        self._reach = reach
        self._low, self._end = bounds
        self._window = window
        self._value = value
        self._sign = 1
        self._grain = _grain_of(self._dates)
        self._seen = SeenDates(self._dates, share)
        self._density = Density(_FILL)
        self._knots: list[Knot] = []
        self._all_of_it: int | None = None  # rows up to the end, once a window counted them
        self._high: int | None = None
        self._tries = 0
        self._vain = False  # whether the window before held as many rows as the one around it
        self._stride = 0  # how long the next window is at least, since the last one was empty
        self._step_back = 0
        self._fresh = True
        self._done = False

    def next(self) -> Piece | None:
        """Return the next window; None when everything is covered."""
        if self._done:
            return None
        self._high = self._guess()
        return self._piece(self._low, self._high)

    def counted(self, total: int | None, hits: Sequence[Hit] = ()) -> bool:
        """Take in how many rows the window has; tell whether it is to be read."""
        rows = total or 0
        misled = self._misled(rows)
        self._judge(rows)
        if rows <= self._reach or not self._can_shrink():
            self._accept(rows)
            if misled < 0:
                self._go_on_by_density(rows)
            return True
        if misled > 0:
            self._turn_round(rows)
            return False
        self._tries += 1
        self._know(rows)
        dates = (self._value(hit) for hit in hits)
        self._seen.saw(self._sign * date for date in dates if date is not None)
        return False

    def rest(self) -> list[Piece]:
        """Return the window of everything after the last one, if there is anything."""
        return [] if self._done else [self._piece(self._low, self._end)]

    def _piece(self, first: int | None, last: int | None) -> Piece:
        if self._sign > 0:
            return self._window(first, last)
        return self._window(_negative(last), _negative(first))

    # What counts tell -----------------------------------------------------------------------

    @property
    def _frontier(self) -> int:
        """The last moment that is covered; before the first window, the one before all seen."""
        return self._dates[0] - self._grain if self._low is None else self._low - 1

    def _judge(self, rows: int) -> None:
        if self._high is not None and self._high > self._frontier:
            for picture in (self._seen, self._density):
                foretold = picture.upto(self._frontier, self._knots, self._high)
                picture.judged(foretold, rows)

    def _misled(self, rows: int) -> int:
        """Tell whether the first count shows that the rows seen all lie at one end.

        Returns:
            -1 where they are all the rows at the start, 1 at the end, 0 where neither holds.
        """
        if not self._fresh or self._high is None:
            return 0
        before = self._seen.between(self._frontier, self._high)
        behind = len(self._dates) - before
        self._fresh = before == 0
        if before and _is_all(rows, before, self._share):
            return -1
        return 1 if _is_all(self._behind(rows), behind, self._share) else 0

    def _behind(self, rows: int) -> int:
        """Return about how many rows have a date after the window."""
        return max(int(len(self._dates) / self._share) - rows, 0)

    def _go_on_by_density(self, rows: int) -> None:
        """Take the rows seen for all there are at this end, or a like share of them."""
        before = self._seen.between(self._dates[0] - 1, self._frontier)
        self._rely_on_density(before, rows)

    def _turn_round(self, rows: int) -> None:
        """Go through time backwards, taking the rows seen for those at the end."""
        after = self._behind(rows)
        first = -1 - (self._high or 0)
        self._sign = -self._sign
        self._dates = [-date for date in reversed(self._dates)]
        self._low, self._end = _negative(self._end), _negative(self._low)
        self._knots = [(first, after)] if first > self._frontier and after else []
        self._rely_on_density(bisect_right(self._dates, first), after)

    def _rely_on_density(self, before: int, rows: int) -> None:
        """Go on by how densely the rows seen lie, up to the half of them.

        Args:
            before: How many of them lie where rows were counted.
            rows: How many were counted there.
        """
        self._seen = SeenDates(self._dates, self._share)
        self._seen.error = math.inf
        times, known = rows / max(before, 1), bool(self._knots)
        start, windows = (self._dates[0] - self._grain, 0), []
        for at in (len(self._dates) // 4, len(self._dates) // 2):
            date = self._dates[at - 1]
            if start[0] < date <= self._frontier:
                windows.append((date - start[0], int((at - start[1]) * times)))
                start = (date, at)
            elif date > max((end for end, _ in self._knots), default=self._frontier):
                covered = 0 if self._low is None or known else before
                self._knots.append((date, int((at - covered) * times)))
        self._density.relies_on(windows)

    def _know(self, rows: int) -> None:
        """Take in that a window has more rows than can be read."""
        if self._high is None or self._high == self._end:
            self._all_of_it = rows
            return
        high = self._high
        self._vain = any(rows > count * _SAME for end, count in self._knots if end > high)
        fitting = [(end, count) for end, count in self._knots if (end < high) == (count < rows)]
        self._knots = sorted([*fitting, (high, rows)])

    def _accept(self, rows: int) -> None:
        self._left -= rows
        if self._high is None or self._high == self._end:
            self._done = True
            return
        steps = (self._high - self._dates[0]) // self._grain
        steps -= (self._frontier - self._dates[0]) // self._grain
        if steps > 0 and (self._low is not None or rows):
            self._density.counted(max(steps * self._grain, self._high - self._frontier), rows)
        if self._all_of_it is not None:
            self._all_of_it -= rows
        self._knots = [(end, count - rows) for end, count in self._knots if end > self._high]
        self._knots = [knot for knot in self._knots if knot[1] >= 0]
        self._low = self._high + 1
        self._tries, self._step_back, self._vain = 0, 0, False
        self._stride = 0 if rows else 2 * max(self._density.last, self._stride, self._grain)

    def _can_shrink(self) -> bool:
        if self._frontier >= _FARTHEST:
            return False
        return self._low is None or self._high is None or self._high > self._low

    # The next window ------------------------------------------------------------------------

    def _guess(self) -> int | None:
        """Return the last millisecond of the next window; None = as far as there is."""
        left = self._left if self._all_of_it is None else self._all_of_it
        top = next((end for end, rows in self._knots if rows > self._reach), None)
        if top is None and (left <= self._reach or self._at_the_end()):
            return self._end
        high = self._aimed(left, top)
        if high is None:
            return self._end
        if top is not None:
            high = min(high, top - 1)
            if self._tries > _MOST_TRIES or self._vain:
                high = min(high, self._step(top))
        if self._low is not None:
            far = self._stride if top is None else min(self._stride, (top - self._low) // 2)
            high = max(high, self._low + far)
        return high if self._end is None else min(high, self._end)

    def _at_the_end(self) -> bool:
        """Tell whether nothing may lie ahead: the last window was empty, or all time is over."""
        empty = self._stride > 0 and self._all_of_it is None
        return empty or self._frontier >= _FARTHEST

    def _aimed(self, left: int, top: int | None) -> int | None:
        """Return the end that the better picture leads to; None = as far as there is."""
        if self._low is None and top is not None and top <= self._dates[0]:
            return self._step(top)
        for picture in sorted((self._seen, self._density), key=_error_of):
            rows = picture.aim(self._reach, self._knots)
            for end, count in self._knots:
                if rows * _NEAR <= count <= self._reach:
                    return end
            if rows > self._reach / 2:
                rows = min(rows, left / math.ceil(left / rows))
            high = picture.end_of(self._frontier, self._knots, rows)
            if high is not None:
                high = min(high, _FARTHEST)
                return high if picture is self._seen else self._aligned(high, top)
            if picture is self._seen and picture.error < _BELIEVED and self._all_of_it is None:
                return None
        return self._step(top) if top is not None or self._all_of_it is not None else None

    def _step(self, top: int | None) -> int:
        """Return an end where nothing tells what lies ahead: twice as far each time."""
        first, last = self._dates[0], self._dates[-1]
        if self._low is None:
            self._step_back = 2 * self._step_back or max(last - first, _DAY)
            return min(first if top is None else top, first) - self._step_back
        if top is not None:
            return self._low + (top - self._low) // 2
        return self._low + 2 * max(self._density.last, _DAY)

    def _aligned(self, high: int, top: int | None) -> int:
        """Return the last moment of the grid on which the dates lie, such as that of days."""
        high = high if top is None else min(high, top - 1)
        start = self._dates[0]
        aligned = start + (high - start) // self._grain * self._grain
        return high if self._low is not None and aligned < self._low else aligned


def _is_all(rows: float, seen: int, share: float) -> bool:
    """Tell whether the rows seen are rather all rows there than a fair share of them."""
    both = (math.log((rows + _FEW) / (most + _FEW)) for most in (seen, seen / share))
    off_all, off_share = map(abs, both)
    return off_all < off_share and share < _SMALL


def _grain_of(dates: Sequence[int]) -> int:
    """Return the unit in which dates differ."""
    grain = 0
    for date in dates:
        grain = math.gcd(grain, date - dates[0])
    return grain or _DAY


def _negative(moment: int | None) -> int | None:
    return None if moment is None else -moment


def _error_of(picture: Picture) -> float:
    return picture.error
