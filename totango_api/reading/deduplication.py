"""Deduplicates the rows of one read, and keeps a sample; one comes again if it was active since.

Keys are in a set that does not grow with the tenant: beyond a size it lives in a file.
"""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from array import array
from collections import Counter
from itertools import compress
from operator import not_
from pathlib import Path
from typing import TYPE_CHECKING, Final

from totango_api.reading.result import RecordBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from totango_api.search import Hit, Key, Page

IN_MEMORY: Final = 1_000_000
"""Keys held in memory, 38 bytes each where their number is known before."""

_PLACES: Final = 1.6
"""Places of the table for each key: the fuller it is, the longer a key is looked for."""

_SMALLEST: Final = 2_048

_LATER: Final = "UPDATE seen SET version = ? WHERE first = ? AND second = ? AND version < ?"


class KeySet:
    """Remembers which keys were added, and the latest version of each.

    A key is known by two 64-bit hashes of Python's own, which differ from process to process.
    They stand in one open table: a place of 24 bytes for each key instead of a hundred for an
    object in a `set`.

    Args:
        in_memory: Keys held in memory before they move to a temporary SQLite file.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._size = 0
        self._make(_SMALLEST)
        self._file: sqlite3.Connection | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __len__(self) -> int:
        return self._size

    def reserve(self, keys: int) -> None:
        """Make room for so many keys at once, which saves moving them about."""
        places = int((min(keys, self._limit) + _SMALLEST) * _PLACES)
        if self._file is None and places > len(self._firsts):
            self._remake(places)

    def add(self, key: Key) -> bool:
        """Add a key; return whether it is new."""
        return self.add_all((key,))[0]

    def add_all(self, keys: Sequence[Key], versions: Iterable[int] | None = None) -> list[bool]:
        """Add keys; tell of each whether it is new, or of a later version than before.

        Args:
            keys: What to add.
            versions: The version of each; they are alike if not given.
        """
        self._make_room(len(keys))
        versions = itertools.repeat(0, len(keys)) if versions is None else versions
        pairs = zip(keys, versions, strict=True)
        if self._file is not None:
            return [self._add_to_file(self._file, key, version) for key, version in pairs]
        return self._add_hashes([(hash(key) or 1, hash(repr(key)), at) for key, at in pairs])

    def _add_hashes(self, hashes: Iterable[tuple[int, int, int]]) -> list[bool]:
        """Find the place of each key or take one: the first hash of an empty place is 0."""
        firsts, seconds, versions = self._firsts, self._seconds, self._versions
        places = len(firsts)
        later = []
        for first, second, version in hashes:
            place = first % places
            while (held := firsts[place]) and (held != first or seconds[place] != second):
                place = place + 1 if place + 1 < places else 0
            is_later = not held or version > versions[place]
            later.append(is_later)
            if not held:
                self._size += 1
                firsts[place] = first
                seconds[place] = second
            if is_later:
                versions[place] = version
        return later

    def _make_room(self, keys: int) -> None:
        if self._file is not None:
            return
        if self._size >= self._limit:
            self._move_to_file()
        elif (wanted := (self._size + keys) * _PLACES) > len(self._firsts):
            self._remake(int(max(wanted, len(self._firsts) * 1.5)) + 1)

    def _make(self, places: int) -> None:
        self._firsts = array("q", bytes(8 * places))
        self._seconds = array("q", bytes(8 * places))
        self._versions = array("q", bytes(8 * places))

    def _remake(self, places: int) -> None:
        """Move every key to a larger table."""
        held = zip(self._firsts, self._seconds, self._versions, strict=True)
        self._make(places)
        firsts = self._firsts
        for first, second, version in held:
            if first:
                place = first % places
                while firsts[place]:
                    place = place + 1 if place + 1 < places else 0
                firsts[place], self._seconds[place] = first, second
                self._versions[place] = version

    # Beyond memory --------------------------------------------------------------------------

    def _move_to_file(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="totango-keys-")
        path = Path(self._folder.name) / "keys.sqlite"
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(
            "CREATE TABLE seen (first INTEGER, second INTEGER, version INTEGER, "
            "PRIMARY KEY (first, second)) WITHOUT ROWID"
        )
        self._file.execute("BEGIN")
        held = zip(self._firsts, self._seconds, self._versions, strict=True)
        rows = (row for row in held if row[0])
        self._file.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
        self._make(0)

    def _add_to_file(self, file: sqlite3.Connection, key: Key, version: int) -> bool:
        row = (hash(key) or 1, hash(repr(key)), version)
        is_new = file.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", row).rowcount == 1
        self._size += is_new
        return is_new or file.execute(_LATER, (version, *row)).rowcount == 1

    def close(self) -> None:
        """Remove the file, if there is one."""
        if self._file is not None:
            self._file.close()
        if self._folder is not None:
            self._folder.cleanup()


class Deduplicator:
    """Tells rows that were given before from new ones, and from later versions of them.

    Args:
        version: Reads off a hit what is greater for a later version; without it, the last activity.
    """

    def __init__(self, version: Callable[[Hit], int] | None = None) -> None:
        self._version = version or _version
        self._keys = KeySet()
        self._keyless = KeySet()
        self._doubled = KeySet()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keyless(self) -> int:
        """Rows without a key that came so far."""
        return len(self._keyless)

    @property
    def doubled(self) -> int:
        """Keys that several rows of one response had."""
        return len(self._doubled)

    def reserve(self, rows: int) -> None:
        """Make room for so many rows."""
        self._keys.reserve(rows)

    def new(self, page: Page) -> RecordBatch:
        """Return the rows that did not come before, or that have been active since."""
        hits, keys = page.hits, [key for key in page.keys if key is not None]
        if len(keys) < len(hits):
            has_key = [key is not None for key in page.keys]
            # Pages overlap: a row without a key, too, may come twice.
            self._keyless.add_all([(repr(hit),) for hit in compress(hits, map(not_, has_key))])
            hits = list(compress(hits, has_key))
        if len(set(keys)) < len(keys):
            self._doubled.add_all([key for key, times in Counter(keys).items() if times > 1])
        is_new = self._keys.add_all(keys, map(self._version, hits))
        return RecordBatch(list(compress(hits, is_new)), list(compress(keys, is_new)))

    def close(self) -> None:
        """Forget the keys."""
        self._keys.close()
        self._keyless.close()
        self._doubled.close()


def _version(hit: Hit) -> int:
    """Return when a row was active last: the only date of a hit that tells a later version."""
    value = hit.get("last_activity_time")
    return value if type(value) is int and abs(value) < _FARTHEST else 0


_FARTHEST: Final = 2**62


SAMPLE_ROWS: Final = 2_000


class Sample:
    """Every n-th of the rows read so far, n doubled whenever they are too many.

    Attributes:
        hits: The rows.
    """

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._stride = 1
        self._skip = 0

    def take(self, hits: Sequence[Hit]) -> None:
        """Take in rows just read."""
        self.hits += hits[self._skip :: self._stride]
        self._skip = (self._skip - len(hits)) % self._stride
        while len(self.hits) > SAMPLE_ROWS:
            self.hits = self.hits[::2]
            self._stride *= 2
