"""Remembers users between runs: which each stream held, and which group each was last in.

Each is a file of its own beside the ledger, because it has to hold ids in clear.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from target_totango.storage.private_files import KeptFile, make_private
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

User = tuple[str, str]
_USERS: Final = (
    (
        "CREATE TABLE IF NOT EXISTS users (stream TEXT, account_id TEXT, user_id TEXT, "
        "version INTEGER, PRIMARY KEY (stream, account_id, user_id)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS by_user ON users (account_id, user_id)",
    "CREATE TABLE IF NOT EXISTS identities (stream TEXT PRIMARY KEY, identity TEXT) WITHOUT ROWID",
)
_ELSEWHERE: Final = (
    "FROM users WHERE stream = ?1 AND version <> ?2 AND EXISTS (SELECT 1 FROM users AS other "
    "WHERE other.account_id = users.account_id AND other.user_id = users.user_id "
    "AND other.stream <> ?1)"
)

_GROUPS: Final = (
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


class KnownUsers:
    """Which users each stream held in which table version: what ACTIVATE_VERSION is about.

    A stream goes by its name before and behind the stream maps, since its versions are its own.

    Args:
        path: The file; readable by its owner only.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = _opened(path, _USERS)
        self._execute("BEGIN")
        self._file = KeptFile(path)
        self._seen: set[tuple[str, int]] = set()

    def note(self, stream: str, version: int, user: User) -> None:
        """Note a user that a stream holds."""
        self._seen.add((stream, version))
        self._execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)", (stream, *user, version))

    def has_same_identity(self, stream: str, version: int, identity: str) -> bool:
        """Return whether a stream's ids are made and its rows filtered as in the run before.

        If not, those of other versions are forgotten: under other ids, or without the rows that
        are filtered out now, users would look gone that are not.
        """
        known = self._execute(
            "SELECT identity FROM identities WHERE stream = ?", (stream,)
        ).fetchone()
        if known == (identity,):
            return True
        others = self._execute(
            "DELETE FROM users WHERE stream = ? AND version <> ?", (stream, version)
        )
        self._execute("INSERT OR REPLACE INTO identities VALUES (?, ?)", (stream, identity))
        return not others.rowcount

    def absent(self, stream: str, version: int) -> list[User]:
        """Return the users that only older versions of a stream held.

        Empty when no row of this version was read: an empty stream deletes nobody.
        """
        if (stream, version) not in self._seen:
            return []
        # Who is in another stream as well is gone from this one only.
        self._execute(f"DELETE {_ELSEWHERE}", (stream, version))
        rows = self._execute(
            "SELECT account_id, user_id FROM users WHERE stream = ? AND version <> ?",
            (stream, version),
        )
        return [(str(account_id), str(user_id)) for account_id, user_id in rows]

    def forget(self, user: User) -> None:
        """Forget a user that was deleted."""
        self._execute("DELETE FROM users WHERE account_id = ? AND user_id = ?", user)

    def close(self) -> None:
        """Keep what was noted.

        Raises:
            SettingsError: If the file is no longer there, or cannot be written.
        """
        try:
            self._execute("COMMIT")
            self._file.check()
        finally:
            self._database.close()

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise _failure(self._path, error) from error


class KnownGroups:
    """The last known group of each user. Used by one thread.

    A group is kept for later runs once STATE has passed the row that named it: a run that starts
    before that row reads it again, and must not take it for what was known before.

    Args:
        path: The file, readable by its owner only; None to remember for this run alone.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows = 0
        self._database = _opened(path, _GROUPS)

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
            raise _failure(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _opened(path: Path | None, tables: Iterable[str]) -> sqlite3.Connection:
    """Open a file that only its owner reads; without a path a database of this run alone.

    Raises:
        SettingsError: If it cannot be opened.
    """
    try:
        if path is not None:
            make_private(path)
        # The empty name is SQLite's own for a temporary database.
        database = sqlite3.connect(path or "", isolation_level=None)
        for statement in tables:
            database.execute(statement)
    except (OSError, sqlite3.Error) as error:
        raise _failure(path, error) from error
    return database


def _failure(path: Path | None, error: Exception) -> SettingsError:
    msg = f"{path} cannot be used: {error}."
    return SettingsError(msg, remedy="Set ledger_path to a place that can be.")
