"""Finds how many calls at once a server bears.

The number doubles each round, as long as responses stay as fast as they were. When the server
answers 429, fails, or gets slower, it falls to a part of what it was, and from then on grows step
by step (additive increase, multiplicative decrease). A number that was too much is tried again
after a while, later each time: so the one below it is held, and a slow moment is soon forgotten.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST: Final = 32
"""Calls at once at the beginning."""

SMALLEST_ROUND: Final = 8
"""Calls of which at least to judge how fast a server is."""

SLOWER: Final = 1.5
SLACK_SECONDS: Final = 0.010
"""A round is slow if its calls took this many times, and this much longer, than the fastest round.

The slack covers what this process itself adds with many calls at once."""

SLOW_ROUNDS: Final = 3
"""Slow rounds in a row that are the server's doing: on a busy machine single ones happen."""

FAILURES: Final = 0.1
"""A round with more than this share of failed calls is too much. Single rows may fail any time."""

AFTER_429: Final = 0.75
AFTER_FAILURES: Final = 0.5

STEP: Final = 16
"""The number grows by one, and by one for so many that it is."""

NEAR: Final = 0.9
"""What was too much before is found again at this part of it: how many arrive at once varies."""

FIRST_HOLD: Final = 0.5
LONGEST_HOLD: Final = 10.0
"""Seconds before a number that was too much is tried again; twice as long each time."""


class AdaptiveLimit:
    """How many calls may be under way at once. Used by one thread.

    A round is as many finished calls as may be under way. Calls that were started before the
    number last changed do not count: they say nothing about the new one.

    Args:
        most: The number is never higher.
        clock: Seconds of a monotonic clock.

    Attributes:
        current: The number.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.current = min(FIRST, most)
        self._most = most
        self._clock = clock
        self._too_many = most + 1
        self._hold = FIRST_HOLD
        self._is_doubling = True
        self._fastest = float("inf")
        self._changed_at = self._fell_at = float("-inf")
        self._seconds: list[float] = []
        self._failed = 0
        self._slow_rounds: list[float] = []

    def note_response(self, started: float, *, is_failure: bool = False) -> None:
        """Take note of a call that is over.

        Args:
            started: When it was started, by the clock.
            is_failure: Whether the server could not do it (5xx), or no response came.
        """
        if started <= self._changed_at:
            return
        calls = max(self.current, SMALLEST_ROUND)
        self._failed += is_failure
        self._seconds.append(self._clock() - started)
        if self._failed > FAILURES * calls:
            self._fall(AFTER_FAILURES)
        elif len(self._seconds) >= calls:
            self._end_round()

    def note_429(self, started: float) -> None:
        """Take note of a call that was refused because there were too many."""
        if started > self._changed_at:
            self._fall(AFTER_429)

    def _end_round(self) -> None:
        seconds = statistics.fmean(self._seconds)
        self._seconds.clear()
        self._failed = 0
        self._fastest = min(self._fastest, seconds)
        slow = max(self._fastest * SLOWER, self._fastest + SLACK_SECONDS)
        if seconds <= slow:
            self._slow_rounds.clear()
            self._grow()
            return
        self._slow_rounds.append(seconds)
        if len(self._slow_rounds) < SLOW_ROUNDS:
            return
        seconds = min(self._slow_rounds)
        self._slow_rounds.clear()
        if self.current <= SMALLEST_ROUND:
            # Not because of us: this is how fast the server is now.
            self._fastest = seconds
            self._is_doubling = True
            self._too_many = self._most + 1
        else:
            self._fall(min(max(slow / seconds, 0.5), 0.9))

    def _grow(self) -> None:
        if self.current >= self._too_many:
            self._too_many = self._most + 1
            self._hold = FIRST_HOLD
        if self._is_doubling:
            self.current = min(self.current * 2, self._most)
            return
        if self.current < self._too_many - 1:
            number = min(self.current + self.current // STEP + 1, self._too_many - 1)
        elif self._clock() - self._fell_at >= self._hold:
            number = self._too_many
        else:
            return
        self.current = min(number, self._most)
        self._changed_at = self._clock()

    def _fall(self, part: float) -> None:
        is_known = self._too_many <= self._most
        if is_known and self.current >= NEAR * self._too_many:  # a little less was fine
            self._hold = min(self._hold * 2, LONGEST_HOLD)
            part = max(part, NEAR)
        self._too_many = self.current
        number = int(self.current * part)
        self.current = max(number, 1)
        self._is_doubling = False
        self._changed_at = self._fell_at = self._clock()
        self._seconds.clear()
        self._slow_rounds.clear()
        self._failed = 0
