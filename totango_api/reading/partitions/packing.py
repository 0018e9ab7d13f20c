"""Packs values into groups, and names into parts of names, that fit into one query each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IN_LIST_LENGTH: Final = 500
"""Values in one `in_list`: no source states a limit."""


def packed(counts: Iterable[tuple[str, int]], room: float) -> list[list[str]]:
    """Pack values into groups whose counts stay within room: first fit, largest first."""
    groups: list[list[str]] = []
    sizes: list[int] = []
    for value, count in counts:
        for index, size in enumerate(sizes):
            if size + count <= room and len(groups[index]) < IN_LIST_LENGTH:
                groups[index].append(value)
                sizes[index] += count
                break
        else:
            groups.append([value])
            sizes.append(count)
    return groups


def cover(names: Sequence[str], room: float) -> list[str]:
    """Return parts of which every name holds one, each held by few enough names."""
    holders: dict[str, set[int]] = {}
    for index, name in enumerate(names):
        for part in _parts_of(name):
            holders.setdefault(part, set()).add(index)
    fitting = {part: held for part, held in holders.items() if len(held) <= room and part.strip()}
    uncovered = set(range(len(names)))
    chosen = []
    while uncovered and fitting:
        best = max(fitting, key=lambda part: (len(fitting[part] & uncovered), part))
        if not fitting[best] & uncovered:
            break
        uncovered -= fitting.pop(best)
        chosen.append(best)
    return chosen


def _parts_of(name: str) -> set[str]:
    lengths = range(1, 6)
    return {
        name[start : start + length]
        for length in lengths
        for start in range(len(name) - length + 1)
    }
