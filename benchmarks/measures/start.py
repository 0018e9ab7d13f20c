"""How long it takes until something happens, against importing the SDK alone."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, servers, table
from benchmarks.runs import Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.commands import Command
    from benchmarks.scale import Scale
    from benchmarks.table import Line

IMPORT: Final = "import singer_sdk"
BAR: Final = table.at_most(0.3)
ROWS: Final = 1000


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Measure versions, discovery and the first record."""
    with servers.serving(accounts=ROWS) as server:
        reading = commands.tap(home, server)
        programs = {
            IMPORT: lambda: runs.run([sys.executable, "-c", IMPORT], home),
            "`tap-totango --version`": lambda: runs.run([commands.TAP, "--version"], home),
            "`target-totango --version`": lambda: runs.run([commands.TARGET, "--version"], home),
            "`tap-totango --discover`": lambda: runs.run([*reading[:3], "--discover"], home),
            "`tap-totango`, first RECORD": lambda: first_record(reading, home),
        }
        runs.alternating(1, programs)  # compiled modules are written, pages built
        found = runs.alternating(scale.rounds, programs)
    base = found.pop(IMPORT)
    for name, taken in found.items():
        later = runs.median(
            one.seconds - other.seconds for one, other in zip(taken, base, strict=True)
        )
        yield table.Line(
            f"start, {name}",
            len(taken),
            table.duration(taken),
            f"`{IMPORT}`: {table.duration(base)}",
            later,
            "s more",
            BAR,
        )


def first_record(command: Command, home: Path) -> Run:
    """Run until the first RECORD is out; the processor time is not known, and given as 0."""
    with (home / "log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=home)
        for line in process.stdout or ():
            if runs.is_record(line):
                break
        else:
            raise runs.failed(command, process.wait(), home)
        seconds = time.perf_counter() - started
        process.communicate()
    if process.returncode:
        raise runs.failed(command, process.returncode, home)
    return Run(seconds, 0.0, 0.0)
