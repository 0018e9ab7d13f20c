"""Pages of one sorted query, and the seams between them: can a row have slipped through?

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

from totango_api.search import ASCENDING, DESCENDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from totango_api.search import Key, Page

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


def slice_of(page: Page, start: int, order: str = ASCENDING) -> Slice:
    """Return what is needed of a page to find its seams; rows that cannot be read come first."""
    rows = tuple(zip(page.keys, page.sort_names, strict=True))
    unreadable: tuple[KeyedName, ...] = ((None, ""),) * page.unreadable_hits
    return Slice(start, unreadable + (rows if order == ASCENDING else rows[::-1]))


def largest_group(page: Page) -> int:
    """Return how many rows in a row have the same name, at most."""
    groups = itertools.groupby(page.sort_names)
    return max((len(list(group)) for _, group in groups), default=0)


def seam_of(before: Slice, after: Slice) -> Seam:
    """Compare the end of one slice with the beginning of the next."""
    if not before.rows or not after.rows:
        # One row is too few to overlap.
        is_end = len(before.rows) == 1 and after.start == before.end
        return Seam(is_closed=is_end, is_exact=is_end)
    last = before.rows[-1][1]
    shared = set(before.rows) & set(after.rows)
    # A page that brings nothing but rows of the one before shows that nothing comes after it. If it
    # reaches further, these have changed places with others of their name.
    is_end = shared == set(after.rows) and after.end <= before.end
    is_shared = is_end or any(name != last for _, name in shared)
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


@dataclass(frozen=True)
class Place:
    """Where a page stands: an offset, in one sort order or the other."""

    offset: int
    order: str = ASCENDING


class PageChain:
    """Pages from the first row on, those in descending order last, whose own order is reversed.

    Args:
        places: Where they stand.

    Attributes:
        open: Pairs of neighbours between which rows may have slipped through.
        has_moved: Whether neighbours overlapped otherwise than expected.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = list(places)
        self._slices: dict[Place, Slice] = {}
        self.open: list[tuple[Place, Place]] = []
        self.has_moved = False

    def __len__(self) -> int:
        return len(self._places)

    @property
    def ends(self) -> tuple[Place, Place | None]:
        """The last page in ascending order, and the page after it: in descending order."""
        ascending = [place for place in self._places if place.order == ASCENDING]
        rest = self._places[len(ascending) :]
        return ascending[-1], rest[0] if rest else None

    def from_the_middle(self) -> list[Place]:
        """Return all places but the first, those in the middle first."""
        middle = len(self._places) // 2
        numbers = sorted(range(1, len(self._places)), key=lambda number: abs(number - middle))
        return [self._places[number] for number in numbers]

    def rows_at(self, place: Place) -> Slice:
        """Return the rows of a page that has been put in."""
        return self._slices[place]

    def put(self, place: Place, rows: Slice) -> None:
        """Take in the rows of a page, and look at its seams."""
        self._slices[place] = rows
        number = self._places.index(place)
        for left in (number - 1, number):
            if 0 <= left < len(self._places) - 1:
                self._join(self._places[left], self._places[left + 1])
        for one in (number - 1, number, number + 1):
            self._forget(one)

    def insert(self, place: Place, *, after: Place) -> None:
        """Make room for another page."""
        number = self._places.index(after)
        if number + 1 < len(self._places):
            pair = (after, self._places[number + 1])
            self.open = [one for one in self.open if one != pair]
        self._places.insert(number + 1, place)

    def __contains__(self, place: Place) -> bool:
        return place in self._places

    def drop_descending(self) -> None:
        """Do without the pages in descending order."""
        self._places = [place for place in self._places if place.order == ASCENDING]
        self.open = [pair for pair in self.open if DESCENDING not in {one.order for one in pair}]

    def _join(self, left: Place, right: Place) -> None:
        if left not in self._slices or right not in self._slices:
            return
        seam = seam_of(self._slices[left], self._slices[right])
        self.has_moved = self.has_moved or not seam.is_exact
        if not seam.is_closed:
            self.open.append((left, right))

    def _forget(self, number: int) -> None:
        """Let go of rows that no seam needs any more."""
        if not 0 < number < len(self._places) - 1:
            return
        place, neighbours = self._places[number], self._places[number - 1 : number + 2 : 2]
        needed = {*self.ends, *(one for pair in self.open for one in pair)}
        if place not in needed and {place, *neighbours} <= self._slices.keys():
            self._slices[place] = Slice(self._slices[place].start, ())
