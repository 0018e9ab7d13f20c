"""Rows held as columns, so that 200,000 accounts filter, sort and page within milliseconds.

A row is a position in every column. Columns grow ahead of the rows in steps, deleted rows leave a
hole, and orders are kept sorted between requests. What wrote a cell last, and when, is one number.
"""

from __future__ import annotations

from array import array
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


Column = list[Any]
_STEP: Final = 1024


class Table:
    """Accounts or users.

    Attributes:
        kind: ``accounts`` or ``users``.
        base: columns that every row has (ids, names, times), by name.
        attributes: columns of attributes, by API name.
        sources: what wrote each cell last, by column; only columns that were written to.
        rows_by_key: position of the row with a key.
        version: grows with every change; answers computed for an older one are stale.
    """

    def __init__(self, kind: str, base_names: Sequence[str]) -> None:
        self.kind = kind
        self.base: dict[str, Column] = {name: [] for name in base_names}
        self.attributes: dict[str, Column] = {}
        self.sources: dict[str, array[int]] = {}
        self.rows_by_key: dict[Any, int] = {}
        self.alive = bytearray()
        self.size = 0
        self.version = 0
        self._orders: dict[str, list[int]] = {}
        self._stale: set[str] = set()
        self._flat: dict[tuple[str, bool], tuple[int, list[int]]] = {}
        self._order_versions: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.rows_by_key)

    def clear(self) -> None:
        """Forget every row and every attribute column."""
        Table.__init__(self, self.kind, list(self.base))

    def touch(self) -> None:
        """Say that something changed."""
        self.version += 1

    def add(self, key: Any) -> int:
        """Make room for one new row and return its position."""
        row = self.size
        if row >= len(self.alive):
            self._grow(max(_STEP, len(self.alive) // 4))
        self.size = row + 1
        self.alive[row] = 1
        self.rows_by_key[key] = row
        for name, order in self._orders.items():
            order.append(row)
            self._stale.add(name)
        self.version += 1
        return row

    def reserve(self, rows: int) -> None:
        """Make room for many rows at once."""
        missing = self.size + rows - len(self.alive)
        if missing > 0:
            self._grow(missing)

    def remove(self, key: Any) -> None:
        """Delete a row, unless it is gone already."""
        row = self.rows_by_key.pop(key, None)
        if row is None:
            return
        self.alive[row] = 0
        for column in (*self.base.values(), *self.attributes.values()):
            column[row] = None
        self._stale.update(self._orders)
        self.version += 1

    def attribute_column(self, name: str) -> Column:
        """Return the column of an attribute, made empty when it is new."""
        column = self.attributes.get(name)
        if column is None:
            column = self.attributes[name] = [None] * len(self.alive)
        return column

    def set_base(self, row: int, name: str, value: Any) -> None:
        """Write one cell of a base column, keeping orders honest."""
        self.base[name][row] = value
        if name in self._orders:
            self._stale.add(name)

    def set_source(self, row: int, name: str, stamp: int) -> None:
        """Note what wrote a cell of a base column or of an attribute."""
        source = self.sources.get(name)
        if source is None:
            source = self.sources[name] = array("q", bytes(8 * len(self.alive)))
        source[row] = stamp

    def live_rows(self) -> Iterable[int]:
        """Return positions of all rows, oldest first."""
        return compress(range(self.size), self.alive)

    def ordered(self, name: str, *, descending: bool = False) -> list[int]:
        """Return positions of all rows sorted by a base column, rows without a value last."""
        if name not in self._orders:
            self._orders[name] = list(self.live_rows())
            self._stale.add(name)
        if name in self._stale:
            self._sort(name)
        version = self._order_versions[name]
        known = self._flat.get((name, descending))
        if known is None or known[0] != version:
            known = (version, self._flatten(name, descending=descending))
            self._flat[name, descending] = known
        return known[1]

    def _grow(self, rows: int) -> None:
        self.alive.extend(bytes(rows))
        for column in (*self.base.values(), *self.attributes.values()):
            column.extend([None] * rows)
        for source in self.sources.values():
            source.frombytes(bytes(8 * rows))

    def _sort(self, name: str) -> None:
        """Sort again; what was sorted before makes this nearly linear."""
        column, alive = self.base[name], self.alive
        rows = [row for row in self._orders[name] if alive[row]]
        present = [row for row in rows if column[row] is not None]
        present.sort(key=column.__getitem__)
        if len(present) < len(rows):
            present.extend([row for row in rows if column[row] is None])
        self._orders[name] = present
        self._stale.discard(name)
        self._order_versions[name] = self._order_versions.get(name, 0) + 1

    def _flatten(self, name: str, *, descending: bool) -> list[int]:
        """Return a copy that later inserts cannot change under a cached answer.

        It goes through an array: new numbers lie side by side in memory, which makes walking
        along the order several times faster than over those that sorting has scattered.
        """
        order, column = self._orders[name], self.base[name]
        if descending:
            nulls = next((at for at, row in enumerate(order) if column[row] is None), len(order))
            order = order[:nulls][::-1] + order[nulls:]
        return list(array("q", order))


MOVEMENT: Final = "movement"
_SURFACES: Final = ("loaded", "tracking", "hub", MOVEMENT)
_STAMP_BASE: Final = 8
_CODES: Final = {surface: code for code, surface in enumerate(_SURFACES)}


def stamp(surface: str, moment: int) -> int:
    """Return surface and time of a write as one number.

    Args:
        surface: ``tracking``, ``hub`` or ``movement``.
        moment: epoch milliseconds.
    """
    return moment * _STAMP_BASE + _CODES[surface]


def read_stamp(number: int) -> tuple[str, int | None]:
    """Return surface and time of a write; what was loaded has no time."""
    surface = _SURFACES[number % _STAMP_BASE]
    return surface, number // _STAMP_BASE if number else None
