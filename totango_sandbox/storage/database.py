"""SQLite behind the tables: append-only records in any case, all rows when there is a file.

The working set lives in :mod:`totango_sandbox.storage.table`; what is written there is marked here
and flushed in one transaction, many times a second and at a clean stop.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rows (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activities
    (account_id TEXT, user_id TEXT, activity TEXT, module TEXT, time INTEGER);
CREATE TABLE IF NOT EXISTS log (time INTEGER, surface TEXT, reason TEXT, detail TEXT);
"""
_APPEND: Final = {
    "activities": "INSERT INTO activities VALUES (?, ?, ?, ?, ?)",
    "log": "INSERT INTO log VALUES (?, ?, ?, ?)",
}
_READ: Final = {
    "activities": "SELECT account_id, user_id, activity, module, time FROM activities",
    "log": "SELECT time, surface, reason, detail FROM log",
}
_COUNT: Final = {"activities": "SELECT count(*) FROM activities", "log": "SELECT count(*) FROM log"}

# The key of a row as text, and the row itself, or None when it is gone.
Snapshot = Callable[[str, Any], tuple[str, dict[str, Any] | None]]


class Database:
    """One SQLite database.

    Args:
        path: a file, or None to keep everything in memory.

    Attributes:
        snapshot: gives the present state of a row that was marked; needed with a file only.
    """

    def __init__(self, path: str | None) -> None:
        self.keeps_rows = path is not None
        self.snapshot: Snapshot | None = None
        self._marked: set[tuple[str, Any]] = set()
        self._waiting: dict[str, list[tuple[Any, ...]]] = {"activities": [], "log": []}
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)

    def mark(self, kind: str, key: Any) -> None:
        """Remember that a row has to be written, or deleted, at the next flush."""
        if self.keeps_rows:
            self._marked.add((kind, key))

    def append(self, name: str, record: tuple[Any, ...]) -> None:
        """Add one record to ``activities`` or ``log``."""
        self._waiting[name].append(record)

    @property
    def is_behind(self) -> bool:
        """Whether a flush would write anything."""
        return bool(self._marked or self._waiting["activities"] or self._waiting["log"])

    def flush(self) -> None:
        """Write what is waiting, in one transaction."""
        if not self.is_behind:
            return
        run = self._connection
        run.execute("BEGIN")
        for name, records in self._waiting.items():
            run.executemany(_APPEND[name], records)
            records.clear()
        gone, present = self._split_marked()
        run.executemany("DELETE FROM rows WHERE kind = ? AND key = ?", gone)
        run.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", present)
        run.execute("COMMIT")
        self._marked.clear()

    def _split_marked(self) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
        gone, present = [], []
        for kind, key in self._marked:
            assert self.snapshot is not None  # noqa: S101 (nothing is marked without it)
            text, row = self.snapshot(kind, key)
            if row is None:
                gone.append((kind, text))
            else:
                present.append((kind, text, json.dumps(row, ensure_ascii=False)))
        return gone, present

    def records(self, name: str) -> Iterator[tuple[Any, ...]]:
        """Return all records of ``activities`` or ``log``, oldest first."""
        self.flush()
        yield from self._connection.execute(_READ[name])

    def latest_activities(
        self, account_id: str, user_id: str | None, limit: int
    ) -> list[tuple[str | None, str, str, int]]:
        """User, activity, module and time of an account's or a user's activities, newest first."""
        self.flush()
        query = (
            "SELECT user_id, activity, module, time FROM activities WHERE account_id = ? "
            "AND ? IN ('', user_id) ORDER BY rowid DESC LIMIT ?"
        )
        return self._connection.execute(query, (account_id, user_id or "", limit)).fetchall()

    def latest_log(
        self, limit: int, offset: int = 0, account_id: str | None = None
    ) -> list[tuple[int, str, str, dict[str, Any]]]:
        """Time, surface, reason and detail of what was dropped, newest first."""
        self.flush()
        query = (
            "SELECT time, surface, reason, detail FROM log "
            "WHERE ? IN ('', json_extract(detail, '$.account_id')) "
            "ORDER BY rowid DESC LIMIT ? OFFSET ?"
        )
        found = self._connection.execute(query, (account_id or "", limit, offset))
        return [(moment, *what, json.loads(detail)) for moment, *what, detail in found]

    def count(self, name: str) -> int:
        """Return how many records ``activities`` or ``log`` has."""
        self.flush()
        return int(self._connection.execute(_COUNT[name]).fetchone()[0])

    def rows(self, kind: str) -> Iterable[dict[str, Any]]:
        """Return the kept rows of one kind."""
        found = self._connection.execute("SELECT body FROM rows WHERE kind = ?", (kind,))
        return (json.loads(body) for (body,) in found)

    def clear(self) -> None:
        """Empty everything."""
        self._marked.clear()
        for name, records in self._waiting.items():
            records.clear()
            self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 (two fixed names)
        self._connection.execute("DELETE FROM rows")

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._connection.close()
