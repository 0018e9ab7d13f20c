"""Remembers which users each stream held: what ACTIVATE_VERSION is about."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from target_totango.storage.private_files import make_private
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

User = tuple[str, str]
_SCHEMA: Final = (
    (
        "CREATE TABLE IF NOT EXISTS users (stream TEXT, account_id TEXT, user_id TEXT, "
        "version INTEGER, PRIMARY KEY (stream, account_id, user_id)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS by_user ON users (account_id, user_id)",
    "CREATE TABLE IF NOT EXISTS ways (stream TEXT PRIMARY KEY, way TEXT) WITHOUT ROWID",
)
_ELSEWHERE: Final = (
    "FROM users WHERE stream = ?1 AND version <> ?2 AND EXISTS (SELECT 1 FROM users AS other "
    "WHERE other.account_id = users.account_id AND other.user_id = users.user_id "
    "AND other.stream <> ?1)"
)


class KnownUsers:
    """Which users each stream held in which table version.

    A stream goes by its name before and behind the stream maps, since its versions are its own.

    A file of its own beside the ledger, since it has to hold ids in clear.

    Args:
        path: The file; readable by its owner only.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            make_private(path)
            self._database = sqlite3.connect(path)
            for statement in _SCHEMA:
                self._database.execute(statement)
        except (OSError, sqlite3.Error) as error:
            msg = f"{path} cannot be opened: {error}."
            raise SettingsError(msg, remedy="Set ledger_path to a place that can be.") from error
        self._seen: set[tuple[str, int]] = set()

    def note(self, stream: str, version: int, user: User) -> None:
        """Note a user that a stream holds."""
        self._seen.add((stream, version))
        self._database.execute(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)", (stream, *user, version)
        )

    def is_same_way(self, stream: str, version: int, way: str) -> bool:
        """Return whether a stream's users are made in the same way as before.

        If not, those of other versions are forgotten: under other ids, or without the rows that
        are filtered out now, users would look gone that are not.
        """
        row = self._database.execute("SELECT way FROM ways WHERE stream = ?", (stream,)).fetchone()
        if row is not None and row[0] == way:
            return True
        others = self._database.execute(
            "DELETE FROM users WHERE stream = ? AND version <> ?", (stream, version)
        )
        self._database.execute("INSERT OR REPLACE INTO ways VALUES (?, ?)", (stream, way))
        return not others.rowcount

    def absent(self, stream: str, version: int) -> list[User]:
        """Return the users that a stream held in other versions, and now no stream does.

        None when no row of this version was read: an empty stream deletes nobody.
        """
        if (stream, version) not in self._seen:
            return []
        # Who is in another stream as well is gone from this one only.
        self._database.execute(f"DELETE {_ELSEWHERE}", (stream, version))
        rows = self._database.execute(
            "SELECT account_id, user_id FROM users WHERE stream = ? AND version <> ?",
            (stream, version),
        )
        return [(str(account_id), str(user_id)) for account_id, user_id in rows]

    def forget(self, user: User) -> None:
        """Forget a user that was deleted."""
        self._database.execute("DELETE FROM users WHERE account_id = ? AND user_id = ?", user)

    def close(self) -> None:
        """Keep what was noted."""
        self._database.commit()
        self._database.close()
