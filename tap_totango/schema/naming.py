"""Column names: made of whatever a column is called in Totango, the same on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.names import snake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SNAKE: Final = "snake"
ORIGINAL: Final = "original"


def unique_names(names: Iterable[str], *, style: str, taken: Iterable[str]) -> dict[str, str]:
    """Give every name a column name that differs from all others by more than case.

    Clashes are resolved by the names alone, not by their order: who is spelled as the column
    comes first, then in the order of their letters; the others are numbered.

    Args:
        names: Names in Totango, each once.
        style: `snake` or `original`.
        taken: Column names that are not to be had.

    Returns:
        Column name by name.
    """
    used = {column.casefold() for column in taken}
    wanted = {name: (snake(name) if style == SNAKE else name) for name in names}
    found = {}
    for name in sorted(wanted, key=lambda one: (wanted[one].casefold(), wanted[one] != one, one)):
        found[name] = free_name(wanted[name], used)
        used.add(found[name].casefold())
    return found


def free_name(name: str, used: Collection[str]) -> str:
    """Return a name, numbered if it is used.

    Args:
        name: The name wanted.
        used: Names that are not to be had, case-folded.
    """
    free, number = name, 2
    while free.casefold() in used:
        free, number = f"{name}_{number}", number + 1
    return free
