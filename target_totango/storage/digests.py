"""Hashes what the ledger must not hold in clear, the same in every version of one format."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HASH_BYTES: Final = 16


class Digests:
    """Hashes texts with BLAKE2b, keyed with a salt: one after the other, each behind its length.

    Lengths are those of UTF-8. With them, no text runs over into the next one.

    Args:
        salt: Of the ledger.
    """

    def __init__(self, salt: bytes) -> None:
        self._keyed = hashlib.blake2b(digest_size=HASH_BYTES, key=salt)
        self._names: dict[str, _Names] = {}

    def of_texts(self, kind: bytes, texts: Sequence[str]) -> bytes:
        """Return the digest of texts in their order."""
        return self._of(kind, "".join([f"{_size(text)}:{text}" for text in texts]))

    def of_values(self, scopes: Mapping[str, Mapping[str, str]]) -> bytes:
        """Return the digest of values by name, whatever their order.

        Each value of every row is hashed here, so each name is only once put together.

        Args:
            scopes: Values by the rest of their names, by how these begin. No such beginning begins
                another one.
        """
        return self._of(
            b"values",
            "".join(
                [
                    f"{names[name]}{len(text)}:{text}"
                    if (text := values[name]).isascii()
                    else f"{names[name]}{_size(text)}:{text}"
                    for scope, values in sorted(scopes.items())
                    for names in (self._names.setdefault(scope, _Names(scope)),)
                    for name in sorted(values)
                ]
            ),
        )

    def _of(self, kind: bytes, text: str) -> bytes:
        hashed = self._keyed.copy()
        hashed.update(kind + _encoded(text))
        return hashed.digest()


class _Names(dict[str, str]):
    """Whole names behind their lengths, by what follows how they begin."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def __missing__(self, name: str) -> str:
        whole = self._scope + name
        self[name] = text = f"{_size(whole)}:{whole}"
        return text


def _size(text: str) -> int:
    return len(text if text.isascii() else _encoded(text))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
