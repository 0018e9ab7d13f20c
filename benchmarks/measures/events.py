"""How many calls the streams made of events take together, on a tenant still or alive."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, table

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxes import Sandbox

    from benchmarks.scale import Scale
    from benchmarks.table import Line

PAGE: Final = 1000
STREAMS: Final = ("touchpoints", "task_events", "health_changes", "campaign_touches")
MOVES: Final = ("in", "out", "backdated", "edited")
BAR: Final = 1.05
LIVING: Final = 2
"""Calls that show, where events move, that these were all."""


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Read the events of four streams in one go, undisturbed and disturbed at every call."""
    for moves in ((), MOVES):
        what = ", one in, out, back-dated and edited at each call" if moves else ""
        folder = home / ("living" if moves else "still")
        seed = f"accounts=100,users=0,events={scale.events}"
        with sandboxes.sandbox(folder / "sandbox", seed=seed) as service:
            before = service.dump("events")
            service.set(event_edits="move", **{f"moves_{move}": 1 for move in moves})
            seen = _read(folder, service)
            calls, lost = len(service.calls("events")), service.lasting("events", before) - seen
        if lost:
            msg = f"{len(lost)} events were lost"
            raise runs.RunError(msg)
        least = -(-scale.events // PAGE)
        yield table.Line(
            f"tap, search calls for {scale.events:,} events in four streams{what}",
            1,
            f"{calls:,} calls, none lost",
            f"{least:,} pages",
            calls / least,
            "times the pages",
            table.at_most(1 + LIVING / least if moves else BAR),
        )


def _read(home: Path, service: Sandbox) -> set[tuple[str, ...]]:
    """Run the tap over the streams; return the ids of the events that it emitted."""
    config, catalog = home / "tap.json", home / "catalog.json"
    config.write_text(json.dumps(service.config()))
    command: commands.Command = [commands.TAP, "--config", config]
    runs.run([*command, "--discover"], home)
    document = json.loads(runs.output(home).read_bytes())
    for entry in document["streams"]:
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["tap_stream_id"] in STREAMS
    catalog.write_text(json.dumps(document))
    runs.run([*command, "--catalog", catalog], home)
    seen: set[tuple[str, ...]] = set()
    with runs.output(home).open() as output:
        for line in output:
            message = json.loads(line)
            if message["type"] == "RECORD":
                seen.add((message["record"]["event_id"],))
    return seen
