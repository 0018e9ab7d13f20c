"""How much is measured: enough to tell, or just enough to try the benchmarks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scale:
    """Numbers of rows and rounds.

    Attributes:
        rounds: Of what takes seconds.
        few: Of what takes longer.
        twice: Of what takes long, and mostly waits.
        read: Accounts that the tap reads.
        tracked: Rows for a tracking endpoint that answers at once.
        delayed: Rows for one that does not; half of them where it takes longest.
        batched: Rows for the Integration Hub.
        split: Accounts out of one query's reach, for the number of calls.
        events: Events that the tap reads, for the number of calls.
        paced: Accounts read under a limit of calls; 0 = leave this out.
        held: Rows for the target's memory, few and many.
        profiled: Rows of the profiles.
    """

    rounds: int
    few: int
    twice: int
    read: int
    tracked: int
    delayed: int
    batched: int
    split: tuple[int, ...]
    events: int
    paced: int
    held: tuple[int, int]
    profiled: int


FULL: Final = Scale(
    rounds=5,
    few=3,
    twice=2,
    read=100_000,
    tracked=30_000,
    delayed=30_000,
    batched=100_000,
    split=(10_000, 100_000, 1_000_000),
    events=20_000,
    paced=170_000,
    held=(100_000, 1_000_000),
    profiled=50_000,
)
QUICK: Final = Scale(
    rounds=1,
    few=1,
    twice=1,
    read=20_000,
    tracked=4_000,
    delayed=4_000,
    batched=20_000,
    split=(10_000, 50_000),
    events=2_000,
    paced=0,
    held=(10_000, 40_000),
    profiled=20_000,
)
