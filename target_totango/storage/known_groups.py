"""Remembers which group each user was last in, for calls of Segment that do not say."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from target_totango.storage.private_files import make_private
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS groups (user_id TEXT PRIMARY KEY, group_id TEXT) WITHOUT ROWID",
    (
        "CREATE TEMP TABLE ahead (user_id TEXT, rows_before INTEGER, group_id TEXT, "
        "PRIMARY KEY (user_id, rows_before)) WITHOUT ROWID"
    ),
)
_NOTE: Final = "INSERT OR REPLACE INTO ahead VALUES (?, ?, ?)"
_LATEST: Final = (
    "SELECT group_id, rows_before FROM ahead WHERE user_id = ?1 UNION ALL "
    "SELECT group_id, -1 FROM groups WHERE user_id = ?1 ORDER BY rows_before DESC LIMIT 1"
)
_KEEP: Final = (
    "INSERT OR REPLACE INTO groups SELECT user_id, group_id FROM ahead WHERE rows_before < ? "
    "ORDER BY rows_before"
)


class KnownGroups:
    """The last known group of each user. Used by one thread.

    A second file beside the ledger, because it has to hold ids in clear. A group is kept for later
    runs once STATE has passed the row that named it: a run that starts before that row reads it
    again, and must not take it for what was known before.

    Args:
        path: The file, readable by its owner only; None to remember for this run alone.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows = 0
        try:
            if path is not None:
                make_private(path)
            # The empty name is SQLite's own for a temporary database.
            self._database = sqlite3.connect(path or "", isolation_level=None)
            for statement in _SCHEMA:
                self._database.execute(statement)
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from error

    def get(self, user_id: str) -> str | None:
        """Return a user's last known group."""
        row = self._database.execute(_LATEST, (user_id,)).fetchone()
        return str(row[0]) if row else None

    def note(self, user_id: str, group_id: str) -> None:
        """Note that a user is in a group."""
        self._database.execute(_NOTE, (user_id, self._rows, group_id))

    def note_state(self, rows: int) -> None:
        """Note that a STATE covers so many rows, and with them all groups noted so far."""
        self._rows = rows

    def keep(self, rows: int | None = None) -> None:
        """Keep for later runs what the first rows named.

        Args:
            rows: How many rows the emitted STATE covers; None for all that was read.

        Raises:
            SettingsError: If the file cannot be written.
        """
        covered = (self._rows + 1 if rows is None else rows,)
        try:
            self._database.execute("BEGIN")
            self._database.execute(_KEEP, covered)
            self._database.execute("DELETE FROM ahead WHERE rows_before < ?", covered)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _failure(self, error: Exception) -> SettingsError:
        msg = f"{self._path} cannot be used: {error}."
        return SettingsError(msg, remedy="Set ledger_path to a place that can be.")
