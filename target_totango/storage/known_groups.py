"""Which group each user was last in: for calls of Segment that do not say."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Final

from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

NOTES_PER_COMMIT: Final = 10_000
_PRIVATE: Final = 0o600


class KnownGroups:
    """The last known group of each user. Used by one thread.

    A second file beside the ledger, because it has to hold ids in clear.

    Args:
        path: The file, readable by its owner only; None to remember for this run alone.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._latest: dict[str, str] = {}
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE))
            # The empty name is SQLite's own for a temporary database.
            self._database = sqlite3.connect(path or "")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS groups (user_id TEXT PRIMARY KEY, group_id TEXT) "
                "WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from error

    def get(self, user_id: str) -> str | None:
        """Return a user's last known group."""
        if user_id in self._latest:
            return self._latest[user_id]
        row = self._database.execute(
            "SELECT group_id FROM groups WHERE user_id = ?", (user_id,)
        ).fetchone()
        return str(row[0]) if row else None

    def note(self, user_id: str, group_id: str) -> None:
        """Note that a user is in a group; durable after the next flush."""
        self._latest[user_id] = group_id
        if len(self._latest) >= NOTES_PER_COMMIT:
            self.flush()

    def flush(self) -> None:
        """Make everything noted so far durable.

        Raises:
            SettingsError: If the file cannot be written.
        """
        if not self._latest:
            return
        try:
            self._database.executemany(
                "INSERT OR REPLACE INTO groups VALUES (?, ?)", self._latest.items()
            )
            self._database.commit()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        self._latest.clear()

    def close(self) -> None:
        """Flush, and close the file."""
        self.flush()
        self._database.close()

    def _failure(self, error: Exception) -> SettingsError:
        msg = f"{self._path} cannot be used: {error}."
        return SettingsError(msg, remedy="Set ledger_path to a place that can be.")
