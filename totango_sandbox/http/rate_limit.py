"""Limits the calls of a token, in fixed windows (Totango: API rate limit)."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from totango_sandbox.http.messages import JSON, Header, Response

if TYPE_CHECKING:
    from totango_sandbox.switches import Switches


class RateLimit:
    """Counts calls per token and window."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def clear(self) -> None:
        """Start new windows."""
        self._windows.clear()

    def usage(self) -> list[tuple[int, int]]:
        """Return calls in the present window and seconds to its end, for each token in use."""
        now = time.monotonic()
        return [
            (used, math.ceil(ends - now)) for ends, used in self._windows.values() if now < ends
        ]

    def spend(self, token: str, switches: Switches) -> tuple[bool, list[Header]]:
        """Count one call.

        Returns:
            Whether it was within the limit, and the headers for its response.
        """
        limit = switches.whole("rate_limit")
        if limit == 0:
            return True, []
        length, now = switches.number("rate_window"), time.monotonic()
        ends, used = self._windows.get(token, (0.0, 0))
        if now >= ends:
            ends, used = now + length, 0
        used += 1
        self._windows[token] = (ends, used)
        seconds = max(1, math.ceil(ends - now))
        return used <= limit, limit_headers(limit, limit - used, seconds, switches)


def limit_headers(limit: int, remaining: int, seconds: int, switches: Switches) -> list[Header]:
    """Return the three headers, as switched."""
    prefix = switches.text("rate_headers").lower()
    if prefix == "none":
        return []
    reset = seconds if switches.text("rate_reset") == "seconds" else int(time.time()) + seconds
    values = {"limit": limit, "remaining": max(0, remaining), "reset": reset}
    return [(f"{prefix}-{name}".encode(), str(value).encode()) for name, value in values.items()]


def too_many(seconds: float, switches: Switches, headers: list[Header]) -> Response:
    """Return a 429; its body is the one text that the article shows, which is no object."""
    extra: list[Header] = []
    if switches.on("retry_after"):
        extra = [(b"retry-after", str(max(0, math.ceil(seconds))).encode())]
    return Response(429, b'"Too many requests"', [JSON, *headers, *extra])
