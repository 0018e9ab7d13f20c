"""Plans which window of a date to ask for next, so that its rows fill what can be read at once.

How many rows lie in a window is estimated in two ways: by the dates of rows seen, which are a
fair sample where names, by which rows are sorted, have nothing to do with the date; and by how
densely rows lay in the window before. What each estimated is compared with what is then counted,
and the better one is believed. Where names follow the date, only density tells.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from totango_api.reading.date_keys import DAY, Window
from totango_api.reading.windows.estimates import Estimate, Gap, grain_of, trend_of
from totango_api.reading.windows.size import FILL

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOLD: Final = 4
"""A window is at most so many times as long as the one before, where only density is known."""

_CAUTION: Final = 1.3
"""By how many standard errors less is aimed at where dates seen tell."""

_HALF_EMPTY: Final = 0.65
"""Share below which a window is not filled well."""

_MOMENT: Final = 4
"""Milliseconds of a window that is cut no further, whatever dates differ by."""

_KNOWN: Final = 0.99
"""Share of what a window may have that the last one may have: what is left is counted."""

_FARTHEST: Final = 253_402_300_800_000
"""The first millisecond of the year 10000; nothing is looked for beyond it."""


@dataclass
class _Asked:
    """A window under way, and what was expected of it."""

    gap: Gap
    by_density: float | None


@dataclass
class WindowPlanner:
    """Plans windows over a date in ascending order, the last one open-ended.

    Args:
        dates: Dates of the rows seen first, in the order of their names.
        total: Rows in all.
        sampled: Rows seen first.
        gaps: What is to be read; everything, unless a read is resumed.
    """

    dates: Sequence[int]
    total: int
    sampled: int
    gaps: Sequence[Window] = (Window(),)
    _left: list[Gap] = field(default_factory=list)
    _asked: dict[Window, _Asked] = field(default_factory=dict)
    _last: tuple[int, int, int] | None = None
    _by_dates: Estimate = field(default_factory=lambda: Estimate(0.1))
    _by_density: Estimate = field(default_factory=lambda: Estimate(0.3))

    def __post_init__(self) -> None:
        weight = self.total / max(self.sampled, 1)
        dates = tuple(sorted(self.dates))
        self._start = dates[0] if dates else 0
        self._grain = grain_of(dates)
        if trend_of(self.dates):
            self._last = (dates[0], dates[-1], len(dates))
            dates = ()
        self._rows_read = 0
        self._is_whole = len(self.gaps) == 1 and self.gaps[0] == Window()
        for window in self.gaps:
            low = 0 if window.low is None else bisect_right(dates, window.low)
            high = len(dates) if window.high is None else bisect_right(dates, window.high)
            self._left.append(Gap(window, dates[low:high], weight))

    def next(self, most: int, spill: int) -> Window | None:
        """Return the next window; None at the end.

        Args:
            most: Rows that it should hardly ever exceed.
            spill: Rows that it may have where rows of the same date leave it half empty.
        """
        if not self._left:
            return None
        gap = self._left.pop(0)
        end = self._end(gap, most, spill)
        if end is None:
            self._asked[gap.window] = _Asked(gap, None)
            return gap.window
        taken, rest = gap.cut(end, most)
        self._left.insert(0, rest)
        self._asked[taken.window] = _Asked(taken, self._density_rows(taken.window))
        return taken.window

    def read(self, window: Window, rows: int) -> None:
        """Take in that a window is read, and how many rows it had."""
        self._judge(window, rows)
        self._rows_read += rows
        if window.low is not None and window.high is not None:
            self._last = (window.low, window.high, rows)

    def put_back(self, window: Window, rows: int, dates: Sequence[int], trend: int) -> None:
        """Take in that a window has too many rows, and the dates of some."""
        seen = self._asked[window].gap.dates
        dates = seen if len(seen) > len(dates) else sorted(dates)
        self._judge(window, rows)
        if trend and window.high is not None:
            gap = Gap(window, (), 0, is_counted=True, count=rows)
        else:
            weight = rows / max(len(dates), 1)
            gap = Gap(window, tuple(dates), weight, is_counted=True)
        self._left.insert(self._place_of(window), gap)

    def can_cut(self, window: Window) -> bool:
        """Return whether a window is longer than the unit in which dates differ, and a moment."""
        if window.low is None or window.high is None:
            return True
        return window.high - window.low > max(self._grain, _MOMENT)

    def left(self) -> list[Window]:
        """Return what is still to be read, windows under way included."""
        under_way = [*self._asked]
        windows = [*under_way, *(gap.window for gap in self._left)]
        return sorted(windows, key=lambda one: -math.inf if one.low is None else one.low)

    def _place_of(self, window: Window) -> int:
        lows = [-math.inf if gap.window.low is None else gap.window.low for gap in self._left]
        return bisect_left(lows, -math.inf if window.low is None else window.low)

    def _judge(self, window: Window, rows: int) -> None:
        asked = self._asked.pop(window)
        following = self._left[0] if self._left else None
        if following is not None and following.count and following.window.low == window.high:
            left = max(following.count + asked.gap.count - rows, 1.0)
            self._left[0] = replace(following, count=left)
        if window.high is not None:
            self._by_dates.judge(asked.gap.rows, rows)
            self._by_density.judge(asked.by_density, rows)

    # Where a window ends ----------------------------------------------------------------------

    def _end(self, gap: Gap, most: int, spill: int) -> int | None:
        """Return where to end a window at the beginning of a gap; None = with the gap.

        Windows have the same share of what is left: the fewest that hold it.
        """
        rows = self._expected(gap)
        is_far = gap.window.low is not None and gap.window.low >= _FARTHEST
        if is_far or rows <= most * (_KNOWN if self._is_rest(gap) else FILL):
            return None
        share = rows / math.ceil(rows / (most * FILL))
        by_density = self._density_end(gap, most, share)
        if gap.count:
            by_density = self._evenly(gap, most)
        believes_density = by_density is not None and (
            not gap.dates or (self._by_density.error < self._by_dates.error and not gap.is_counted)
        )
        by_dates = self._dates_end(gap, most, share, spill)
        end = by_density if believes_density else by_dates
        if by_density is not None and by_dates is not None and believes_density:
            one, two = self._by_dates.error**2, self._by_density.error**2
            end = by_dates + int((by_density - by_dates) * one / (one + two + 1e-9))
        if end is None:
            end = by_density
        if end is None:
            end = self._halfway(gap)
        return None if end is None else self._inside(min(self._aligned(end), _FARTHEST), gap)

    def _expected(self, gap: Gap) -> float:
        """Return the rows of a gap; of the last one, what is left of all rows."""
        others = sum(one.rows for one in self._left)
        under_way = sum(one.gap.rows for one in self._asked.values())
        if self._is_rest(gap):
            return max(self.total - self._rows_read - others - under_way, 0.0)
        return gap.rows

    def _is_rest(self, gap: Gap) -> bool:
        """Return whether a gap has just the rows that are in no other."""
        return gap.window.high is None and not gap.is_counted and self._is_whole

    def _density_rows(self, window: Window) -> float | None:
        """Return the rows of a window, had it the density of the last one."""
        if self._last is None or window.high is None or window.low != self._last[1]:
            return None
        start, end, rows = self._last
        return rows * (window.high - end) / max(end - start, 1)

    def _density_end(self, gap: Gap, most: int, share: float) -> int | None:
        if self._last is None:
            return None
        start, end, rows = self._last
        if end != gap.window.low and (gap.window.low is not None or gap.dates):
            return None
        aim = most * FILL * math.exp(-min(self._by_density.error, 1.0) / 2)
        far = min(aim, share) / max(rows, 1)
        return (start if gap.window.low is None else end) + int((end - start) * min(far, _BOLD))

    def _evenly(self, gap: Gap, most: int) -> int | None:
        """Return an end as if the rows of a gap lay evenly."""
        low, high = gap.window.low, gap.window.high
        low = self._start if low is None else low
        if high is None or low >= high:
            return None
        return low + int((high - low) * min(most * FILL / gap.count, 0.5))

    def _dates_end(self, gap: Gap, most: int, share: float, spill: int) -> int | None:
        """Return the moment up to which the dates seen let expect so many rows."""
        if not gap.dates:
            return None
        weight = gap.weight
        if self._is_rest(gap):
            weight = self._expected(gap) / len(gap.dates)
        at = self._aim(most, share, weight)
        taken = bisect_left(gap.dates, gap.dates[at])
        if taken < at * _HALF_EMPTY:
            at = min(self._aim(spill, spill, weight), len(gap.dates) - 1)
            taken = bisect_left(gap.dates, gap.dates[at])
        first = gap.dates[0]
        if not taken:
            # More than asked for at one moment: by itself.
            low = gap.window.low
            return first - 2 if low is None or low < first - max(self._grain, 2) else first + 1
        return gap.dates[taken - 1] + 1

    def _aim(self, most: float, share: float, weight: float) -> int:
        """Return how many of the dates seen to take: the fewer there are, the less is aimed at."""
        sample = max(most / weight, 1.0)
        error = _CAUTION * math.sqrt(sample * max(1 - 1 / weight, 0))
        return int(min(max(sample - error, sample / 4), max(share / weight, 1.0)))

    def _halfway(self, gap: Gap) -> int | None:
        """Return an end where nothing tells what lies ahead."""
        low, high = gap.window.low, gap.window.high
        if low is None:
            return None if high is None else high - 365 * DAY
        step = DAY if self._last is None else max(self._last[1] - self._last[0], DAY)
        return low + _BOLD * step

    def _aligned(self, end: int) -> int:
        """Return a moment near this one on which no row is expected: both neighbours share it."""
        if self._grain <= 1:
            return end
        start = self._start
        return start + (end - start) // self._grain * self._grain + self._grain // 2

    def _inside(self, end: int, gap: Gap) -> int | None:
        """Return the end if it cuts the gap; something that does otherwise."""
        low, high = gap.window.low, gap.window.high
        if low is not None and end <= low:
            end = low + max(self._grain, 1)
        if high is not None and end >= high:
            if low is None or high - low <= max(self._grain, 1):
                return None
            end = low + (high - low) // 2
        return end
