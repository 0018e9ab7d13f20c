"""Reading every event that a query matches throughout, or saying that some may be missing.

Facts: "Search API (events)". No count is promised, nor an order, and `offset` is called a page
number while the text on accounts and users counts rows. So events are read by their times and by
pages that repeat each other (`ordered`), and in passes by offsets only where neither can be
(`offsets`).

The documentation has a reader stop at a page that is not full. It is believed after many full pages
only: else one more call shows the end.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from totango_api.reading.date_keys import KeyNotUsableError
from totango_api.reading.events.newest import FRONTS, MOST_CALLS
from totango_api.reading.events.offsets import learn_unit, linked_passes
from totango_api.reading.events.ordered import OrderedRead
from totango_api.reading.events.pages import (
    EventPages,
    event_id_of,
    lacking_on,
    time_of,
)
from totango_api.reading.pages import is_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.http import ApiClient
    from totango_api.reading.result import ReadResult
    from totango_api.search import Hit, Page, Query

logger = logging.getLogger(__name__)


class EventsRead:
    """One read of all events that a query matches.

    Args:
        client: Calls the service.
        query: Its terms; `count` is the page size.
        account_id: Only this account's events, when given.
    """

    def __init__(self, client: ApiClient, query: Query, *, account_id: str | None = None) -> None:
        self._pages = EventPages(client, query, account_id)
        self._is_limited = account_id is not None

    @property
    def result(self) -> ReadResult:
        """The result so far."""
        return self._pages.result

    def batches(self) -> Iterator[list[Hit]]:
        """Yield events, each once; again only where its time has become later since.

        Raises:
            ApiError: If the server does not answer.
        """
        try:
            yield from self._batches()
        finally:
            self._pages.close()

    def _batches(self) -> Iterator[list[Hit]]:
        pages, started = self._pages, time.time_ns() // 1_000_000
        first = pages.fetch()
        if not first.hits and (first.total_hits or not self._is_limited):
            first = pages.fetch()  # that there is nothing at all is not believed at once
        pages.learn_size(first)
        yield pages.new(first)
        if is_whole(first, pages.query.count):
            self.result.ways["in one answer, which is a snapshot"] += 1
            return
        if not first.hits:
            pages.note_missing(first.total_hits)
            return
        if first.rows < pages.query.count and not lacking_on(first):
            behind = pages.behind()
            if behind is not None and not behind.rows:
                self.result.ways["on one page, with nothing behind it"] += 1
                return
        try:
            yield from OrderedRead(pages, first, started).hits()
            self.result.ways["by their times"] += 1
        except KeyNotUsableError as error:
            logger.info("Reading events by offsets, not by their times: %s", error)
            self.result.ways["by offsets, until no seam was open"] += 1
            yield from self._by_offsets(first, started)

    def _by_offsets(self, first: Page, started: int) -> Iterator[list[Hit]]:
        """Yield events by offsets; in the end once more those that are newer than the read."""
        pages, page = self._pages, first
        yield from learn_unit(pages, first)
        yield from linked_passes(pages, first=first)
        most = MOST_CALLS * self.result.calls
        for _ in range(FRONTS):
            newest = min(max(time_of(hit) or 0 for hit in page.hits), started)
            known = set(map(_spot, page.hits))
            page, started = pages.fetch(), time.time_ns() // 1_000_000
            yield pages.new(page)
            if not page.hits or not known.isdisjoint(map(_spot, page.hits)):
                return  # what stands before an event that stayed is on this page
            yield from linked_passes(pages, down_to=newest)
            if self.result.calls > most:
                break
        self.result.leaves_newer = True


def _spot(hit: Hit) -> tuple[str | None, str]:
    return event_id_of(hit), repr(hit.get("timestamp"))
