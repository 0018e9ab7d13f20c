"""The rows of one read, each given once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from totango_api.reading.keyset import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.search import Hit, Key


class Deduplicator:
    """Tells rows that were given before from new ones.

    Args:
        key: Reads the key off a hit; None where it has none.

    Attributes:
        keyless: Rows without a key that came so far.
    """

    def __init__(self, key: Callable[[Hit], Key | None]) -> None:
        self._key = key
        self._keys = KeySet()
        self._keys_of_keyless = KeySet()
        self.keyless = 0

    def __len__(self) -> int:
        return len(self._keys)

    def reserve(self, rows: int) -> None:
        """Make room for so many rows."""
        self._keys.reserve(rows)

    def new(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the rows that have a key and that did not come before."""
        keyed, keys = self._keyed(hits)
        new = self._keys.add_all(keys)
        return [hit for hit, is_new in zip(keyed, new, strict=True) if is_new]

    def latest(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return all rows that have a key: what came before comes again, as it is now."""
        keyed, keys = self._keyed(hits)
        self._keys.add_all(keys)
        return list(keyed)

    def _keyed(self, hits: Sequence[Hit]) -> tuple[Sequence[Hit], list[Key]]:
        keys = [self._key(hit) for hit in hits]
        if None not in keys:
            return hits, cast("list[Key]", keys)
        for hit, key in zip(hits, keys, strict=True):
            # Pages overlap: such a row, too, may come twice.
            self.keyless += key is None and self._keys_of_keyless.add((repr(hit),))
        pairs = [(hit, key) for hit, key in zip(hits, keys, strict=True) if key is not None]
        return [hit for hit, _ in pairs], [key for _, key in pairs]

    def close(self) -> None:
        """Forget the keys."""
        self._keys.close()
        self._keys_of_keyless.close()
