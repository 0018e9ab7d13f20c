"""Limits how many REST calls a minute one process makes.

Two things hold a call back: our own sliding window (pyrate-limiter), and what the server says it
has left (`headers.py`), which also counts the calls of other programs with the same token.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

from totango_api.http.headers import ServerRateLimit
from totango_api.limits import RATE_WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARGIN_SECONDS: Final = 1.0
"""Added to every window: calls travel for a while, and servers round their resets down.

61 seconds instead of 60 still use 98 % of the limit."""


class RateLimiter:
    """Limits all REST calls of the process together. Safe to share between threads.

    Args:
        calls_per_minute: Calls in any sliding minute; 0 = no pacing of our own, and only an
            explicit 429 holds calls back.
    """

    def __init__(self, calls_per_minute: int) -> None:
        self._paces = calls_per_minute > 0
        self._calls = calls_per_minute
        self._window = int((RATE_WINDOW_SECONDS + MARGIN_SECONDS) * 1000)  # milliseconds
        self._bucket: InMemoryBucket | None = None
        self._limiter: Limiter | None = None
        if self._paces:
            self._bucket = InMemoryBucket([Rate(calls_per_minute, self._window)])
            # No leaker thread: a few thousand timestamps an hour need no cleaning.
            self._limiter = Limiter(SingleBucketFactory(self._bucket, schedule_leak=False))
        self._changed = threading.Condition()
        self._in_flight = 0
        self._server_left: int | None = None
        self._server_resets_at = 0.0
        self._held_until = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wait for leave to make one call; the call is made in the body."""
        self._reserve()
        try:
            if self._limiter is not None:
                self._limiter.try_acquire("call")
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    @property
    def left(self) -> int | None:
        """How many calls may still be made in this minute; None where nothing limits them."""
        left = None
        if self._bucket is not None:
            since = self._bucket.now() - self._window  # type: ignore[no-untyped-call]
            newest = takewhile(lambda item: item.timestamp > since, reversed(self._bucket.items))
            left = max(self._calls - sum(1 for _ in newest), 0)
        with self._changed:
            if self._server_left is not None and time.monotonic() < self._server_resets_at:
                said = max(self._server_left - self._in_flight, 0)
                left = said if left is None else min(left, said)
        return left

    def _reserve(self) -> None:
        with self._changed:
            while (wait := self._seconds_to_hold(time.monotonic())) > 0:
                self._changed.wait(wait)
            self._in_flight += 1

    def _seconds_to_hold(self, now: float) -> float:
        hold = self._held_until - now
        told = self._server_left is not None and now < self._server_resets_at
        # Calls in flight may or may not be counted in the last response: assume not, and look
        # again as soon as one of them is back.
        if self._paces and told and (self._server_left or 0) - self._in_flight <= 0:
            hold = max(hold, self._server_resets_at - now)
        return hold

    def observe(self, headers: Mapping[str, str]) -> None:
        """Read what the server says it has left."""
        said = ServerRateLimit.from_headers(headers, now=time.time())
        if said is None:
            return
        resets_at = time.monotonic() + said.reset_in + MARGIN_SECONDS
        with self._changed:
            same_window = abs(resets_at - self._server_resets_at) <= 2 * MARGIN_SECONDS
            if same_window and self._server_left is not None:
                # Responses overtake each other; within one window the count only falls.
                self._server_left = min(self._server_left, said.remaining)
            elif resets_at > self._server_resets_at:
                self._server_left, self._server_resets_at = said.remaining, resets_at
            self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Let no further call start for a while: the server answered 429."""
        with self._changed:
            self._held_until = max(self._held_until, time.monotonic() + seconds)
            self._changed.notify_all()
