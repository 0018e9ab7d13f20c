"""Measure the speed of tap and target against floors, and write the table."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import machine, pages, profiles, scale, table
from benchmarks.measures import (
    batches,
    calls,
    events,
    lookups,
    memory,
    pacing,
    predecessor,
    reading,
    start,
    tracking,
)
from benchmarks.runs import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.scale import Scale
    from benchmarks.table import Line

    Measure = Callable[[Path, Scale], Iterator[Line]]

ALONE: Final[tuple[Measure, ...]] = (
    reading.lines,
    tracking.lines,
    batches.lines,
    start.lines,
    predecessor.lines,
)
"""What is timed has the machine for itself."""

TOGETHER: Final[tuple[Measure, ...]] = (pacing.lines, calls.lines, memory.lines)
"""What is counted does not mind company, and one of these mostly waits."""

LAST: Final[tuple[Measure, ...]] = (events.lines, lookups.lines)
"""What makes this process grow: Linux counts that as memory of the programs it starts."""


def _subject(measure: Measure) -> str:
    return measure.__module__.rpartition(".")[2]


SUBJECTS: Final = [_subject(measure) for measure in (*ALONE, *TOGETHER, *LAST)]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute, and no page is written")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, help="no page is written")
    asked = parser.parse_args()
    # Programs are measured as they are installed: compiled, and not anew at each start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    size = scale.QUICK if asked.quick else scale.FULL
    described, started = machine.described(), time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(Path(home), size, asked.only or SUBJECTS)
        lines = bench.lines()
        profiled = "" if asked.only else profiles.pages(bench.home("profiles"), size)
    minutes = (time.monotonic() - started) / 60
    described.append(f"The whole took {minutes:.1f} minutes.")
    if asked.quick or asked.only or bench.faults:
        print(pages.results(described, lines, profiled))
    else:
        print(table.full(lines))
        print("Written:", *pages.write(described, lines, profiled))
    if bench.faults:
        sys.exit("\n".join(["No page was written.", *bench.faults]))


class Bench:
    """A run of the measures.

    Args:
        folder: Where each has a folder of its own.
        size: How much is measured.
        only: Names of subjects.
    """

    def __init__(self, folder: Path, size: Scale, only: list[str]) -> None:
        self._folder = folder
        self._size = size
        self._only = only
        self.faults: list[str] = []

    def home(self, name: str) -> Path:
        """Return a folder."""
        home = self._folder / name
        home.mkdir()
        return home

    def lines(self) -> list[Line]:
        """Measure everything, and return the lines of the table."""
        found = [line for measure in ALONE for line in self._taken(measure)]
        with ThreadPoolExecutor(len(TOGETHER)) as pool:
            for taken in pool.map(self._taken, TOGETHER):
                found += taken
        return [*found, *(line for measure in LAST for line in self._taken(measure))]

    def _taken(self, measure: Measure) -> list[Line]:
        name = _subject(measure)
        if name not in self._only:
            return []
        found: list[Line] = []
        try:
            for line in measure(self.home(name), self._size):
                print(f"{line.what}: {line.shown} {line.ours}", file=sys.stderr, flush=True)
                found.append(line)
        except RunError as error:
            # One that fails does not take the others along.
            self.faults.append(f"{name}: {error}")
        return found


if __name__ == "__main__":
    main()
