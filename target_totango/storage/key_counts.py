"""Counts keys exactly: in RAM, and on disk as soon as they are many."""

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

KEYS_IN_RAM: Final = 100_000
"""Some 20 MB. Many at once are also cheaper to put away, since the database is in their order."""


class KeyFilter:
    """Tells which keys were certainly not added: a Bloom filter of fixed size.

    Of a million keys, 1 in 75 is thought to be there when it is not.
    """

    _PLACES: Final = 1 << 24

    def __init__(self) -> None:
        self._marks = bytearray(self._PLACES)

    def add(self, *keys: Key) -> None:
        """Add keys."""
        marks, places = self._marks, self._PLACES
        for hashed in map(hash, keys):
            marks[hashed % places] = marks[(hashed >> 32) % places] = 1

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
        database: Where there is a table `seen`; called when it is needed.
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

    def count_all(self, keys: Sequence[Key]) -> Sequence[int]:
        """Note keys, and return the places of those that were noted before."""
        fresh = dict.fromkeys(keys, 1)
        has_room = len(self._times) + len(keys) <= self._in_ram
        if has_room and len(fresh) == len(keys) and self._times.keys().isdisjoint(fresh):
            stored = self._stored
            if stored is None or not any(key in stored for key in keys):
                self._times.update(fresh)
                return ()
        return [place for place, key in enumerate(keys) if self.count(key)]

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
        """Make room for a key, and load its count from disk."""
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
        stored.add(*self._times)
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
    """Return the digest of a key."""
    # Its form quotes parts, and escapes half surrogate pairs, which have no bytes.
    return hashlib.blake2b(repr(tuple(parts)).encode(), digest_size=16).digest()
