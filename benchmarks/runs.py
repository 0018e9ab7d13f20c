"""Runs of programs, and what is made of several: medians and ratios."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_TO_MEGABYTES: Final = 1e6 if sys.platform == "darwin" else 1e6 / 1024
"""What `ru_maxrss` counts: bytes on a Mac, KiB elsewhere."""


class RunError(Exception):
    """A program did not do what was asked of it."""


@dataclass(frozen=True)
class Run:
    """What one run of a program took.

    Attributes:
        seconds: Of the clock, from start to end.
        cpu: Seconds of processor time, in the program and the system together.
        megabytes: The most memory it held; at the least what this process holds, which Linux
            hands on to those that it starts.
    """

    seconds: float
    cpu: float
    megabytes: float


def run(command: Sequence[str | Path], home: Path, *, stdin: Path | IO[bytes] | None = None) -> Run:
    """Run a program to its end; its output goes to the file `output` in `home`.

    Args:
        command: Program and arguments.
        home: The folder that it runs in, and writes to.
        stdin: A file, or the end of a pipe.

    Raises:
        RunError: If it does not exit with 0.
    """
    given: IO[bytes] | None = None
    source: IO[bytes] | int = subprocess.DEVNULL
    if stdin is not None:
        source = given = stdin if not hasattr(stdin, "open") else stdin.open("rb")
    with output(home).open("wb") as out, (home / "log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=out, stderr=log, cwd=home)
        if given is not None:
            given.close()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise failed(command, process.returncode, home)
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / _TO_MEGABYTES)


def output(home: Path) -> Path:
    """Return the file that holds the output of the last run there."""
    return home / "output"


def is_record(line: bytes) -> bool:
    """Tell whether a line is a RECORD, whoever wrote it."""
    return b'"RECORD"' in line[:20]


def failed(command: Sequence[str | Path], code: int, home: Path) -> RunError:
    """Return the error that says how a program ended, with its last words."""
    last = (home / "log").read_text(errors="replace").strip().splitlines()[-3:]
    return RunError(f"{command[0]} exited with {code}: {' / '.join(last)[-600:]}")


Rounds = dict[str, list[Run]]


def alternating(rounds: int, programs: Mapping[str, Callable[[], Run]]) -> Rounds:
    """Run each program once a round, one after another, so that all see the same machine."""
    found: Rounds = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            found[name].append(program())
    return found


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def seconds(runs: Sequence[Run]) -> float:
    """Return the median of what the clock said."""
    return median(one.seconds for one in runs)


def cpu(runs: Sequence[Run]) -> float:
    """Return the median of the processor time."""
    return median(one.cpu for one in runs)


def speed_ratio(ours: Sequence[Run], floor: Sequence[Run]) -> float:
    """Return how fast ours is as a part of the floor's speed: the median over the rounds.

    What is divided was measured right after one another, so that a slow minute of the machine
    strikes both.
    """
    return median(theirs.seconds / one.seconds for one, theirs in zip(ours, floor, strict=True))
