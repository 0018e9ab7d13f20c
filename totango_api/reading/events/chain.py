"""Reading events by their places: each page repeats the end of the one before, to the end of all.

No filter stands between, so that a page with room for more shows the end of everything, events
without a time included. Where the repeated rows stand in the very places in which they were
expected, nothing has come, gone or been edited before them since the page before.

An offset counts pages, as documented, or rows. Where it counts pages, the page of number `n` can
only begin at a multiple of `n`, and so repeats up to `n` rows: a long read goes on in another way.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.events.offsets import counts_rows, span_behind
from totango_api.reading.events.pages import event_id_of, lacking_behind, rows_on, time_of
from totango_api.reading.pages import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.events.offsets import PageSpan
    from totango_api.reading.events.pages import EventPages
    from totango_api.search import Hit, Page

SMALLEST: Final = 200
"""Rows on a page; smaller ones would repeat too much of each other."""

LEAST_REPEATED: Final = 3
"""Rows, at least, that a page repeats of the one before."""

PART_REPEATED: Final = 125
"""Of large pages, one row in so many is repeated."""

MOST_REPEATED: Final = 25
"""A chain ends where a page would repeat more than one row in so many."""

LONGEST: Final = 40
"""Seams of a chain; behind them rows may come as fast as they are read."""

SEAMS: Final = 5
"""So many seams that are all exact show that nothing moved."""

SURE: Final = 16
"""After so many full pages, one with room for more is not one that the server cut short.

Unless it ends where searches of accounts and users are known to."""


@dataclass(frozen=True)
class Seam:
    """Where two pages meet.

    Attributes:
        is_closed: Whether nothing can lie between them.
        is_exact: Whether as many stand before the last moment of the first page as were expected.
        repeated: Rows that stand on both.
    """

    is_closed: bool
    is_exact: bool
    repeated: int


class Chain:
    """One pass over all pages, for as long as each shows that nothing slipped in before it.

    Args:
        pages: Fetches pages.
        first: The first one, already given; its rows are in the order of their times.
        sign: 1 where the oldest come first, -1 where the newest do.

    Attributes:
        page: The last page before which nothing is missing.
        end: Rows up to its end.
        has_ended: Whether nothing stands behind it.
        is_sure: Whether it cannot have been cut short: it agrees with its count, or many were full.
    """

    def __init__(self, pages: EventPages, first: Page, sign: int) -> None:
        self._pages = pages
        self._sign = sign
        self.end = rows_on(first)
        self._full = int(self.end >= pages.size)
        self._seams = 0
        self._is_exact = True
        self.page = first
        self.has_ended = False
        self.is_sure = False

    @property
    def is_still(self) -> bool:
        """Whether nothing moved, as far as places tell."""
        return self._is_exact and self._seams >= SEAMS

    def hits(self) -> Iterator[list[Hit]]:
        """Yield the new events of each page.

        Raises:
            ApiError: If a page cannot be had, other than by a refusal.
        """
        pages = self._pages
        while not self.has_ended and (span := self._span()) is not None:
            try:
                following = pages.fetch(
                    offset=span.offset, count=span.count, max_retry_seconds=PROBE_SECONDS
                )
            except (RefusedError, UnavailableError):
                return
            yield pages.new(following)
            expected = self.end - span.start
            seam = seam_between(self.page, following, expected, self._sign)
            if pages.counts_rows is None and 2 * seam.repeated > span.count:
                pages.counts_rows = counts_rows(self.page, following, span.count)
                continue
            if not seam.is_closed:
                return
            pages.counts_rows = bool(pages.counts_rows)
            self._seams += 1
            self._is_exact = self._is_exact and seam.is_exact
            self.page, self.end = following, span.start + rows_on(following)
            if rows_on(following) < span.count:
                self._note_end(following)
                return
            self._full += 1
            if 2 * (seam.repeated - expected) > span.count:
                return  # so much comes that little is gained

    def _span(self) -> PageSpan | None:
        """Return the place of the next page; None if it would repeat too much, or show nothing."""
        size, moments = self._pages.size, [time_of(hit) for hit in self.page.hits]
        alike = itertools.takewhile(lambda moment: moment == moments[-1], reversed(moments))
        least = max(size // PART_REPEATED, LEAST_REPEATED, sum(1 for _ in alike) + 1)
        most = size // MOST_REPEATED
        if size < SMALLEST or least > most or self._seams >= LONGEST:
            return None
        span = span_behind(self.end, least, size, counts_rows=bool(self._pages.counts_rows))
        return span if self.end - span.start <= most else None

    def _note_end(self, page: Page) -> None:
        self.has_ended = not lacking_behind(page, self.end)
        is_vouched_for = page.total_hits == self.end or self._full >= SURE
        self.is_sure = is_vouched_for and self.end != limits.WINDOW_ROWS


def seam_between(before: Page, after: Page, expected: int, sign: int) -> Seam:
    """Compare two pages, of which the second was read after the first.

    A row that both show, with the same time, is followed on the second by all that then followed
    it. It has to stand before the last moment of the first page: rows of one moment may change
    places.

    Args:
        before: The first page.
        after: The second one.
        expected: Rows at its beginning that were to be repeated.
        sign: 1 where times rise, -1 where they fall.
    """
    first, second = (
        [(event_id_of(hit), time_of(hit)) for hit in page.hits] for page in (before, after)
    )
    known, last = set(first), first[-1][1]
    repeated = sum(row in known for row in second)
    earlier = list(itertools.takewhile(lambda row: _is_earlier(row[1], last, sign), second))
    is_closed = not known.isdisjoint(earlier) and is_in_order(after, sign)
    at_last = sum(moment == last for _, moment in first)
    is_exact = is_closed and len(earlier) == expected - at_last and known.issuperset(earlier)
    return Seam(is_closed, is_exact, repeated)


def _is_earlier(moment: int | None, last: int | None, sign: int) -> bool:
    return moment is not None and (last is None or sign * moment < sign * last)


def is_in_order(page: Page, sign: int) -> bool:
    """Return whether the events of a page rise or fall by their times; those without come last."""
    moments = [time_of(hit) for hit in page.hits]
    timed = [sign * moment for moment in moments if moment is not None]
    return timed == sorted(timed) and None not in moments[: len(timed)]
