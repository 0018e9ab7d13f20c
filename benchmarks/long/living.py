"""Whether the tap reads all that lasts of a tenant on which people work, and with how many calls.

Run with ``python benchmarks/long/living.py [--rows 5000 15000 …] [--still 10000 …]``. Each line is
one run of `tap-totango` against a sandbox of its own, which orders rows that sort alike anew for
every page, and whose rows come, go and change after each search call. Lost is a row that was there
from the first call to the last, by the sandbox's own journal, and was not emitted. With the numbers
of rows that are the default, the table goes to RESULTS.md. It exits 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import sandboxes
from toolbox import BIN

from benchmarks import machine, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxes import Sandbox

ROWS: Final = (5_000, 15_000, 26_000, 60_000)
STILL: Final = (10_000, 20_000, 50_000, 100_000, 200_000, 1_000_000)
MOVES: Final[dict[str, dict[str, int]]] = {
    "nothing": {},
    "20 active": {"active": 20},
    "one in": {"in": 1},
    "one out": {"out": 1},
    "one renamed": {"renamed": 1},
    "one replaced": {"replaced": 1},
    "all of these": {"active": 20, "in": 1, "out": 1, "renamed": 1, "replaced": 1},
}
DATES: Final = {
    "Create Date": "created=all,activity=some",
    "last activity": "created=none,activity=spread",
    "none": "created=some,activity=some",
    "none, refused": "created=some,activity=some",
}
"""The date that every row has, and how such rows are made up."""

REFUSED_ROWS: Final = 19_500
"""Most rows where the service refuses to filter by dates: both orders reach 20,000."""

_HOW: Final = frozenset({"at_once"})

HEAD: Final = (
    "rows",
    "date on every row",
    "at each call",
    "calls",
    "least",
    "bar",
    "lost",
    "exit",
    "memory",
    "met",
)


@dataclass(frozen=True)
class Cell:
    """What is read, and what happens meanwhile."""

    rows: int
    dates: str
    moves: str

    @property
    def least(self) -> int:
        """Calls that pages of 1,000 rows take."""
        return -(-self.rows // 1000)

    @property
    def bar(self) -> int:
        """Calls that it may take."""
        if self.moves == "nothing" and self.rows >= 1_000_000:
            return int(1.08 * self.least)
        if self.moves == "nothing" and self.rows >= 10_000:
            return int(1.10 * self.least + 3)
        return int((2.2 if self.dates.startswith("none") else 1.35) * self.least + 5)


@dataclass(frozen=True)
class Found:
    """What a run came to."""

    cell: Cell
    calls: int
    lost: int
    code: int
    megabytes: float

    @property
    def is_met(self) -> bool:
        """Whether nothing was lost, the run was green, and the bar was kept."""
        return not self.lost and not self.code and self.calls <= self.cell.bar

    def line(self) -> str:
        """Return the line of the table."""
        cell, met = self.cell, "yes" if self.is_met else "**no**"
        what = f"{cell.rows:,} | {cell.dates} | {cell.moves}"
        numbers = f"{self.calls:,} | {cell.least:,} | {cell.bar:,} | {self.lost} | {self.code}"
        return f"| {what} | {numbers} | {self.megabytes:.0f} MB | {met} |\n"


def main() -> None:
    """Print the table, and write it where everything was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--rows", nargs="*", type=int, default=ROWS)
    parser.add_argument("--still", nargs="*", type=int, default=STILL, help="read undisturbed")
    parser.add_argument("--moves", nargs="*", choices=MOVES, default=tuple(MOVES))
    parser.add_argument("--dates", nargs="*", choices=DATES, default=tuple(DATES))
    parser.add_argument("--at-once", type=int, default=2, help="runs at the same time")
    asked = parser.parse_args()
    table = f"| {' | '.join(HEAD)} |\n{'| --- ' * len(HEAD)}|\n"
    print(table, end="")
    missed = 0
    # A process that grows hands its size on to those that it starts, so each cell has its own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.at_once, context, max_tasks_per_child=1) as pool:
        for found in pool.map(_found, _cells(asked)):
            print(found.line(), end="", flush=True)
            table += found.line()
            missed += not found.is_met
    if all(vars(asked)[name] == parser.get_default(name) for name in vars(asked).keys() - _HOW):
        pages.write_living(machine.described()[0], table)
    sys.exit(f"{missed} bars were missed." if missed else 0)


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def _cells(asked: argparse.Namespace) -> Iterator[Cell]:
    cells = [
        Cell(min(rows, REFUSED_ROWS) if dates == "none, refused" else rows, dates, moves)
        for rows, dates, moves in itertools.product(asked.rows, asked.dates, asked.moves)
    ]
    yield from dict.fromkeys(cells)
    yield from (Cell(rows, "Create Date", "nothing") for rows in asked.still)


def _found(cell: Cell) -> Found:
    seed = f"accounts={cell.rows},users=0,events=0,{DATES[cell.dates]}"
    terms = "evidenced" if cell.dates == "none, refused" else "all"
    with (
        tempfile.TemporaryDirectory() as name,
        sandboxes.sandbox(Path(name) / "sandbox", "--set", f"terms={terms}", seed=seed) as service,
    ):
        service.set(**{f"moves_{move}": number for move, number in MOVES[cell.moves].items()})
        code, keys, megabytes = _run(service, Path(name))
        return Found(cell, _calls(service), len(_lasting(service) - keys), code, megabytes)


def _calls(service: Sandbox) -> int:
    return int(service.stats()["searches"]["accounts"])


def _lasting(service: Sandbox) -> set[str]:
    """Return the accounts that were there from the first search call to the last."""
    last, moves = _calls(service), service.moves("accounts")
    came = {move["account_id"] for move in moves if move["move"] == "in"}
    went_late = {
        move["account_id"]
        for move in moves
        if move["move"] == "out" and move["after_search"] >= last
    }
    return ({row["account_id"] for row in service.dump("accounts")} | went_late) - came


def _run(service: Sandbox, home: Path) -> tuple[int, set[str], float]:
    """Run the tap; return its exit code, the accounts that it emitted, and megabytes at most."""
    config = home / "config.json"
    config.write_text(json.dumps(service.config()))
    keys = set()
    with (home / "log").open("w") as log:
        command = [str(BIN / "tap-totango"), "--config", str(config)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        for line in process.stdout or ():
            message = json.loads(line)
            if message["type"] == "RECORD" and message["stream"] == "accounts":
                keys.add(message["record"]["account_id"])
        _, status, used = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), keys, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
