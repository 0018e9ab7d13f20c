"""How fast the target makes tracking calls, against aiohttp posting the same bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, servers, table
from benchmarks.measures import inputs
from benchmarks.runs import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.runs import Run
    from benchmarks.scale import Scale
    from benchmarks.servers import Server
    from benchmarks.table import Line

IN_FLIGHT: Final = 64
DELAY: Final = 0.030
UVLOOP: Final = "aiohttp on uvloop"
BARE: Final = "no HTTP library"


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Measure at once, and with 30 ms until an answer."""
    source = inputs.accounts(home, scale.tracked)
    bodies = _recorded(home, source)
    with servers.serving() as server:
        command = commands.target(home, server, max_in_flight=IN_FLIGHT)
        floor = commands.floor("tracking", server.url, bodies)
        bare = commands.floor("tracking_bare", server.url, bodies)

        def counted(run: Run) -> Run:
            return _counted(run, server, scale.tracked)

        programs = {
            "target": lambda: counted(runs.run(command, home, stdin=source)),
            "floor": lambda: counted(runs.run(floor, home)),
            UVLOOP: lambda: counted(runs.run([*floor, "--uvloop"], home)),
            BARE: lambda: counted(runs.run(bare, home)),
        }
        found = runs.alternating(scale.rounds, programs)
    ours = found["target"]
    yield table.Line(
        f"target, tracking, an answer at once: {scale.tracked:,} rows",
        scale.rounds,
        table.speed(scale.tracked, ours),
        f"aiohttp: {table.speed(scale.tracked, found['floor'])}",
        runs.speed_ratio(ours, found["floor"]),
        "of the floor",
        table.at_least(0.6),
    )
    for name in (UVLOOP, BARE):
        yield table.Line(
            "the same, beside another poster, for information",
            scale.rounds,
            "",
            f"{name}: {table.speed(scale.tracked, found[name])}",
            runs.speed_ratio(ours, found[name]),
            "of its speed",
        )
    at_once = scale.tracked / runs.seconds(ours)
    yield _delayed(home, scale, at_once)


def _delayed(home: Path, scale: Scale, at_once: float) -> Line:
    source = inputs.accounts(home, scale.delayed)
    with servers.serving(delay=DELAY) as server:
        command = commands.target(home, server, max_in_flight=IN_FLIGHT)
        program = {
            "target": lambda: _counted(runs.run(command, home, stdin=source), server, scale.delayed)
        }
        ours = runs.alternating(scale.few, program)["target"]
    possible = min(IN_FLIGHT / DELAY, at_once)
    return table.Line(
        f"target, tracking, an answer after 30 ms, {IN_FLIGHT} in flight: {scale.delayed:,} rows",
        scale.few,
        table.speed(scale.delayed, ours),
        f"{table.written(possible)} rows/s: {IN_FLIGHT} ÷ {DELAY} s, or its speed with answers at "
        "once if that is less",
        scale.delayed / runs.seconds(ours) / possible,
        "of that",
        table.at_least(0.9),
    )


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
