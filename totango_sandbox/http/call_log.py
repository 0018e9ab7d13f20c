"""A record of every call, for tests and demonstrations."""

from __future__ import annotations

from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from totango_sandbox.http.messages import Request

CALLS_KEPT: Final = 100_000
_MINUTE: Final = 60_000
_NAMES: Final = (
    "time",
    "surface",
    "method",
    "path",
    "status",
    "ms",
    "offset",
    "count",
    "rows",
    "search",
)


class CallLog:
    """The latest calls and some totals."""

    def __init__(self) -> None:
        self._calls: deque[tuple[Any, ...]] = deque(maxlen=CALLS_KEPT)
        self._totals: Counter[tuple[str, int]] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._most_in_flight: Counter[str] = Counter()

    def clear(self) -> None:
        """Forget all calls but those under way."""
        self._calls.clear()
        self._totals.clear()
        self._most_in_flight = Counter(self._in_flight)

    def begin(self, surface: str) -> None:
        """Note that a call has arrived."""
        now = self._in_flight[surface] = self._in_flight[surface] + 1
        if now > self._most_in_flight[surface]:
            self._most_in_flight[surface] = now

    def end(self, request: Request, status: int, started_ms: int, took: float) -> None:
        """Note that a call was answered; a status of 0 means that there was no answer."""
        self._in_flight[request.surface] -= 1
        self._totals[request.surface, status] += 1
        self._calls.append(
            (
                started_ms,
                request.surface,
                request.method,
                request.path,
                status,
                round(took * 1000, 3),
                request.offset,
                request.count,
                request.rows,
                request.search,
            )
        )

    def calls(self) -> list[dict[str, Any]]:
        """Return the latest calls, oldest first."""
        return [dict(zip(_NAMES, call, strict=True)) for call in self._calls]

    def latest(self, number: int) -> list[dict[str, Any]]:
        """Return the latest calls, newest first."""
        return [
            dict(zip(_NAMES, call, strict=True)) for call in islice(reversed(self._calls), number)
        ]

    def per_minute(self, minutes: int, now: int) -> list[Counter[str]]:
        """Return calls per surface in each of the last minutes, the present one first.

        Args:
            minutes: how many.
            now: epoch milliseconds.
        """
        present = now // _MINUTE
        counts: list[Counter[str]] = [Counter() for _ in range(minutes)]
        for call in reversed(self._calls):
            ago = present - call[0] // _MINUTE
            if ago >= minutes:
                break
            counts[max(0, ago)][call[1]] += 1
        return counts

    def totals(self) -> dict[str, Any]:
        """Return calls per surface and status, and the most that were under way at once."""
        per_surface: dict[str, dict[str, int]] = {}
        for (surface, status), number in sorted(self._totals.items()):
            per_surface.setdefault(surface, {})[str(status)] = number
        return {
            "calls": per_surface,
            "calls_total": sum(self._totals.values()),
            "max_in_flight": dict(self._most_in_flight),
        }
