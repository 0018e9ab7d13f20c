"""One page out of sorted rows, where rows that sort equal may come in another order each time."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Any step that shares no factor with the number of tied rows visits each of them once.
_STEPS: Final = (1_000_003, 15_485_863, 32_452_843, 49_979_687, 67_867_967, 86_028_121)


def page(
    rows: Sequence[int], value: Callable[[int], object], offset: int, count: int, nonce: int | None
) -> list[int]:
    """Return rows ``offset`` to ``offset + count``.

    Args:
        rows: positions, sorted by their value.
        value: gives the value that a row was sorted by.
        offset: rows to skip.
        count: rows to return at most.
        nonce: decides the order among equal values; None leaves them as they are.
    """
    end = min(offset + count, len(rows))
    if nonce is None or offset >= end:
        return list(rows[offset:end])
    result: list[int] = []
    position = offset
    while position < end:
        tied = value(rows[position])
        start, stop = position, position + 1
        if position == offset:
            start = _first_tied(rows, value, position, tied)
        while stop < end and value(rows[stop]) == tied:
            stop += 1
        inside = stop
        if stop == end:
            stop = _end_tied(rows, value, stop, tied)
        size = stop - start
        if size == 1:
            result.append(rows[position])
        else:
            result += [
                rows[start + _shuffled(at - start, size, nonce)] for at in range(position, inside)
            ]
        position = inside
    return result


def _shuffled(index: int, size: int, nonce: int) -> int:
    step = next(step for step in _STEPS[nonce % len(_STEPS) :] + _STEPS if gcd(step, size) == 1)
    return (index * step + nonce * 2_654_435_761) % size


def _first_tied(
    rows: Sequence[int], value: Callable[[int], object], position: int, tied: object
) -> int:
    low, high = 0, position
    while low < high:
        middle = (low + high) // 2
        if value(rows[middle]) == tied:
            high = middle
        else:
            low = middle + 1
    return low


def _end_tied(
    rows: Sequence[int], value: Callable[[int], object], position: int, tied: object
) -> int:
    low, high = position, len(rows)
    while low < high:
        middle = (low + high) // 2
        if value(rows[middle]) == tied:
            low = middle + 1
        else:
            high = middle
    return low
