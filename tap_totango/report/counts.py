"""Counts what a run of the tap does, for its report."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totango_api.reading import ReadResult


@dataclass
class StreamMetrics:
    """The counts of one stream.

    Attributes:
        received: Rows written.
        total: Rows that Totango counted; None where it does not.
        calls: Calls of its own.
        since: From which replication value on it was read; None = everything.
        how: What was made sure of, and how.
        is_done: Whether it was read to its end.
        failure: What is missing.
        conversions: Values that did not fit, by column.
        understood: What is asked for, as lines.
    """

    received: int = 0
    total: int | None = None
    calls: int = 0
    since: str | None = None
    how: str = ""
    is_done: bool = False
    failure: str = ""
    conversions: Counter[str] = field(default_factory=Counter)
    understood: list[str] = field(default_factory=list)

    def note_result(self, result: ReadResult) -> None:
        """Take over the result of a read."""
        self.total, self.calls, self.how = result.total, result.calls, result.how

    @property
    def is_complete(self) -> bool:
        """Whether every row that matched throughout was written."""
        return self.is_done and not self.failure

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return {
            "received": self.received,
            "not_fitting": self.conversions.total(),
            "conversions": dict(self.conversions),
            "read": {
                "complete": self.is_complete,
                "how": self.how,
                "since": self.since,
                "total": self.total,
                "calls": self.calls,
                "failure": self.failure or None,
            },
        }


class Report:
    """The counts of a run."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._started_at = dt.datetime.now(tz=dt.UTC)
        self._streams: dict[str, StreamMetrics] = {}

    def stream(self, name: str) -> StreamMetrics:
        """Return the counts of a stream."""
        return self._streams.setdefault(name, StreamMetrics())

    @property
    def received(self) -> int:
        """Rows of all streams."""
        return sum(metrics.received for metrics in self._streams.values())

    def as_dict(self, *, failure: str, calls: dict[str, Any]) -> dict[str, Any]:
        """Return the report for JSON.

        Args:
            failure: What was not done, as a sentence; empty if everything was.
            calls: Calls of each surface.
        """
        seconds = time.monotonic() - self._started
        streams = self._streams
        return {
            "program": "tap-totango",
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "finished_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "rows_per_second": round(self.received / max(seconds, 1e-9), 1),
            "complete": not failure and all(one.is_complete for one in streams.values()),
            "failure": failure or None,
            "totals": {"received": self.received},
            "streams": [{"stream": name, **one.as_dict()} for name, one in streams.items()],
            "understood": {name: one.understood for name, one in streams.items()},
            "calls": calls,
        }
