"""How many rows the tap reads of what is there, and with how many calls.

Run with ``python benchmarks/tap_calls.py [--quick]``. Each line is one run of `tap-totango`
against a sandbox of its own, which refuses rows beyond 10,000, orders rows that sort alike
anew for every page, and knows either all filters or only the publicly evidenced ones.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

import sandboxes
from toolbox import BIN

if TYPE_CHECKING:
    from sandboxes import Sandbox

PAGE: Final = 1000
ACCOUNTS: Final = (9_999, 10_000, 10_001, 25_000, 200_000)
USERS, CLUMP, ACCOUNTS_OF_USERS = 60_000, 12_000, 3_000
MOMENT: Final = 1_762_000_000_000
EVENTS: Final = (1_000, 5_000, 20_000)
KEYS: Final = {
    "accounts": ("account_id",),
    "users": ("account_id", "user_id"),
    "events": ("event_id",),
}


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    stream: str
    rows: int
    terms: str


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--quick", action="store_true", help="without 200,000 accounts and users")
    quick = parser.parse_args().quick
    numbers = ACCOUNTS[:-1] if quick else ACCOUNTS
    known = ("all", "evidenced")
    cases = [Case("accounts", rows, terms) for rows in numbers for terms in known]
    cases += [Case("events", rows, terms) for rows in EVENTS for terms in known]
    if not quick:
        cases += [Case("users", USERS, terms) for terms in known]
    print("| stream | rows | terms | emitted / there | twice | calls / least | exit | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for case in cases:
        with tempfile.TemporaryDirectory() as home:
            print(_line(case, Path(home)), flush=True)


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def _line(case: Case, home: Path) -> str:
    seed = f"accounts={case.rows},users=0,events=0"
    if case.stream == "users":
        seed = f"accounts={ACCOUNTS_OF_USERS},users={case.rows},events=0"
    elif case.stream == "events":
        seed = f"accounts=100,users=0,events={case.rows}"
    with sandboxes.sandbox(home / "sandbox", "--set", f"terms={case.terms}", seed=seed) as service:
        if case.stream == "users":
            clumped = service.dump("users")[:CLUMP]
            service.load(users=[{**row, "last_activity_time": MOMENT} for row in clumped])
        there = service.stats()["rows"][case.stream]
        code, keys, seconds = _read(service, case.stream, home)
        calls = sum(
            number
            for surface in KEYS
            for number in service.stats()["calls"].get(surface, {}).values()
        )
    what = f"{case.stream}, {CLUMP:,} at one moment" if case.stream == "users" else case.stream
    twice = sum(keys.values()) - len(keys)
    return (
        f"| {what} | {case.rows:,} | {case.terms} | {len(keys):,} / {there:,} | {twice} "
        f"| {calls} / {-(-there // PAGE)} | {code} | {seconds:.0f} |"
    )


def _read(service: Sandbox, stream: str, home: Path) -> tuple[int, Counter[tuple[str, ...]], float]:
    """Run the tap; return its exit code, how often each key came, and the seconds."""
    config, catalog = home / "config.json", home / "catalog.json"
    config.write_text(json.dumps(service.config()))
    command = [str(BIN / "tap-totango"), "--config", str(config)]
    with (home / "discovery.log").open("w") as log:
        found = subprocess.check_output([*command, "--discover"], stderr=log)
    document = json.loads(found)
    for entry in document["streams"]:
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["tap_stream_id"] == stream
    catalog.write_text(json.dumps(document))
    keys: Counter[tuple[str, ...]] = Counter()
    started = time.perf_counter()
    with (home / "tap.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--catalog", str(catalog)], stdout=subprocess.PIPE, stderr=log
        )
        for line in process.stdout or ():
            message = json.loads(line)
            if message["type"] == "RECORD":
                keys[tuple(message["record"][key] for key in KEYS[stream])] += 1
        code = process.wait()
    return code, keys, time.perf_counter() - started


if __name__ == "__main__":
    main()
