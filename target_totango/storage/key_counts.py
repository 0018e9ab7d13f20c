"""Counts the keys of a run, with the newest moment of each: the latest in RAM, all on disk."""

from __future__ import annotations

import hashlib
import json
from operator import itemgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

Key = tuple[str, ...]
Moment = tuple[str, str]

TABLE: Final = "CREATE TABLE seen (key BLOB PRIMARY KEY, times INTEGER, recency TEXT) WITHOUT ROWID"

KEYS_IN_RAM: Final = 100_000
"""Some 20 MB. Many at once are also cheaper to put away, since the database is in their order."""


class KeyFilter:
    """Tells which keys were certainly not added: a Bloom filter, of the same size for any number.

    Of a million keys, 1 in 75 is thought to be there when it is not.
    """

    _PLACES: Final = 1 << 24

    def __init__(self) -> None:
        self._marks = bytearray(self._PLACES)

    def add(self, key: Key) -> None:
        """Add a key."""
        hashed = hash(key)
        self._marks[hashed % self._PLACES] = 1
        self._marks[(hashed >> 32) % self._PLACES] = 1

    def __contains__(self, key: Key) -> bool:
        hashed = hash(key)
        if not self._marks[hashed % self._PLACES]:
            return False
        return bool(self._marks[(hashed >> 32) % self._PLACES])


class KeyCounts:
    """Counts keys. Used by one thread.

    Most keys of a run come once. That a key is not on disk is told by a filter, so that only those
    that came before, and a few others, are looked for there.

    Args:
        database: Where there is a `TABLE`; called when it is needed.
        in_ram: Most keys held in RAM.
    """

    def __init__(
        self, database: Callable[[], sqlite3.Connection], *, in_ram: int = KEYS_IN_RAM
    ) -> None:
        self._database = database
        self._in_ram = in_ram
        self._times: dict[Key, int] = {}
        self._moments: dict[Key, Moment] = {}
        self._stored: KeyFilter | None = None

    def count(self, key: Key) -> int:
        """Note a key, and return how often it was noted before."""
        times = self._times.get(key)
        if times is None:
            is_certainly_new = self._stored is None and len(self._times) < self._in_ram
            times = 0 if is_certainly_new else self._recall(key)
        self._times[key] = times + 1
        return times

    def __contains__(self, key: Key) -> bool:
        if key in self._times:
            return True
        if self._stored is None or key not in self._stored:
            return False
        statement = "SELECT 1 FROM seen WHERE key = ?"
        return self._database().execute(statement, (key_digest(key),)).fetchone() is not None

    def moment(self, key: Key) -> Moment | None:
        """Return the moment that was noted for a key that was counted just before."""
        return self._moments.get(key)

    def note_moment(self, key: Key, moment: Moment) -> None:
        """Note a moment for a key that was counted just before."""
        self._moments[key] = moment

    def _recall(self, key: Key) -> int:
        """Make room for a key, and take over what is on disk about it."""
        if len(self._times) >= self._in_ram:
            self._put_away()
        if self._stored is None or key not in self._stored:
            return 0
        statement = "SELECT times, recency FROM seen WHERE key = ?"
        found = self._database().execute(statement, (key_digest(key),)).fetchone()
        if found is None:
            return 0
        times, recency = found
        if recency is not None:
            kind, value = json.loads(recency)
            self._moments[key] = (kind, value)
        return int(times)

    def _put_away(self) -> None:
        stored = self._stored = self._stored or KeyFilter()
        for key in self._times:
            stored.add(key)
        rows = [
            (key_digest(key), times, json.dumps(moment) if moment else None)
            for key, times in self._times.items()
            for moment in [self._moments.get(key)]
        ]
        rows.sort(key=itemgetter(0))
        self._database().executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", rows)
        self._times.clear()
        self._moments.clear()


def key_digest(parts: Sequence[str]) -> bytes:
    """Return what stands for a key, whatever texts it is made of."""
    whole = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()
