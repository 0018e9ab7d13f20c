"""How fast the target fills Integration Hub batches, against msgspec and requests alone.

And what it costs to read receipts: beside itself as it would be if it believed every response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, servers, table
from benchmarks.rows import accounts_file
from benchmarks.runs import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.runs import Run
    from benchmarks.scale import Scale
    from benchmarks.servers import Server
    from benchmarks.table import Line

_BELIEVING: Final = "itself where any response of 2xx confirms a batch"


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Measure batches that are taken at once."""
    rows, source = scale.batched, accounts_file(home, scale.batched)
    with servers.serving() as server:
        command = commands.target(home, server, delivery="hub")
        believing = commands.believing_every_response(command)
        floor = commands.floor("hub", server.url)
        programs = {
            "target": lambda: _counted(runs.run(command, home, stdin=source), server, rows),
            "floor": lambda: _counted(runs.run(floor, home, stdin=source), server, rows),
            "believing": lambda: _counted(runs.run(believing, home, stdin=source), server, rows),
        }
        found = runs.alternating(scale.rounds, programs)
    ours, theirs = table.speed(rows, found["target"]), table.speed(rows, found["floor"])
    yield table.Line(
        f"target, Integration Hub: {rows:,} rows",
        scale.rounds,
        ours,
        "",
        rows / runs.seconds(found["target"]),
        "rows/s",
        table.at_least(20_000),
    )
    itself = table.speed(rows, found["believing"])
    for measure, program, beside, unit, bar in (
        ("the floor", "floor", f"msgspec + requests: {theirs}", "of the floor", 0.5),
        (_BELIEVING, "believing", f"itself, believing: {itself}", "of its speed", 0.95),
    ):
        yield table.Line(
            f"the same, beside {measure}",
            scale.rounds,
            ours,
            beside,
            runs.speed_ratio(found["target"], found[program]),
            unit,
            table.at_least(bar),
        )


def _counted(run: Run, server: Server, rows: int) -> Run:
    arrived = server.taken().get("rows", 0)
    if arrived != rows:
        msg = f"{arrived:,} rows arrived of {rows:,}"
        raise RunError(msg)
    return run
