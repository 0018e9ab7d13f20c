"""Counts calls: how many went out, were sent again, and failed."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totango_api.errors import ApiError


class Usage:
    """Counts the calls of a surface (`api`, `tracking`, `hub`). Safe to share between threads.

    Attributes:
        calls: Calls that went out, those sent again included.
        retries: Calls sent again.
        failures: Calls that failed for good, by status or `no answer`.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.retries = 0
        self.failures: Counter[str] = Counter()
        self._by_minute: Counter[int] = Counter()
        self._lock = threading.Lock()

    def count_call(self) -> None:
        """Count a call that goes out now."""
        with self._lock:
            self.calls += 1
            self._by_minute[int(time.time()) // 60] += 1

    def count_retry(self) -> None:
        """Count a call that will be sent again."""
        with self._lock:
            self.retries += 1

    def count_failure(self, error: ApiError) -> None:
        """Count a call that will not be sent again."""
        with self._lock:
            self.failures[str(error.status or "no answer")] += 1

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for a report."""
        return {
            "calls": self.calls,
            "retries": self.retries,
            "failures": dict(self.failures),
            "by_minute": {
                f"{dt.datetime.fromtimestamp(minute * 60, dt.UTC):%Y-%m-%dT%H:%MZ}": calls
                for minute, calls in sorted(self._by_minute.items())
            },
        }
