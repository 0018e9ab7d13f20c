"""Records of a page, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


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

    def from_value(self, name: str, floor: str | None, *, nulls: bool) -> Table:
        """Return the records whose value in a column is not below a floor.

        Args:
            name: The column.
            floor: The least value that is wanted; None = any.
            nulls: Whether records without a value are wanted.
        """
        values = self.columns[name]
        wanted = [nulls if one is None else floor is None or one >= floor for one in values]
        if all(wanted):
            return self
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
