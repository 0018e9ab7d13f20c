"""Finds the columns that a service refuses, with few calls.

All are asked for at once. Where that is refused, all are asked for but those that the refusal
names; where that does not single one out, halves are asked for until one refused column is found,
then all others. Columns of its type are asked for apart: most often a whole type is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ColumnValues = dict[str, list[Any]]
"""ColumnValues of each column by its name."""


@dataclass
class FoundColumns:
    """What is known of columns.

    Attributes:
        values: Of those that are given.
        refused: Those that are not.
        unknown: Those for which no call was left.
    """

    values: ColumnValues = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def find_refused(
    types: Mapping[str, str],
    ask: Callable[[Sequence[str]], ColumnValues | None],
    calls: int,
    *,
    named: Callable[[Sequence[str]], Sequence[str]] = lambda _: (),
) -> FoundColumns:
    """Find the columns that are refused.

    Args:
        types: The type of each column.
        ask: Returns the values of columns; None where they are refused.
        calls: Calls that may be made; one is made in any case.
        named: Returns those of some columns that the last refusal names: a hint, never believed.

    Returns:
        What is known of each column, once.
    """
    search = _Search(ask, named, max(calls, 1))
    rest = list(types)
    while rest:
        if not search.can_ask:
            search.found.unknown += rest
            break
        if search.takes(rest):
            break
        bad = search.one_refused(rest)
        if bad is None:
            search.found.unknown += [name for name in rest if name not in search.found.values]
            break
        search.found.refused.append(bad)
        rest = [name for name in rest if name not in search.found.values and name != bad]
        mates = [name for name in rest if types[name] == types[bad]]
        if mates and search.can_ask:
            rest = [name for name in rest if name not in mates]
            if not search.takes(mates):
                search.found.refused += mates
    return search.found


class _Search:
    def __init__(
        self,
        ask: Callable[[Sequence[str]], ColumnValues | None],
        named: Callable[[Sequence[str]], Sequence[str]],
        calls: int,
    ) -> None:
        self.found = FoundColumns()
        self._ask = ask
        self._named = named
        self._calls = calls

    @property
    def can_ask(self) -> bool:
        """Whether a call is left."""
        return self._calls > 0

    def takes(self, names: Sequence[str]) -> bool:
        """Ask for columns; return whether they were given."""
        self._calls -= 1
        values = self._ask(names)
        self.found.values |= values or {}
        return values is not None

    def one_refused(self, names: list[str]) -> str | None:
        """Return one of the columns that are refused together; None if no call was left."""
        suspects = names
        named = list(self._named(names))
        if named and len(named) < len(names):
            others = [name for name in names if name not in named]
            suspects = named if self.takes(others) else others
        while len(suspects) > 1:
            if not self.can_ask:
                return None
            half = suspects[: len(suspects) // 2]
            is_given = self.takes(half)
            suspects = suspects[len(half) :] if is_given else half
        return suspects[0]
