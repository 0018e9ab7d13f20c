"""Results of a read: batches of rows, where an interrupted one goes on, what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator

    from totango_api.search import Hit, Key

RESUME_BYTES: Final = 16_384
"""A resume point larger than this is not carried in Singer state."""


@dataclass(frozen=True)
class ResumePoint:
    """Where a read that was interrupted goes on.

    Attributes:
        key: Name of the date by which the query is read in windows.
        windows: First and last epoch millisecond of what is still to be read; None = open.
        rows: Rows read before.
    """

    key: str
    windows: tuple[tuple[int | None, int | None], ...]
    rows: int = 0

    @property
    def is_portable(self) -> bool:
        """Whether it is small enough for Singer state."""
        return len(msgspec.json.encode(self.windows)) <= RESUME_BYTES


@dataclass(frozen=True)
class RecordBatch:
    """New rows of a read, and their keys; `resume` where everything before is read for good."""

    hits: list[Hit]
    keys: list[Key]
    resume: ResumePoint | None = None


Reading: TypeAlias = "Generator[RecordBatch, None, int | None]"
"""Rows of a query; in the end, how many are missing: None = nobody knows whether any is."""

Proof: TypeAlias = "Generator[RecordBatch, None, bool]"
"""Rows of a query; in the end, whether it is shown that none is missing."""


@dataclass
class ReadResult:
    """The result of a read.

    Attributes:
        total: Rows that the server counted at the first call; None if it does not count.
        rows: Different rows, those of an interrupted earlier read included.
        unreadable: Rows without an id, or that are not objects.
        doubled: Ids that several rows of one response had, of which one row was given.
        calls: Search calls used.
        missing: Rows that are there and could not be had; None if their number is unknown.
        leaves_newer: Whether a read of events ended while ever more of them came: what is newer
            than its beginning is left to the next one.
        ways: How the query and its parts were read, and how often each way was taken.
    """

    total: int | None = None
    rows: int = 0
    unreadable: int = 0
    doubled: int = 0
    calls: int = 0
    missing: int | None = 0
    leaves_newer: bool = False
    ways: Counter[str] = field(default_factory=Counter)

    @property
    def is_complete(self) -> bool:
        """Whether every row that matched throughout the read has been given."""
        return self.missing == 0 and self.unreadable == 0

    @property
    def how(self) -> str:
        """How the rows were read, as words."""
        ways = self.ways.items()
        return "; ".join(way if times == 1 else f"{way} ({times} times)" for way, times in ways)

    def least_calls(self, page_size: int) -> int:
        """Return the fewest calls in which these rows could have come."""
        return max(-(-max(self.total or 0, self.rows) // page_size), 1)


def plus(missing: int | None, more: int | None) -> int | None:
    """Add numbers of missing rows, of which either may be unknown."""
    return None if missing is None or more is None else missing + more
