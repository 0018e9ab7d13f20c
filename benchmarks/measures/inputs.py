"""Singer input for the target."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from benchmarks.servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def accounts(home: Path, rows: int) -> Path:
    """Return a file of so many accounts."""
    return _file(home, rows, "accounts")


def activities(home: Path, rows: int) -> Path:
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
