"""How fast the target makes tracking calls, against aiohttp posting the same bodies."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks import commands, runs, servers, table
from benchmarks.rows import accounts_file, activities_file
from benchmarks.runs import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.runs import Rounds, Run
    from benchmarks.scale import Scale
    from benchmarks.servers import Server
    from benchmarks.table import Line

IN_FLIGHT: Final = 128
"""The target's default."""

PLAIN: Final = "target, without uvloop"
ON_UVLOOP: Final = "target, on uvloop"
FLOOR: Final = "aiohttp"
FLOOR_ON_UVLOOP: Final = "aiohttp on uvloop"
BARE: Final = "no HTTP library"


class Delayed(NamedTuple):
    """A run whose answers take a while.

    Attributes:
        delay: Seconds until an answer.
        what: What is written.
        is_remembered: Whether with a ledger.
    """

    delay: float
    what: str
    is_remembered: bool

    def __str__(self) -> str:
        ledger = " with a ledger" if self.is_remembered else ""
        return f"an answer after {self.delay * 1000:.0f} ms, {self.what}{ledger}"


DELAYED: Final = [
    Delayed(delay, what, is_remembered)
    for delay in (0.030, 0.100)
    for what, is_remembered in (("accounts", False), ("accounts", True), ("activities", True))
]


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Measure with answers at once, and with some that take a while."""
    found = _at_once(home, scale)
    for name, bar in ((PLAIN, 0.60), (ON_UVLOOP, 0.75)):
        yield table.Line(
            f"{name}, tracking, an answer at once: {scale.tracked:,} rows",
            scale.rounds,
            table.speed(scale.tracked, found[name]),
            f"{FLOOR}: {table.speed(scale.tracked, found[FLOOR])}",
            runs.speed_ratio(found[name], found[FLOOR]),
            "of the floor",
            table.at_least(bar),
        )
    for name in (FLOOR_ON_UVLOOP, BARE):
        yield table.Line(
            "the same, beside another poster, for information",
            scale.rounds,
            "",
            f"{name}: {table.speed(scale.tracked, found[name])}",
            runs.speed_ratio(found[ON_UVLOOP], found[name]),
            "of its speed",
        )
    for delayed in DELAYED:
        yield from _delayed(home, scale, delayed)


def _at_once(home: Path, scale: Scale) -> Rounds:
    source = accounts_file(home, scale.tracked)
    bodies = _recorded(home, source)
    with servers.serving() as server:
        target = commands.target(home, server)
        floor = commands.floor("tracking", server.url, bodies)
        programs = {
            PLAIN: commands.without_uvloop(target),
            ON_UVLOOP: target,
            FLOOR: floor,
            FLOOR_ON_UVLOOP: [*floor, "--uvloop"],
            BARE: commands.floor("tracking_bare", server.url, bodies),
        }

        def counted(name: str) -> Run:
            stdin = source if name in {PLAIN, ON_UVLOOP} else None
            return _counted(runs.run(programs[name], home, stdin=stdin), server, scale.tracked)

        return runs.alternating(
            scale.rounds, {name: functools.partial(counted, name) for name in programs}
        )


def _delayed(home: Path, scale: Scale, delayed: Delayed) -> Iterator[Line]:
    """Measure one run, beside aiohttp that posts the same to the same service.

    No client gets to calls in flight ÷ latency, since all start, and share the processors with the
    service. How near ours comes is told for information.

    Args:
        home: Where files are.
        scale: How many rows.
        delayed: What is written, and how long answers take.
    """
    rows = scale.delayed if delayed.delay < DELAYED[-1].delay else scale.delayed // 2
    found = _slowly(home, scale.twice, rows, delayed)
    ours, floors = found["target"], found[FLOOR]
    possible = IN_FLIGHT / delayed.delay
    ratio = rows / runs.seconds(ours) / possible
    yield table.Line(
        f"target, tracking, {delayed}: {rows:,} rows",
        scale.twice,
        table.speed(rows, ours),
        f"{FLOOR}: {table.speed(rows, floors)}",
        max(runs.speed_ratio(ours, floors), ratio),
        "of the floor",
        table.at_least(0.9),
    )
    yield table.Line(
        "the same, beside what latency allows, for information",
        scale.twice,
        "",
        f"{table.written(possible)} rows/s: {IN_FLIGHT} ÷ {delayed.delay} s",
        ratio,
        "of that",
    )


def _slowly(home: Path, rounds: int, rows: int, delayed: Delayed) -> Rounds:
    made = activities_file if delayed.what == "activities" else accounts_file
    source = made(home, rows)
    bodies = _recorded(home, source)
    ledger = home / "ledger.db"

    def written() -> Run:
        settings: dict[str, Any] = {"ledger_path": str(ledger)} if delayed.is_remembered else {}
        ledger.unlink(missing_ok=True)
        run = runs.run(commands.target(home, server, **settings), home, stdin=source)
        return _counted(run, server, rows)

    with servers.serving(delay=delayed.delay) as server:
        floor = commands.floor("tracking", server.url, bodies)
        posted = functools.partial(runs.run, floor, home)
        programs = {"target": written, FLOOR: lambda: _counted(posted(), server, rows)}
        return runs.alternating(rounds, programs)


def _recorded(home: Path, source: Path) -> Path:
    """Return a file of the bodies that the target makes of an input."""
    bodies = home / "bodies"
    with servers.serving(record=bodies) as server:
        runs.run(commands.target(home, server), home, stdin=source)
    return bodies


def _counted(run: Run, server: Server, rows: int) -> Run:
    arrived = server.taken().get("tracking", 0)
    if arrived != rows:
        msg = f"{arrived:,} calls arrived for {rows:,} rows"
        raise RunError(msg)
    return run
