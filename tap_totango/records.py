"""Hits made into records: typed, named, and nothing lost on the way."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_totango.columns import EXTRA, Column, fields_for, label_of, part_keys
from tap_totango.values import LossError, converted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search import Hit

VALUES: Final = "selected_fields"
"""Where a search puts the values of the fields asked for, by position."""


class RecordBuilder:
    """Makes records of the hits of one search.

    Args:
        columns: The columns wanted.
        base: All columns that every hit has, wanted or not.
        vanished: Columns of the catalog that no longer exist: always null.
        extra: Whether the catalog wants `_extra`.

    Attributes:
        oddities: How often a value did not fit its column, by column name; and how many hits
            had too few or too many values.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        base: Sequence[Column],
        vanished: Sequence[str] = (),
        extra: bool = True,
    ) -> None:
        self.oddities: Counter[str] = Counter()
        self._extra = extra
        self._nulls = dict.fromkeys(vanished)
        self._fields = fields_for(columns)
        self._parent_fields = fields_for(columns, of_parent=True)
        self._pathed = [(column, column.path) for column in columns if column.path]
        self._placed = [
            (column, column.of_parent, self._place(column)) for column in columns if column.field
        ]
        self._known = {column.path for column in base} | {(VALUES,), ("account", VALUES)}
        self._objects = {path[0] for path in self._known if len(path) > 1}

    def _place(self, column: Column) -> int:
        fields = self._parent_fields if column.of_parent else self._fields
        return fields.index(column.field or {})

    def record(self, hit: Hit) -> dict[str, Any]:
        """Return the record of a hit."""
        record: dict[str, Any] = dict(self._nulls)
        extra: dict[str, Any] = {}
        for column, path in self._pathed:
            self._put(record, extra, column, _at(hit, path))
        values, parent_values = self._values(hit, extra)
        for column, of_parent, place in self._placed:
            among = parent_values if of_parent else values
            value = among[place] if place < len(among) else None
            if column.part is not None:
                value = self._part(value, column, extra)
            self._put(record, extra, column, value)
        extra.update(self._unknown(hit))
        if self._extra:
            record[EXTRA] = _plain(extra) if extra else None
        return record

    def _unknown(self, hit: Hit) -> dict[str, Any]:
        """Return what no column knows, at the top and one level below."""
        found = {}
        for key, value in hit.items():
            if key in self._objects and isinstance(value, dict):
                for inner, part in value.items():
                    if (key, inner) not in self._known:
                        found[f"{key}.{inner}"] = part
            elif (key,) not in self._known and not (key in self._objects and value is None):
                found[key] = value
        return found

    def _put(
        self, record: dict[str, Any], extra: dict[str, Any], column: Column, value: Any
    ) -> None:
        try:
            record[column.name] = converted(column.kind, value)
        except LossError:
            record[column.name] = None
            extra[column.name] = value
            self.oddities[column.name] += 1

    def _part(self, value: Any, column: Column, extra: dict[str, Any]) -> Any:
        """Return the part of an object that the column is about; keep what no column has."""
        field = column.field or {}
        label = label_of(field)
        if isinstance(value, dict):
            for key in value.keys() - part_keys(field):
                extra[f"{label}.{key}"] = value[key]
            return value.get(str(column.part))
        if value is not None and label not in extra:
            extra[label] = value
            self.oddities[column.name] += 1
        return None

    def _values(self, hit: Hit, extra: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        """Return the values of the user or account, and those of the user's account."""
        found = hit.get(VALUES)
        values: list[Any] = found if isinstance(found, list) else []
        if found is not None and not isinstance(found, list):
            extra[VALUES] = found
        wanted, parents = len(self._fields), len(self._parent_fields)
        parent_values = _at(hit, ("account", VALUES))
        if not isinstance(parent_values, list):
            # Where they stand is not documented: beside the account, or behind the user's own.
            parent_values = values[wanted:] if len(values) == wanted + parents else []
            values = values[:wanted] if parent_values else values
        if len(values) != wanted and (self._fields or values):
            self.oddities[VALUES] += 1
        for place in range(wanted, len(values)):
            extra[f"{VALUES}[{place}]"] = values[place]
        return values, parent_values


def _at(hit: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        hit = hit.get(key) if isinstance(hit, dict) else None
    return hit


def _plain(value: Any) -> Any:
    """Return a value whose numbers any JSON reader can hold."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal) and not converts(value):
        return str(value)
    return value


def converts(number: Decimal) -> bool:
    """Tell whether a number is within what a double can hold."""
    try:
        converted("number", number)
    except LossError:
        return False
    return True
