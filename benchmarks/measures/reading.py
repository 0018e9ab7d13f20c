"""How fast the tap reads, against requests and msgspec without the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks import commands, runs, servers, table
from benchmarks.runs import RunError
from benchmarks.service.attributes import NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from benchmarks.runs import Rounds
    from benchmarks.scale import Scale
    from benchmarks.servers import Server
    from benchmarks.table import Line

DESELECTED: Final = ("Industry", "Sales Manager", "Time Zone", "Satisfaction", "Last Order Date")
SELECTED: Final = tuple(name for name in NAMES if name not in DESELECTED)
STREAM_MAPS: Final = {
    "accounts": {
        "plan": "plan.lower() if plan else None",
        "value_per_licence": "contract_value / licenses if contract_value and licenses else None",
        "notes": "__NULL__",
    }
}


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Measure full reads of accounts: as they are, mapped, and with some columns selected."""
    with servers.serving(accounts=scale.read) as server:
        found = _measured(home, server, scale.read, scale.rounds)
        yield _line("tap, all columns", found, scale.read, table.at_least(0.5))
        found = _measured(home, server, scale.read, scale.few, stream_maps=STREAM_MAPS)
        yield _line("tap, with stream maps", found, scale.read, table.at_least(0.2))
        found = _measured(home, server, scale.read, scale.few, attributes=SELECTED)
        columns = f"{len(SELECTED)} of {len(NAMES)} attributes selected"
        yield _line(f"tap, {columns}", found, scale.read, table.at_least(0.2))
        found = _measured(
            home, server, scale.read, scale.few, attributes=SELECTED, stream_maps=STREAM_MAPS
        )
        what = f"tap, with stream maps and {columns}"
        yield _line(what, found, scale.read, table.at_least(0.2))


def _line(what: str, found: Rounds, rows: int, bar: table.Bar) -> Line:
    return table.Line(
        f"{what}: {rows:,} accounts",
        len(found["tap"]),
        table.speed(rows, found["tap"]),
        f"requests + msgspec: {table.speed(rows, found['floor'])}",
        runs.speed_ratio(found["tap"], found["floor"]),
        "of the floor",
        bar,
    )


def _measured(
    home: Path,
    server: Server,
    rows: int,
    rounds: int,
    *,
    attributes: Collection[str] = (),
    **settings: Any,
) -> Rounds:
    command = commands.tap(home, server, attributes=attributes, **settings)
    floor = commands.floor("tap", server.url, *attributes)
    runs.run(floor, home)  # the service builds its pages
    programs = {
        "tap": lambda: counted(runs.run(command, home), home, rows),
        "floor": lambda: counted(runs.run(floor, home), home, rows),
    }
    return runs.alternating(rounds, programs)


def counted(run: runs.Run, home: Path, rows: int) -> runs.Run:
    """Return a run whose output holds so many records.

    Raises:
        RunError: If it holds more or fewer.
    """
    with runs.output(home).open("rb") as written:
        found = sum(runs.is_record(line) for line in written)
    if found != rows:
        msg = f"{found:,} of {rows:,} rows were written"
        raise RunError(msg)
    return run
