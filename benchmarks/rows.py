"""Accounts or activities as Singer messages: ``-m benchmarks.rows N [activities]``, or a file.

Accounts have the form in which the tap writes them. A STATE follows every thousand rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Final

from benchmarks.servers import ROOT
from benchmarks.service.attributes import DATES, NUMBERS, TEXTS, VARIANTS, variants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATE_EVERY: Final = 1000
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
EXTRACTED: Final = "2026-01-01T00:00:00.000000Z"


def column(attribute: str) -> str:
    """Return the name of an attribute's column."""
    return attribute.lower().replace(" ", "_")


SCHEMA: Final[dict[str, Any]] = {
    "type": "SCHEMA",
    "stream": "accounts",
    "key_properties": ["account_id"],
    "schema": {
        "properties": {
            "account_id": {"type": ["string"]},
            "account_name": {"type": ["string", "null"]},
            **{column(name): {"type": ["string", "null"]} for name in TEXTS},
            **{column(name): {"type": ["number", "null"]} for name in NUMBERS},
            **{column(name): {"type": ["string", "null"], "format": "date-time"} for name in DATES},
        }
    },
}


ACTIVITIES: Final[dict[str, Any]] = {
    "type": "SCHEMA",
    "stream": "activities",
    "key_properties": ["id"],
    "schema": {
        "properties": {
            name: {"type": ["string"]}
            for name in ("id", "account_id", "user_id", "activity", "module")
        }
    },
}
ACTIVITIES_OF_A_USER: Final = 3
"""So many of a user follow one another, and have to arrive in this order."""


def messages(rows: int) -> Iterator[str]:
    """Yield the lines of a stream of so many accounts."""
    tails = [_JSON.encode(_cells(values))[1:] for values in variants()]
    start = '{"type":"RECORD","stream":"accounts","record":{"account_id":"acme-'
    yield from _with_states(
        SCHEMA,
        (
            f'{start}{number:07d}","account_name":"Acme {number:07d}",{tails[number % VARIANTS]},'
            f'"time_extracted":"{EXTRACTED}"}}'
            for number in range(rows)
        ),
    )


def activities(rows: int) -> Iterator[str]:
    """Yield the lines of a stream of so many activities."""
    start = '{"type":"RECORD","stream":"activities","record":{"id":"'
    yield from _with_states(
        ACTIVITIES,
        (
            f'{start}{number}","account_id":"acme-{number % 1000}",'
            f'"user_id":"{number // ACTIVITIES_OF_A_USER}@acme.example",'
            '"activity":"Opened a report","module":"Reports"}}'
            for number in range(rows)
        ),
    )


def _with_states(schema: dict[str, Any], records: Iterator[str]) -> Iterator[str]:
    yield json.dumps(schema)
    for number, record in enumerate(records, start=1):
        yield record
        if number % STATE_EVERY == 0:
            yield f'{{"type":"STATE","value":{{"rows":{number}}}}}'


def _cells(values: dict[str, Any]) -> dict[str, Any]:
    moments = {name: _time(values[name]) for name in DATES}
    return {column(name): value for name, value in {**values, **moments}.items()}


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def accounts_file(home: Path, rows: int) -> Path:
    """Return a file of so many accounts."""
    return _file(home, rows, "accounts")


def activities_file(home: Path, rows: int) -> Path:
    """Return a file of so many activities."""
    return _file(home, rows, "activities")


def _file(home: Path, rows: int, kind: str) -> Path:
    path = home / f"{kind}-{rows}.singer"
    if not path.exists():
        with path.open("wb") as file:
            subprocess.run(_command(rows, kind), cwd=ROOT, stdout=file, check=True)
    return path


@contextmanager
def piped(rows: int) -> Iterator[IO[bytes]]:
    """Make so many accounts while they are read, since a file of a million is large."""
    process = subprocess.Popen(_command(rows, "accounts"), cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 (it was asked for)
    try:
        yield process.stdout
    finally:
        process.stdout.close()
        process.wait()


def _command(rows: int, kind: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.rows", str(rows), kind]


def main() -> None:
    """Write to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rows", description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("kind", nargs="?", default="accounts", choices=["accounts", "activities"])
    asked = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    kinds = {"accounts": messages, "activities": activities}
    for line in kinds[asked.kind](asked.rows):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
