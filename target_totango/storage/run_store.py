"""Stores what this run has seen and sent so far, on disk as soon as it is large."""

from __future__ import annotations

import functools
import json
import sqlite3
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import ConversionError, to_date
from target_totango.storage.key_counts import KeyCounts, key_digest
from totango_api.text import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FOLDED: Final = "in small letters"
"""Begins keys that are noted so: no object of Totango has such a name."""

_SEVERAL: Final = ("spellings", "several")

_TABLES: Final = (
    "CREATE TABLE seen (key BLOB PRIMARY KEY, times INTEGER, recency TEXT) WITHOUT ROWID",
    "CREATE TABLE existing (key BLOB PRIMARY KEY, there INTEGER) WITHOUT ROWID",
    (
        "CREATE TABLE sent (key BLOB PRIMARY KEY, place INTEGER, stream TEXT, object TEXT, "
        "parts TEXT, texts TEXT, row TEXT) WITHOUT ROWID"
    ),
)


class RunStore:
    """A private, temporary database: SQLite keeps it in memory while it is small.

    It is gone when the run ends. Used by one thread.
    """

    def __init__(self) -> None:
        self._place = 0
        self._has_folded = False
        self._counts = KeyCounts(lambda: self.database)
        self.count = self._counts.count
        """Notes a key, and returns how often it was noted before."""
        self.count_all = self._counts.count_all
        """Notes keys, and returns the places of those that were noted before."""

    @functools.cached_property
    def database(self) -> sqlite3.Connection:
        """The database, made when it is needed."""
        # The empty name is SQLite's own for a temporary database that has no other.
        database = sqlite3.connect("", isolation_level=None)
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for table in _TABLES:
            database.execute(table)
        database.execute("BEGIN")
        return database

    def has_counted(self, key: tuple[str, ...]) -> bool:
        """Return whether a key was noted before."""
        return key in self._counts

    def may_differ_in_case(self, parts: Iterable[str]) -> bool:
        """Return whether any key may differ from another one in case alone, by the parts of keys.

        If none of them has capitals, and no key had before, none need be asked about.
        """
        text = "".join(parts)
        return self._has_folded or text != text.lower()

    def differs_in_case(self, key: tuple[str, ...], *, is_counted: bool = True) -> bool:
        """Return whether a key came before in another case, when it comes for the first time.

        Only keys with capitals, and those that are not counted, are noted once more: in small
        letters, with their first spelling.
        """
        folded = tuple(map(str.lower, key))
        small = (_FOLDED, *folded)
        if is_counted and folded == key and small not in self._counts:
            return False
        if not is_counted and key in self._counts:
            return False
        self._has_folded = True
        differs = folded != key and folded in self._counts
        spelling = ("spelling", json.dumps(key))
        if self.count(small) and self._counts.moment(small) != spelling:
            differs, spelling = True, _SEVERAL
        self._counts.note_moment(small, spelling)
        return differs

    def is_stale(self, key: tuple[str, ...], moment: tuple[str, str]) -> bool:
        """Return whether a more recent row of a key just counted came before; else note this one.

        Values that cannot be compared, such as a number and a date, go by their order.
        """
        if is_older(moment, self._counts.moment(key)):
            return True
        self._counts.note_moment(key, moment)
        return False

    def existing(self, key: Sequence[str]) -> bool | None:
        """Return whether something is in Totango; None if that was not asked yet."""
        row = self._one("SELECT there FROM existing WHERE key = ?", key_digest(key))
        return bool(row[0]) if row else None

    def note_existing(self, key: Sequence[str], *, there: bool) -> None:
        """Note whether something is in Totango."""
        self.database.execute(
            "INSERT OR REPLACE INTO existing VALUES (?, ?)", (key_digest(key), int(there))
        )

    def note_sent(
        self, stream: str, object_: str, key: Sequence[str], texts: dict[str, str], row: str
    ) -> None:
        """Note what was confirmed for a key; attributes of earlier rows stay.

        Args:
            stream: For the report.
            object_: `accounts` or `users`.
            key: Ids.
            texts: Attributes by API name.
            row: The row as JSON, in case it has to be rejected after all.
        """
        hashed = key_digest((object_, *key))
        before = self._one("SELECT texts FROM sent WHERE key = ?", hashed)
        if before:
            texts = {**json.loads(before[0]), **texts}
        self._place += 1
        self.database.execute(
            "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?, ?, ?)",
            (hashed, self._place, stream, object_, json.dumps(key), json.dumps(texts), row),
        )

    def has_sent(self, object_: str, key: Sequence[str]) -> bool:
        """Return whether a row of a key was noted."""
        hashed = key_digest((object_, *key))
        return self._one("SELECT 1 FROM sent WHERE key = ?", hashed) is not None

    def sent(self, object_: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
        """Yield key and attributes of everything confirmed."""
        rows = self.database.execute("SELECT parts, texts FROM sent WHERE object = ?", (object_,))
        for parts, texts in rows:
            yield tuple(json.loads(parts)), json.loads(texts)

    def sent_row(self, object_: str, key: Sequence[str]) -> tuple[str, str]:
        """Return stream and row of what was confirmed for a key."""
        stream, row = self._one(
            "SELECT stream, row FROM sent WHERE key = ?", key_digest((object_, *key))
        )
        return str(stream), str(row)

    def close(self) -> None:
        """Forget everything."""
        if "database" in self.__dict__:
            self.database.close()

    def _one(self, statement: str, hashed: bytes) -> Any:
        return self.database.execute(statement, (hashed,)).fetchone()


def comparable(recency: Any) -> tuple[str, str] | None:
    """Return a recency in a form that can be compared and stored; None if it is no moment.

    A number may be a text, as all values of a CSV file are: as texts, 9 would come after 10.
    """
    try:
        if isinstance(recency, (int, float, str, Decimal)) and not isinstance(recency, bool):
            number = Decimal(str(recency))
            return ("number", str(number)) if number.is_finite() else None
    except InvalidOperation:
        pass  # a text, which may be a date
    try:
        return ("date", to_date(recency))
    except ConversionError:
        return None


def is_older(recency: tuple[str, str] | None, than: tuple[str, str] | None) -> bool:
    """Return whether a recency is older than another; False if they cannot be compared."""
    if recency is None or than is None or recency[0] != than[0]:
        return False
    return bool(_value(recency) < _value(than))


def _value(recency: tuple[str, str]) -> Any:
    kind, value = recency
    return Decimal(value) if kind == "number" else parse_moment(value)
