"""Holds what a service was found to refuse earlier: it saves a read calls, and proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.reading.date_keys import DateKey


@dataclass(frozen=True)
class Hints:
    """What need not be asked.

    A wrong hint costs calls, or leaves rows that the read then counts as missing.

    Attributes:
        is_window_closed: Whether pages behind the window are not served.
        refused_dates: Dates whose filters are refused or ignored, by the names of their keys.
    """

    is_window_closed: bool = False
    refused_dates: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return self.is_window_closed or bool(self.refused_dates)

    def usable(self, keys: Sequence[DateKey]) -> list[DateKey]:
        """Return the keys whose filters may be taken."""
        return [key for key in keys if key.is_filtered or key.name not in self.refused_dates]


NO_HINTS: Final = Hints()
