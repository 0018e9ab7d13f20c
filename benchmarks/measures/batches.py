"""How fast the target fills Integration Hub batches, against msgspec and requests alone.

And what it costs to read receipts: beside itself as it would be if it believed every response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    yield table.Line(
        "the same, beside the floor",
        scale.rounds,
        ours,
        f"msgspec + requests: {theirs}",
        runs.speed_ratio(found["target"], found["floor"]),
        "of the floor",
        table.at_least(0.5),
    )
    yield table.Line(
        "the same, beside itself where any response of 2xx confirms a batch",
        scale.rounds,
        ours,
        f"itself, believing: {table.speed(rows, found['believing'])}",
        runs.speed_ratio(found["target"], found["believing"]),
        "of its speed",
        table.at_least(0.95),
    )


def _counted(run: Run, server: Server, rows: int) -> Run:
    arrived = server.taken().get("rows", 0)
    if arrived != rows:
        msg = f"{arrived:,} rows arrived of {rows:,}"
        raise RunError(msg)
    return run
