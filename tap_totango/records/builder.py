"""Makes records of search hits, a page at a time and column by column; nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import compress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tap_totango.schema import (
    EXTRA,
    VALUES,
    Column,
    ConversionError,
    convert,
    convert_column,
    fields_for,
    label_of,
    part_keys,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from totango_api.command import Part
    from totango_api.search import Hit

_NO_KEYS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Table:
    """Records that have the same columns.

    Attributes:
        columns: The values of each column, by its name, one for each record.
        rows: How many records these are.
    """

    columns: Mapping[str, Sequence[Any]]
    rows: int

    def __len__(self) -> int:
        return self.rows

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.columns)

    def tuples(self) -> Iterable[tuple[Any, ...]]:
        """Return the values of each record, in the order of the columns."""
        return zip(*self.columns.values(), strict=True)

    def records(self) -> list[dict[str, Any]]:
        """Return the records one by one."""
        names = self.names
        return [dict(zip(names, row, strict=True)) for row in self.tuples()]

    def at_least(self, name: str, floor: str | None, *, nulls: bool) -> Table:
        """Return the records whose value in a column is not below a floor.

        Args:
            name: The column.
            floor: The least value that is wanted; None = any.
            nulls: Whether records without a value are wanted.
        """
        values = self.columns[name]
        wanted = [nulls if one is None else floor is None or one >= floor for one in values]
        return self if all(wanted) else self._only(wanted)

    def first(self, rows: int) -> Table:
        """Return the first records."""
        columns = {name: one[:rows] for name, one in self.columns.items()}
        return Table(columns, min(rows, self.rows))

    def part(self, name: str, part: Part) -> Table:
        """Return the records whose value in a column belongs to a part."""
        return self._only([part.holds(str(one)) for one in self.columns[name]])

    def _only(self, wanted: Sequence[bool]) -> Table:
        kept = {name: list(compress(one, wanted)) for name, one in self.columns.items()}
        return Table(kept, sum(wanted))

    def greatest(self, name: str, so_far: str | None = None) -> str | None:
        """Return the greatest value of a column, or `so_far` if that is greater."""
        found = [one for one in self.columns[name] if one is not None]
        if so_far is not None:
            found.append(so_far)
        return max(found, default=None)

    def without(self, names: Collection[str]) -> Table:
        """Return the records without some of their columns."""
        columns = {name: one for name, one in self.columns.items() if name not in names}
        return Table(columns, self.rows)


class RecordBuilder:
    """Makes records of the hits of one search.

    Args:
        columns: The columns wanted.
        base: All columns that every hit has, wanted or not.
        vanished: Columns of the catalog that no longer exist: always null.

    Attributes:
        conversion_errors: How often a value did not fit its column, by column name, and how
            many hits had too few or too many values.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        base: Sequence[Column],
        vanished: Sequence[str] = (),
    ) -> None:
        self.conversion_errors: Counter[str] = Counter()
        self._vanished = vanished
        self._fields = fields_for(columns)
        self._parent_fields = fields_for(columns, of_parent=True)
        self._columns_by_path = [(column, column.path) for column in columns if column.path]
        self._columns_by_position = [
            (column, self._position(column)) for column in columns if column.field
        ]
        self._parts_of = {
            column.name: (label_of(column.field), part_keys(column.field))
            for column in columns
            if column.field and column.part is not None
        }
        known = [column.path for column in base] + [(VALUES,), ("account", VALUES)]
        self._tree = _tree_of(known)
        self._known = {key for key, inner in self._tree.items() if inner is None}

    def _position(self, column: Column) -> int:
        """Return where a column's values stand: those of the account come after the user's own."""
        if column.of_parent:
            return len(self._fields) + self._parent_fields.index(column.field or {})
        return self._fields.index(column.field or {})

    def table(self, hits: Sequence[Hit]) -> Table:
        """Return the records of hits."""
        extras: dict[int, dict[str, Any]] = {}
        columns: dict[str, Sequence[Any]] = {name: [None] * len(hits) for name in self._vanished}
        for column, path in self._columns_by_path:
            columns[column.name] = self._convert(column, _values_at(hits, path), extras)
        values = self._values(hits, extras)
        for column, place in self._columns_by_position:
            raw: Sequence[Any] = values[place] if hits else ()
            if column.part is not None:
                raw = self._parts(raw, column, extras)
            columns[column.name] = self._convert(column, raw, extras)
        self._add_unknown(hits, extras)
        columns[EXTRA] = [
            _writable(extras[place]) if place in extras else None for place in range(len(hits))
        ]
        return Table(columns, len(hits))

    def _convert(
        self, column: Column, raw: Sequence[Any], extras: dict[int, dict[str, Any]]
    ) -> Sequence[Any]:
        """Return the values of a column; keep what does not fit it."""

        def keep(place: int, value: Any) -> None:
            extras.setdefault(place, {})[column.name] = value
            self.conversion_errors[column.name] += 1

        return convert_column(column.kind, raw, keep)

    def _add_unknown(self, hits: Sequence[Hit], extras: dict[int, dict[str, Any]]) -> None:
        """Keep what no column knows, at any depth."""
        for place, hit in enumerate(hits):
            if hit.keys() <= self._known:
                continue
            if found := dict(_unknown(hit, self._tree)):
                extras.setdefault(place, {}).update(found)

    def _parts(
        self, raw: Sequence[Any], column: Column, extras: dict[int, dict[str, Any]]
    ) -> list[Any]:
        """Return the parts of objects that the column is about; keep what no column has."""
        part, (label, known) = str(column.part), self._parts_of[column.name]
        parts = []
        for place, value in enumerate(raw):
            if isinstance(value, dict):
                for key in value.keys() - known:
                    extras.setdefault(place, {})[f"{label}.{key}"] = value[key]
                parts.append(value.get(part))
                continue
            parts.append(None)
            if value is not None and label not in extras.get(place, _NO_KEYS):
                extras.setdefault(place, {})[label] = value
                self.conversion_errors[column.name] += 1
        return parts

    def _values(
        self, hits: Sequence[Hit], extras: dict[int, dict[str, Any]]
    ) -> list[tuple[Any, ...]]:
        """Return the values of each field asked for: the user's or account's, then the parent's."""
        wanted, rows = len(self._fields), []
        absent: list[Any] | None = None if self._fields else []
        simple = not self._parent_fields
        for place, hit in enumerate(hits):
            values = hit.get(VALUES, absent)
            if simple and type(values) is list and len(values) == wanted:
                rows.append(values)
            else:
                rows.append(self._values_of_odd_hit(hit, place, extras))
        return list(zip(*rows, strict=True))

    def _values_of_odd_hit(
        self, hit: Hit, place: int, extras: dict[int, dict[str, Any]]
    ) -> list[Any]:
        """Return as many values as were asked for; count and keep what is not as it was asked."""
        found = hit.get(VALUES)
        values: list[Any] = found if isinstance(found, list) else []
        if found is not None and not isinstance(found, list):
            extras.setdefault(place, {})[VALUES] = found
        wanted, parents = len(self._fields), len(self._parent_fields)
        parent_values = value_at(hit, ("account", VALUES))
        if not isinstance(parent_values, list):
            # Where they stand is not documented: beside the account, or behind the user's own.
            parent_values = values[wanted:] if len(values) == wanted + parents else []
            values = values[:wanted] if parent_values else values
        if len(values) != wanted and (self._fields or values):
            self.conversion_errors[VALUES] += 1
        for at in range(wanted, len(values)):
            extras.setdefault(place, {})[f"{VALUES}[{at}]"] = values[at]
        return _padded(values, wanted) + _padded(parent_values, parents)


_Tree: TypeAlias = dict[str, "_Tree | None"]
"""Keys that columns know: each with those below it, or None where the whole value is known."""


def _tree_of(paths: Iterable[tuple[str, ...]]) -> _Tree:
    tree: _Tree = {}
    for path in sorted(paths, key=len):
        level = tree
        for key in path[:-1]:
            inner = level.setdefault(key, {})
            if inner is None:
                break
            level = inner
        else:
            level[path[-1]] = None
    return tree


def _unknown(value: Mapping[str, Any], tree: _Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what no column knows, by its dotted path."""
    for key, part in value.items():
        if key not in tree:
            yield prefix + key, part
        elif (inner := tree[key]) is not None:
            if isinstance(part, dict):
                yield from _unknown(part, inner, f"{prefix}{key}.")
            elif part is not None:
                yield prefix + key, part


def _padded(values: list[Any], length: int) -> list[Any]:
    return (values + [None] * length)[:length]


def _values_at(hits: Sequence[Hit], path: tuple[str, ...]) -> list[Any]:
    """Return what stands at a path in each hit; None where there is nothing."""
    outer = [hit.get(path[0]) for hit in hits]
    if len(path) == 1:
        return outer
    return [value_at(one, path[1:]) for one in outer]


def value_at(value: Any, path: Sequence[str]) -> Any:
    """Return what stands at a path in an object; None where there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _writable(value: Any) -> Any:
    """Return a value whose numbers any JSON reader can hold."""
    if isinstance(value, dict):
        return {str(key): _writable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_writable(inner) for inner in value]
    if isinstance(value, (Decimal, float)):
        try:
            convert("number", value)
        except ConversionError:
            return json.dumps(value) if isinstance(value, float) else str(value)
    return value
