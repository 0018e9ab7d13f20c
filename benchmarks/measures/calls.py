"""How many search calls a complete read takes where one query reaches 10,000 rows, and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, servers, table
from benchmarks.measures.reading import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.scale import Scale
    from benchmarks.table import Line

WINDOW: Final = 10_000
PAGE: Final = 1000
BARS: Final = {10_000: 1.10, 100_000: 1.10, 1_000_000: 1.08}
MEGABYTES: Final = 120
BYTES_A_ROW: Final = 64


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Read accounts out of reach, each number once."""
    for rows in scale.split:
        with servers.serving(accounts=rows, window=WINDOW) as server:
            command = commands.tap(home, server)
            server.taken()
            run = counted(runs.run(command, home), home, rows)
            runs.output(home).unlink()
            taken = server.taken()
        least = -(-rows // PAGE)
        yield table.Line(
            f"tap, search calls for {rows:,} accounts, {WINDOW:,} in reach of a query",
            1,
            f"{taken['search']:,} calls, {taken.get('refused', 0)} of them refused",
            f"{least:,} pages",
            taken["search"] / least,
            "times the pages",
            table.at_most(BARS.get(rows, 1.25)),
        )
        yield table.Line(
            f"tap, most memory in that read of {rows:,} accounts",
            1,
            f"{run.megabytes:.0f} MB, CPU {run.cpu:.0f} s",
            f"{MEGABYTES} MB and {BYTES_A_ROW} bytes a row",
            run.megabytes,
            "MB",
            table.at_most(MEGABYTES + BYTES_A_ROW * rows / 1e6),
        )
