"""Deduplicates the rows of one read; one comes again only if it was active since."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from totango_api.reading.keyset import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.search import Hit, Key


class Deduplicator:
    """Tells rows that were given before from new ones, and from later versions of them.

    Args:
        key: Reads the key off a hit; None where it has none.
        version: Reads off a hit what is greater for a later version; without it, the last activity.
    """

    def __init__(
        self,
        key: Callable[[Hit], Key | None],
        version: Callable[[Hit], int] | None = None,
    ) -> None:
        self._key = key
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

    def new(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the rows that did not come before, or that have been active since."""
        keys = [self._key(hit) for hit in hits]
        if None in keys:
            for hit, key in zip(hits, keys, strict=True):
                if key is None:
                    # Pages overlap: such a row, too, may come twice.
                    self._keyless.add((repr(hit),))
            hits = [hit for hit, key in zip(hits, keys, strict=True) if key is not None]
        known = [key for key in keys if key is not None]
        if len(set(known)) < len(known):
            self._doubled.add_all([key for key, times in Counter(known).items() if times > 1])
        new = self._keys.add_all(known, map(self._version, hits))
        return [hit for hit, is_new in zip(hits, new, strict=True) if is_new]

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
