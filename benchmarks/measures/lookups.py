"""How many calls it takes to find accounts and users by another key than their ids."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import commands, runs, table

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxes import Sandbox

    from benchmarks.scale import Scale
    from benchmarks.table import Line

ROWS: Final = 2_000
ROWS_A_CALL: Final = 500


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Match rows of accounts by their foreign keys, and of users by their addresses."""
    del scale
    seed = f"accounts={ROWS},users={ROWS},events=0,keys=all"
    with sandboxes.sandbox(home / "sandbox", seed=seed) as service:
        keys = [row["attributes"]["ofid"] for row in service.dump("accounts")]
        yield _line(home, service, "accounts", "ofid", keys)
        for number, row in enumerate(users := service.dump("users")):
            row["attributes"]["Email"] = f"{number}@bench.example"
        service.load(users=users)
        yield _line(home, service, "users", "Email", [row["attributes"]["Email"] for row in users])


def _line(home: Path, service: Sandbox, object_: str, key: str, values: Sequence[str]) -> Line:
    """Write a row for each value; count the lookups."""
    mapping = {
        "stream": "rows",
        "object": object_,
        "match_on": {key: "key"},
        "attributes": {"Plan": {"constant": "Gold"}},
    }
    config, rows = home / "target.json", home / "rows.singer"
    config.write_text(json.dumps(service.config(mappings=[mapping], canary=False)))
    schema: dict[str, Any] = {"type": "object", "properties": {"key": {}}}
    messages = [
        {"type": "SCHEMA", "stream": "rows", "schema": schema, "key_properties": ["key"]},
        *({"type": "RECORD", "stream": "rows", "record": {"key": value}} for value in values),
    ]
    rows.write_text("".join(f"{json.dumps(message)}\n" for message in messages))
    before = len(service.calls(object_))
    runs.run([commands.TARGET, "--config", config], home, stdin=rows)
    calls, least = len(service.calls(object_)) - before, -(-len(values) // ROWS_A_CALL)
    return table.Line(
        f"target, lookups for {len(values):,} rows of {object_} matched by {key}",
        1,
        f"{calls} calls",
        f"{least} calls: {ROWS_A_CALL} rows each",
        calls / least,
        "of that",
        table.at_most(1.0),
    )
