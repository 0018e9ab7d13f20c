"""Pages of events by their places: where one stands, and whether nothing slipped in before it.

The documentation calls `offset` a page number; where it is one, the page of number `n` can only
begin at a multiple of `n`, and so repeats up to `n` rows of the one before.
"""

from __future__ import annotations

import itertools
import logging
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from totango_api.reading.events.pages import event_id_of, time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search import Page

logger = logging.getLogger(__name__)

Spot: TypeAlias = "tuple[str | None, int | None]"
"""The id of an event, and its time."""


@dataclass(frozen=True)
class PageSpan:
    """Where a page stands: its offset, its size, and its first row."""

    offset: int
    count: int
    start: int

    @property
    def end(self) -> int:
        """Rows up to its end, where it is full."""
        return self.start + self.count


def span_behind(end: int, overlap: int, size: int, *, counts_rows: bool) -> PageSpan:
    """Return the place of a page that repeats some rows of the one that ends at a place.

    Args:
        end: Rows up to the end of that one.
        overlap: Rows to repeat, at least.
        size: Rows on a page, at most.
        counts_rows: Whether an offset counts rows, not pages.
    """
    start = max(end - overlap, 0)
    if counts_rows or not start:
        return PageSpan(start, size, start)
    number = -(-start // size)
    count = start // number
    return PageSpan(number, count, count * number)


def counts_rows(first: Page, page: Page, span: PageSpan) -> bool:
    """Return whether offsets count rows, by a page that was asked for as if they counted pages."""
    places = {spot: place for place, spot in enumerate(spots(first))}
    shifts = [places[spot] - place for place, spot in enumerate(spots(page)) if spot in places]
    start = statistics.median_low(shifts or [span.start])
    if is_by_row := start - span.offset < span.start - start:
        logger.info("Event offsets count rows here, not pages as documented.")
    return is_by_row


@dataclass(frozen=True)
class Seam:
    """Where a page meets the rows that were read before it.

    Attributes:
        is_closed: Whether nothing can lie between them.
        is_exact: Whether as many stand before the last moment that was read as were expected.
        new: Rows behind the last moment that was read; None if the page does not show all of that.
    """

    is_closed: bool
    is_exact: bool
    new: int | None


def spots(page: Page) -> list[Spot]:
    """Return the ids and times of a page's events."""
    return [(event_id_of(hit), time_of(hit)) for hit in page.hits]


def seam_between(rows: Sequence[Spot], page: Page, expected: int, sign: int) -> Seam:
    """Compare what was read last with a page that was read afterwards.

    A row that both have, with the same time, is followed on the page by all that then followed it.
    It has to stand before the last moment that was read: rows of one moment may change places.

    Args:
        rows: The last rows that were read.
        page: The page.
        expected: Rows at its beginning that were to be repeated.
        sign: 1 where times rise, -1 where they fall.
    """
    found, known = spots(page), set(rows)
    last = next((moment for _, moment in reversed(rows) if moment is not None), None)
    earlier = list(itertools.takewhile(lambda spot: _is_earlier(spot[1], last, sign), found))
    is_closed = not known.isdisjoint(earlier) and is_in_order(page, sign)
    at_last = ties_at_end(rows)
    is_exact = is_closed and len(earlier) == expected - at_last and known.issuperset(earlier)
    new = sum(spot not in known for spot in found[len(earlier) :])
    return Seam(is_closed, is_exact, new if reaches_end(rows, found) else None)


def reaches_end(rows: Sequence[Spot], found: Sequence[Spot]) -> bool:
    """Return whether a page shows the end of the rows before: all of the last moment, or in order.

    One of these alone may stand farther in front than it did.
    """
    if not found:
        return False
    place = rows.index(found[0]) if found[0] in rows else len(rows)
    tail = list(rows[place:])
    return (len(tail) > 1 and tail == found[: len(tail)]) or (
        set(found).issuperset(rows[-ties_at_end(rows) :])
    )


def ties_at_end(rows: Sequence[Spot]) -> int:
    """Return how many rows at the end have the time of the last one, or none."""
    last = rows[-1][1]
    return sum(1 for _ in itertools.takewhile(lambda spot: spot[1] in {last, None}, rows[::-1]))


def _is_earlier(moment: int | None, last: int | None, sign: int) -> bool:
    return moment is not None and last is not None and sign * moment < sign * last


def is_in_order(page: Page, sign: int) -> bool:
    """Return whether the events of a page rise or fall by their times; those without come last."""
    moments = [time_of(hit) for hit in page.hits]
    timed = [sign * moment for moment in moments if moment is not None]
    return timed == sorted(timed) and None not in moments[: len(timed)]
