"""Words in a sentence, and names made of words: counts, names of columns."""

from __future__ import annotations

import re
import unicodedata
from typing import Final


def counted(count: float, noun: str, plural: str = "", *, form: str = "") -> str:
    """Return a number with its noun: `1 entry`, `2 entries`.

    Args:
        count: How many.
        noun: In the singular.
        plural: Where that is more than an `s`.
        form: Format of the number, such as `,`.
    """
    return f"{count:{form}} {noun if count == 1 else plural or noun + 's'}"


def rows(count: int) -> str:
    """Return a number of rows in words."""
    return counted(count, "row")


def rows_were(count: int) -> str:
    """Return a number of rows with the verb that follows it."""
    return f"{rows(count)} {'was' if count == 1 else 'were'}"


def calls(count: int) -> str:
    """Return a number of calls in words."""
    return counted(count, "call")


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
