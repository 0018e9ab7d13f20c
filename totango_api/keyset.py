"""A set of keys that does not grow with the tenant: beyond a size it lives in a file."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from totango_api.search import Key

IN_MEMORY: Final = 250_000
"""Keys held in memory, about 25 MB."""


class KeySet:
    """Remembers which keys were seen, by 128-bit digest.

    Args:
        in_memory: Keys held in memory before they move to a temporary SQLite file.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._digests: set[bytes] = set()
        self._file: sqlite3.Connection | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, key: Key) -> bool:
        """Add a key; tell whether it is new."""
        digest = _digest(key)
        if self._file is not None:
            cursor = self._file.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,))
            new = cursor.rowcount > 0
        else:
            new = digest not in self._digests
            if new:
                self._digests.add(digest)
        self._size += new
        if self._file is None and len(self._digests) >= self._limit:
            self._move_to_file()
        return new

    def _move_to_file(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="totango-keys-")
        path = Path(self._folder.name) / "keys.sqlite"
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO seen VALUES (?)", ((one,) for one in self._digests))
        self._digests.clear()

    def close(self) -> None:
        """Remove the file, if there is one."""
        if self._file is not None:
            self._file.close()
        if self._folder is not None:
            self._folder.cleanup()


def _digest(key: Key) -> bytes:
    # Each part with its length: no character parts them that an id could not hold itself.
    text = "".join(f"{len(part)}:{part}" for part in key).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
