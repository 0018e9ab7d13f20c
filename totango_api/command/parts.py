"""Divides streams into disjoint parts, for runs on several machines: all parts are the whole."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from totango_api.errors import SettingsError

PART_PATTERN: Final = r"^\s*[1-9]\d*\s*/\s*[1-9]\d*\s*$"

_MOST: Final = 1000


@dataclass(frozen=True)
class Part:
    """One part of a number of parts.

    Attributes:
        number: Which, from 1.
        count: Of how many.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str | None) -> Part | None:
        """Return the part that a setting such as `3/8` names; None for the whole.

        Raises:
            SettingsError: If there is no such part.
        """
        if text is None:
            return None
        number, _, count = text.partition("/")
        if not re.fullmatch(PART_PATTERN, text) or not 1 <= int(number) <= int(count) <= _MOST:
            msg = f"part cannot be {text!r}."
            raise SettingsError(msg, remedy="Set it to a part of a whole: 1/8, 2/8, up to 8/8.")
        return cls(int(number), int(count)) if int(count) > 1 else None

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, key: str) -> bool:
        """Return whether a key belongs to this part: always the same for the same key and count."""
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.number - 1
