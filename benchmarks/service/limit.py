"""The limit of calls a minute, in fixed windows, with its headers."""

from __future__ import annotations

import math
import time
from typing import Final

WINDOW_SECONDS: Final = 60.0


class Limit:
    """Counts the calls of the window.

    Args:
        calls: Calls a window; 0 = no limit, and no headers.
    """

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._ends = 0.0
        self._used = 0

    def spend(self) -> tuple[bool, dict[str, int]]:
        """Count one call; return whether it is within the limit, and the headers that say so."""
        if not self._calls:
            return True, {}
        now = time.monotonic()
        if now >= self._ends:
            self._ends, self._used = now + WINDOW_SECONDS, 0
        self._used += 1
        seconds = max(math.ceil(self._ends - now), 1)
        headers = {
            "RateLimit-Limit": self._calls,
            "RateLimit-Remaining": max(self._calls - self._used, 0),
            "RateLimit-Reset": seconds,
        }
        return self._used <= self._calls, headers
