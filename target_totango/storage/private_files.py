"""Opens files that only their owner may read, and locks them for one run."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from typing import TYPE_CHECKING, Final

from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE: Final = 0o600
"""Rows are personal data."""


def make_private(path: Path) -> None:
    """Make a file if it is not there."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))


def open_locked(path: Path, flags: int) -> int | None:
    """Open a file and lock it; None if it is not there, there already, or another run has it."""
    try:
        descriptor = os.open(path, flags, PRIVATE)
    except (FileNotFoundError, FileExistsError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # a file system that has no locks
        pass
    if not is_same_file(descriptor, path):
        os.close(descriptor)
        return None
    return descriptor


def is_same_file(descriptor: int, path: Path) -> bool:
    """Return whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


class KeptFile:
    """Tells whether a file that is kept for later runs is still where it was when it was opened.

    Some file systems number a file anew once nobody has it open: to be asked while it is.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = path.stat()

    def check(self) -> None:
        """Check that it was neither removed nor replaced.

        Raises:
            SettingsError: If it was.
        """
        try:
            is_there = os.path.samestat(self._opened, self._path.stat())
        except OSError:
            is_there = False
        if not is_there:
            msg = f"{self._path} was removed or replaced while this run used it: nothing is kept."
            remedy = "Leave the files of ledger_path alone while a run uses them."
            raise SettingsError(msg, remedy=remedy)


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a crash."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def with_part(path: Path, name: str) -> Path:
    """Return a path with one more part before its suffix."""
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def free_name(path: Path, written_at: float) -> Path:
    """Return a name for an older file: with the time of its last row."""
    stamp = dt.datetime.fromtimestamp(written_at, tz=dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    candidate, number = with_part(path, stamp), 1
    while candidate.exists():
        number += 1
        candidate = with_part(path, f"{stamp}-{number}")
    return candidate
