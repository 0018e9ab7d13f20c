"""Spells names of attributes as databases do."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS: Final = re.compile(r"[^0-9a-z]+")
_NOT_WORD: Final = re.compile(r"\W+")


def snake(name: str) -> str:
    """Return a name as warehouses like it: lower-case ASCII letters, digits, underscores.

    A name of which nothing is left that way keeps its own letters.
    """
    spaced = _CAMEL.sub("_", name)
    plain = unicodedata.normalize("NFKD", spaced.casefold()).encode("ascii", "ignore").decode()
    made = _SEPARATORS.sub("_", plain).strip("_")
    if not made:
        made = _NOT_WORD.sub("_", name.casefold()).strip("_") or "unnamed"
    return f"_{made}" if made[0].isdigit() else made
