"""Keeps a few rows for each reason why rows were not taken: as shapes, or with their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS: Final = 3
REASONS: Final = 100
"""Reasons of which rows are kept."""

FIELDS: Final = 20
LONGEST_VALUE: Final = 200


class Examples:
    """The first rows of each stream and reason.

    Args:
        shows_values: Whether their values are kept, and what is said of them.
    """

    def __init__(self, *, shows_values: bool = False) -> None:
        self.shows_values = shows_values
        self._kept: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def note(
        self,
        stream: str,
        reason: str,
        *,
        row: int,
        record: Mapping[str, Any],
        field: str = "",
        message: str = "",
    ) -> None:
        """Keep a row, if there are not enough for its reason.

        Args:
            stream: Its stream.
            reason: Why it was not taken, without values.
            row: Its place in the input, from 1.
            record: Its values.
            field: The one that the reason is about: it stands first.
            message: What may quote values.
        """
        rows = self._kept.get((stream, reason))
        if rows is None:
            if len(self._kept) >= REASONS:
                return
            rows = self._kept[stream, reason] = []
        if len(rows) >= ROWS:
            return
        names = sorted(record, key=lambda name: name != field)[:FIELDS]
        if self.shows_values:
            fields = {name: _shortened(record[name]) for name in names}
            rows.append({"row": row, "message": message, "fields": fields})
        else:
            rows.append({"row": row, "fields": {name: _shape_of(record[name]) for name in names}})

    def as_list(self, counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
        """Return what was kept, with how many rows there are of each stream and reason."""
        return [
            {"stream": stream, "reason": reason, "rows": counts.get((stream, reason), 0)}
            | {"examples": rows}
            for (stream, reason), rows in self._kept.items()
        ]


def _shortened(value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return value if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _shape_of(value: object) -> str:
    """Return the JSON type of a value, and how long it is: what may be shown of any row."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return f"text of {counted(len(value), 'character')}" if value else "empty text"
        case list():
            return f"list of {len(value)}"
        case dict():
            return f"object of {len(json.dumps(value, default=str))} characters"
        case _:
            return type(value).__name__
