"""The values that a list or a lifecycle takes, where the service's definitions name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from totango_api import search

OPTIONS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """What an attribute may hold.

    Attributes:
        names: Its options, as Totango spells them.
        separator: What joins several of them; None where it holds one.
    """

    names: tuple[str, ...]
    separator: str | None

    def unknown(self, text: str) -> list[str]:
        """Return what of a value is no option."""
        if text in self.names or not text:
            return []
        parts = [text] if self.separator is None else text.split(self.separator)
        return [part for part in map(str.strip, parts) if part not in self.names]

    def __str__(self) -> str:
        """Return the options as a message lists them."""
        more = len(self.names) - OPTIONS_SHOWN
        listed = ", ".join(self.names[:OPTIONS_SHOWN])
        return f"{listed} and {more} more" if more > 0 else listed


def options_of(attribute: search.Attribute | None, separator: str) -> Options | None:
    """Return what an attribute may hold; None where anything, or where nobody says.

    Args:
        attribute: Its definition, if there is one.
        separator: What joins several options.
    """
    if attribute is None or attribute.kind not in {search.LIST, search.LIFECYCLE}:
        return None
    is_multiple = "multi" in attribute.declared_type.lower()
    names = attribute.options
    return Options(names, separator if is_multiple else None) if names else None
