"""The rows of one read, told apart once, and counted for each part of the read at a time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totango_api.reading.keyset import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from totango_api.search.endpoint import Hit, Key


@dataclass
class Part:
    """A part of a read: one query, or all pieces of one that was cut.

    Attributes:
        since: When it began, by the clock of the keys.
        rows: Rows told apart since then, those included that earlier parts had seen.
    """

    since: int
    rows: int = 0


class Seen:
    """All keys of a read, once.

    Whether a row is new to a part that is going on can be told from when it was seen last, so
    that no part needs keys of its own.

    Args:
        key: Reads the key off a hit.
    """

    def __init__(self, key: Callable[[Hit], Key | None]) -> None:
        self._key = key
        self._keys = KeySet()
        self._parts: list[Part] = []

    def __len__(self) -> int:
        return len(self._keys)

    def reserve(self, rows: int | None) -> None:
        """Make room for so many rows."""
        self._keys.reserve(rows or 0)

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Count the rows of a part of the read; parts may hold parts."""
        part = Part(self._keys.tick())
        self._parts.append(part)
        try:
            yield part
        finally:
            self._parts.remove(part)

    def take(self, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """Take in rows; return those never seen before, and how many have no key."""
        keys = [self._key(hit) for hit in hits]
        keyless = keys.count(None)
        if keyless:
            hits = [hit for hit, key in zip(hits, keys, strict=True) if key is not None]
        moments = self._keys.meet([key for key in keys if key is not None])
        new = [hit for hit, moment in zip(hits, moments, strict=True) if not moment]
        again = [moment for moment in moments if moment] if len(new) < len(moments) else []
        for part in self._parts:
            part.rows += len(new) + sum(moment < part.since for moment in again)
        return new, keyless

    def close(self) -> None:
        """Forget the keys."""
        self._keys.close()
