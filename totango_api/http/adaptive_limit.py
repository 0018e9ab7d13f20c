"""Finds how many calls at once a server bears.

The number doubles each round, as long as responses stay as fast as they were. When the server
answers 429, fails, or gets slower, it falls to a part of what it was, and from then on grows step
by step (additive increase, multiplicative decrease). The largest number that was fine is
remembered. More is tried in steps of 1, 2, 4, … calls. If that is too much, the number goes back
to what was fine, and the next trial comes later each time: so what is fine is held, and a slow
moment is soon forgotten.
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

The slack covers what this process itself adds with many calls at once and no timer sees."""

SLOW_ROUNDS: Final = 3
"""Slow rounds in a row that are the server's doing: on a busy machine single ones happen."""

MUCH_SLOWER: Final = 3.0
MUCH_SLACK_SECONDS: Final = 0.150
"""One round is enough if half of its calls took so many times longer than in a slow one, and this
much longer than in the fastest."""

FAILURES: Final = 0.1
"""A round with more than this share of failed calls is too much. Single rows may fail any time."""

AFTER_429: Final = 0.75
AFTER_FAILURES: Final = 0.5

STEP: Final = 16
"""The number grows by one, and by one for so many that it is; if too much is near, by less."""

NEAR: Final = 0.9
"""Near what was too much, the number falls to this part of it: how many arrive at once varies."""

FIRST_HOLD: Final = 0.5
LONGEST_HOLD: Final = 10.0
"""Seconds before more than what was fine is tried again: twice as long each time if about the same
number is too much. On a busy machine it is any number."""

FORGOTTEN: Final = 5
"""What was too much is forgotten once more was fine so many times in a row."""


class AdaptiveLimit:
    """Limits how many calls are under way at once. Used by one thread.

    A round is as many finished calls as may be under way. Calls that were started before the
    number last changed do not count: they say nothing about the new one.

    Args:
        most: The number is never higher.
        clock: Seconds of a monotonic clock.
        lag: Returns by how many seconds calls since the last time seemed longer than they were,
            for a reason in this process.

    Attributes:
        current: The number.
    """

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        lag: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.current = min(FIRST, most)
        self._most = most
        self._clock = clock
        self._lag = lag
        self._fine = 0
        self._tried = 0
        self._hold = 0.0
        self._is_doubling = True
        self._too_many = most + 1
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
        lag = self._lag()
        seconds = statistics.fmean(self._seconds) - lag
        half = statistics.median(self._seconds) - lag
        # No lag makes a server faster than it was seen to be.
        self._fastest = min(self._fastest, max(seconds, min(self._seconds)))
        self._seconds.clear()
        self._failed = 0
        slow = max(self._fastest * SLOWER, self._fastest + SLACK_SECONDS)
        if seconds <= slow:
            self._slow_rounds.clear()
            self._grow()
            return
        self._slow_rounds.append(seconds)
        is_much = half > max(MUCH_SLOWER * slow, self._fastest + MUCH_SLACK_SECONDS)
        if len(self._slow_rounds) < SLOW_ROUNDS and not is_much:
            return
        seconds = min(self._slow_rounds)
        self._slow_rounds.clear()
        if self.current <= SMALLEST_ROUND:
            # Not because of us: this is how fast the server is now.
            self._fastest = seconds
            self._is_doubling = True
            self._forget()
        else:
            self._fall(min(max(slow / seconds, 0.5), NEAR))

    def _grow(self) -> None:
        """Take note that the number is fine, and try more, if it is time for that."""
        if self._is_doubling:
            self._fine = self.current
            self.current = min(self.current * 2, self._most)
            return
        if self.current == self._most:
            self._fine = self.current
            self._forget()
            return
        more = self.current // STEP + 1
        if self.current < self._fine:
            self._change(min(self.current + more, self._fine))
            return
        if self.current > self._fine:
            self._fine = self.current
            self._tried += 1
            if self._tried >= FORGOTTEN:
                self._forget()
        elif self._clock() - self._fell_at < self._hold:
            return
        if self._hold:
            # Carefully at first: what was too much before may be near.
            more = min(more, 2**self._tried)
        self._change(min(self.current + more, self._most))

    @property
    def _is_near(self) -> bool:
        """Whether a little more was too much before."""
        return NEAR * self._too_many <= self.current and self._too_many <= self._most

    def _fall(self, part: float) -> None:
        if self.current > self._fine and not self._is_doubling:
            # More was tried, and was too much: what was fine still is. What waits is done first.
            is_same = self._is_near and NEAR * self.current <= self._too_many
            self._hold = min(self._hold * 2, LONGEST_HOLD) if is_same and self._hold else FIRST_HOLD
            number = max(int(self._fine * NEAR), 1)
        else:
            part = max(part, NEAR) if self._is_near else part
            number = self._fine = max(int(self.current * part), 1)
        self._tried = 0
        self._too_many = self.current
        self._is_doubling = False
        self._fell_at = self._clock()
        self._slow_rounds.clear()
        self._change(number)

    def _forget(self) -> None:
        self._hold = 0.0
        self._too_many = self._most + 1

    def _change(self, number: int) -> None:
        self.current = number
        self._changed_at = self._clock()
        self._seconds.clear()
        self._failed = 0
