"""What a verified run of the target costs, and what concurrency brings.

Run with ``python benchmarks/long/target_rows.py [--rows 100000]``. One row in a hundred is bad, in
ten ways. The second run gets the same input, with a ledger: nothing is to be sent. The ratio is
taken against one call at a time (`max_in_flight: 1`), both at 30 ms a call, in the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from sandboxes import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET: Final = Path(sys.executable).parent / "target-totango"
ATTRIBUTES: Final = 14
SCHEMA: Final[dict[str, Any]] = {
    "type": "SCHEMA",
    "stream": "accounts",
    "key_properties": ["account_id"],
    "schema": {
        "properties": {
            "account_id": {"type": ["string", "null"]},
            "account_name": {"type": ["string", "null"]},
            "Contract Value": {"type": ["number", "string", "null"]},
            "Create Date": {"type": ["string", "null"], "format": "date"},
            "Licenses": {"type": ["integer", "null"]},
            **{f"Attribute {number}": {"type": "string"} for number in range(ATTRIBUTES)},
        }
    },
}
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"account_id": "has a blank"},
    {"account_id": "x" * 481},
    {"account_id": None},
    {"account_id": "001A0000006Vm9u"},
    {"account_id": "per%cent"},
    {"account_name": "n" * 129},
    {"Attribute 1": "v" * 513},
    {"Create Date": "31/31/2026"},
    {"Contract Value": "about 1,000 €"},
    {"Licenses": "many"},
)


def lines(rows: int) -> Iterator[str]:
    """Yield the Singer input: a SCHEMA, records, and a STATE every thousand rows."""
    yield json.dumps(SCHEMA)
    for number in range(rows):
        record: dict[str, Any] = {
            "account_id": f"acc-{number}",
            "account_name": f"Company {number} & Söhne",
            "Contract Value": number * 10 + 0.5,
            "Create Date": f"20{number % 26:02d}-0{number % 9 + 1}-15",
            "Licenses": number % 500,
            **{f"Attribute {each}": f"value {number * each % 9973}" for each in range(ATTRIBUTES)},
        }
        if number % 100 == 99:
            record.update(FAULTS[number // 100 % len(FAULTS)])
        yield json.dumps({"type": "RECORD", "stream": "accounts", "record": record})
        if number % 1000 == 999:
            yield json.dumps({"type": "STATE", "value": {"row": number}})


def run(home: Path, source: Path, settings: dict[str, Any]) -> tuple[float, dict[str, Any], str]:
    """Run the target; return seconds, its report, and the last line that it logs."""
    report = home / "report.json"
    config = home / "target.json"
    config.write_text(json.dumps({**settings, "report_path": str(report)}))
    started = time.perf_counter()
    with source.open() as stdin:
        done = subprocess.run(
            [TARGET, "--config", config],
            stdin=stdin,
            capture_output=True,
            encoding="utf-8",
            cwd=home,
            check=False,
        )
    seconds = time.perf_counter() - started
    return seconds, json.loads(report.read_text()), done.stderr.strip().split("\n")[-1]


def verified(home: Path, rows: int) -> None:
    """Print what a verified run with a ledger comes to, and the same input once more."""
    source = home / "input.singer"
    source.write_text("\n".join(lines(rows)) + "\n")
    with sandbox(home / "a", seed="none", rate_limit=0) as service:
        ledger = {"ledger_path": str(home / "ledger.sqlite"), "verify": "all"}
        for name, more in (("first", {}), ("again", {"skip_unchanged": True})):
            settings = service.config(rejects_path=str(home / "rejects.singer"), **ledger, **more)
            seconds, report, last = run(home, source, settings)
            print(f"\n## {name}: {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows/s\n")
            print(last)
            print(json.dumps(report, indent=1))


def concurrent(home: Path, rows: int) -> None:
    """Print what 32 calls at once bring at 30 ms a call."""
    source = home / "some.singer"
    source.write_text("\n".join(lines(rows)) + "\n")
    taken = {}
    with sandbox(home / "b", "--chaos", "slow=0.03@tracking", seed="none", rate_limit=0) as service:
        for in_flight in (1, 32):
            settings = service.config(rejects_path=str(home / "r.singer"), max_in_flight=in_flight)
            taken[in_flight], _, _ = run(home, source, settings)
    print(f"\n32 calls at once: {taken[1] / taken[32]:.1f} times as fast as one, at 30 ms a call.")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        concurrent(Path(folder), min(rows, 2_000))
        verified(Path(folder), rows)


if __name__ == "__main__":
    main()
