"""Compares two pages of one sorted query: can a row have slipped between them?

Pages overlap by some rows. Between two calls rows come and go, so that the rows behind them
move up or down; as long as a row of the first page is found again in the second, under the same
name, everything that sorts behind it is in the second page or after it: nothing slipped through.
Rows of the same name may come in another order at each call. Therefore the row must have another
name than the last one of the first page. And where a server does not sort, pages share rows by
chance: therefore most of the rows between must be in both, too.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from totango_api.search import Hit, Key

KeyedName: TypeAlias = "tuple[Key | None, str]"
"""Key and name of a row."""


@dataclass(frozen=True)
class Slice:
    """Rows of one response, in ascending order of their names.

    Attributes:
        start: Position of the first one among all rows of the query, as far as that is known.
        rows: Key and name of each.
    """

    start: int
    rows: tuple[KeyedName, ...]

    @property
    def end(self) -> int:
        """Position after the last one."""
        return self.start + len(self.rows)


@dataclass(frozen=True)
class Seam:
    """What lies between two slices.

    Attributes:
        is_closed: Whether nothing can have slipped between them.
        is_exact: Whether they overlap as if nothing had moved.
    """

    is_closed: bool
    is_exact: bool


def slice_of(hits: Sequence[Hit], key: Callable[[Hit], Key | None], start: int) -> Slice:
    """Return what is needed of hits to find their seams."""
    return Slice(start, tuple((key(hit), sort_name(hit)) for hit in hits))


def sort_name(hit: Hit) -> str:
    """Return the name by which a row is sorted: alike for those that a server may sort alike."""
    return str(hit.get("display_name") or "").strip().casefold()


def largest_group(hits: Iterable[Hit]) -> int:
    """Return how many rows in a row have the same name, at most."""
    groups = itertools.groupby(hits, key=sort_name)
    return max((sum(1 for _ in group) for _, group in groups), default=0)


def seam_of(before: Slice, after: Slice) -> Seam:
    """Compare the end of one slice with the beginning of the next."""
    if not before.rows or not after.rows:
        # One row is too few to overlap.
        is_end = len(before.rows) == 1 and after.start == before.end
        return Seam(is_closed=is_end, is_exact=is_end)
    last = before.rows[-1][1]
    shared = set(before.rows) & set(after.rows)
    # A page that brings nothing but rows of the one before shows that nothing comes after it.
    is_shared = any(name != last for _, name in shared) or shared == set(after.rows)
    is_closed = is_shared and _is_sorted(before, after, shared)
    tail = before.rows[max(after.start - before.start, 0) :]
    head = after.rows[: max(before.end - after.start, 0)]
    return Seam(is_closed, is_exact=bool(tail) and _are_alike(tail, head))


def _is_sorted(before: Slice, after: Slice, shared: set[KeyedName]) -> bool:
    """Return whether most rows from the first shared one to the end of a slice are shared.

    Those of the names at the edges do not count: they may go on beyond.
    """
    edges = {before.rows[-1][1], after.rows[0][1]}
    first = next((number for number, row in enumerate(before.rows) if row in shared), 0)
    between = [row for row in before.rows[first:] if row[1] not in edges]
    return 2 * len(shared.intersection(between)) >= len(between)


def _are_alike(tail: tuple[KeyedName, ...], head: tuple[KeyedName, ...]) -> bool:
    """Return whether two lists hold the same rows, but for the order of those of one name.

    Of the first and last names, which may go on beyond the lists, only the number counts.
    """
    if [name for _, name in tail] != [name for _, name in head]:
        return False
    edges = {tail[0][1], tail[-1][1]}
    inner = {row for row in tail if row[1] not in edges}
    return inner == {row for row in head if row[1] not in edges}
