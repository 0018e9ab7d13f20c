"""How much of the limit of calls the tap uses: 100 a minute, of a server that takes 1 s a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, servers, table
from benchmarks.measures.reading import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.scale import Scale
    from benchmarks.table import Line

LIMIT: Final = 100
DELAY: Final = 1.0


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Read for more than a minute."""
    if not scale.paced:
        return
    with servers.serving(accounts=scale.paced, limit=LIMIT, delay=DELAY) as server:
        command = commands.tap(home, server, rate_limit_per_minute=LIMIT)
        spent = sum(server.taken().values())
        run = counted(runs.run(command, home), home, scale.paced)
        taken = server.taken()
    calls = taken["search"] + taken["attributes"]
    due = calls / LIMIT * 60
    yield table.Line(
        f"tap, {LIMIT} calls a minute, 1 s a page: {scale.paced:,} accounts",
        1,
        f"{run.seconds:.0f} s for {calls} calls",
        f"{due:.0f} s: calls ÷ limit",
        run.seconds / due,
        "of that",
        table.at_most(1.05),
    )
    yield table.Line(
        "the same, answered with 429",
        1,
        f"{taken.get('too many', 0)} of {calls} calls, and {spent} before for the catalog",
        "",
        taken.get("too many", 0),
        "calls",
        table.at_most(0),
    )
