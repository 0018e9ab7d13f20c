"""Pages of one query in the order of their rows, and the seams between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from totango_api.reading.overlap.seam import Slice, seam_of
from totango_api.search import ASCENDING, DESCENDING

if TYPE_CHECKING:
    from collections.abc import Iterable


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
