"""How much memory the target holds, whatever the length of its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks import commands, runs, servers, table
from benchmarks.rows import piped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.runs import Run
    from benchmarks.scale import Scale
    from benchmarks.table import Line

BAR: Final = table.at_most(150)


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Write few rows and many by batches, and few by tracking calls."""
    few, many = scale.held
    for rows, delivery in ((few, "hub"), (many, "hub"), (few, "tracking")):
        run = _written(home, rows, delivery=delivery)
        yield table.Line(
            f"target, most memory for {rows:,} rows by {delivery}",
            1,
            f"{run.megabytes:.0f} MB, CPU {run.cpu:.0f} s",
            "",
            run.megabytes,
            "MB",
            BAR,
        )


def _written(home: Path, rows: int, **settings: Any) -> Run:
    with servers.serving() as server, piped(rows) as source:
        return runs.run(commands.target(home, server, **settings), home, stdin=source)
