"""Reading events of a whole service, whatever an offset turns out to mean.

Facts: "Search API (events)". It calls `offset` a page number, while the text on accounts and
users counts rows; the answers tell which one holds.
"""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError
from totango_api.reading.ahead import PagesAhead
from totango_api.reading.keyset import KeySet
from totango_api.redaction import excerpt
from totango_api.search import page_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from totango_api.http import ApiClient
    from totango_api.search import Hit, Page, Query, Term

logger = logging.getLogger(__name__)

PATH: Final = "/api/v2/events/search"
EVENTS: Final = "events"
REREADS: Final = 2
MOST_NAMED: Final = 10
"""So many events without an id are named."""

MOST_MOMENTS: Final = 500
"""Moments whose events are asked for by themselves, a call each."""


def of_types(types: Sequence[str]) -> Term:
    """Return a term that matches events of any of these types."""
    terms = [{"type": "event_property", "name": "event_type", "eq": one} for one in types]
    return terms[0] if len(terms) == 1 else {"type": "or", "or": terms}


def since(milliseconds: int) -> Term:
    """Return a term that matches events from a moment on."""
    return {"type": "date", "term": "date", "gte": milliseconds}


def event_id_of(hit: Hit) -> str | None:
    """Return the id of an event."""
    value = hit.get("id")
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _name_of(hit: Hit) -> str:
    """Return what an event is called in a log: its type, and the account that it is about."""
    account = hit.get("account")
    name = account.get("display_name") if isinstance(account, dict) else None
    return excerpt(f"{hit.get('type') or 'event'} of {name or 'an unnamed account'}")


@dataclass
class EventsOutcome:
    """What a read of events came to: rows told apart, rows without an id, calls used.

    Attributes:
        shifted: Whether events went away or changed places while others were read, which may
            have been passed over.
    """

    total: int | None = None
    rows: int = 0
    unreadable: int = 0
    calls: int = 0
    shifted: bool = False


class EventsRead:
    """One read of all events that a query matches.

    Args:
        transport: How to reach the service.
        query: Its terms; `count` is the page size.
        account_id: Only this account's events, when given.
        in_flight: Pages fetched at once, once it is known which they are.
    """

    def __init__(
        self,
        transport: ApiClient,
        query: Query,
        *,
        account_id: str | None = None,
        in_flight: int = 1,
    ) -> None:
        self._transport = transport
        self._query = query
        self._account_id = account_id
        self._seen = KeySet()
        self._counts_rows = False
        self._knows_unit = False
        self._ahead = PagesAhead(self._fetch, in_flight)
        self._asked = 0
        self._moments: set[int] = set()
        self._full_page = 0
        self._received = 0
        self._has_respelled_ids = False
        self.outcome = EventsOutcome()

    def batches(self) -> Iterator[list[Hit]]:
        """Yield events, each id once.

        A page is followed by another until one brings nothing new: pages may be shorter than
        asked, and no count is promised. Where the count shows that events came or went
        meanwhile, so that others moved from page to page, the pages are gone through again.

        Raises:
            ApiError: If the server does not answer.
        """
        try:
            yield from self._once()
            for _ in range(REREADS):
                counted = self.outcome.total is not None and not self.outcome.unreadable
                if not counted or (self._all_seen() and not self.outcome.shifted):
                    break
                yield from self._again()
            yield from self._settled()
        finally:
            self._ahead.close()
            self._seen.close()

    def _settled(self) -> Iterator[list[Hit]]:
        """Ask for the moments whose events changed places between pages, each by itself.

        *Inferred*: `lte`, as in the windows of searches. A page that is not full has them all.
        """
        if self.outcome.total is not None:
            return
        for moment in sorted(self._moments)[:MOST_MOMENTS]:
            try:
                self._asked += 1
                page = self._taken(self._fetch(0, since(moment) | {"lte": moment}))
            except RefusedError as error:
                logger.info("Events of one moment cannot be asked for: %s", error)
                break
            yield self._new(page)
            honoured = all(hit.get("timestamp") == moment for hit in page.hits)
            if honoured and len(page.hits) < self._full_page:
                self._moments.discard(moment)
        self.outcome.shifted = self.outcome.shifted or bool(self._moments)

    def _once(self) -> Iterator[list[Hit]]:
        first = self._page(0)
        self._full_page = len(first.hits)
        yield self._new(first)
        page, offset = first, 0
        reached = len(first.hits)  # the first row not asked for yet, if offsets count rows
        while page.hits and not self._all_seen():
            offset = reached if self._counts_rows else offset + 1
            page = self._page(offset)
            whole = len(page.hits) == self._full_page > 1
            told = not self._counts_rows and self._moved_by_rows(page)
            new = self._new(page)
            if told:
                self._counts_rows = True
                self._moments.clear()  # these were meant to come again
                logger.info("Event offsets count rows here, not pages as documented.")
            # Counted by rows, the second page would have been the first, moved on by one.
            self._knows_unit = self._knows_unit or told or (whole and len(new) == len(page.hits))
            yield new
            if not new and not told:
                break
            reached = max(reached, offset + len(page.hits))

    def _again(self) -> Iterator[list[Hit]]:
        """Go through the pages once more: to their end, if events went away."""
        to_the_end, self.outcome.shifted = self.outcome.shifted, False
        received = number = 0
        while to_the_end or not self._all_seen():
            page = self._page(received if self._counts_rows else number)
            yield self._new(page)
            received, number = received + len(page.hits), number + 1
            if not page.hits or received >= (self.outcome.total or 0):
                return

    def _moved_by_rows(self, page: Page) -> bool:
        """Tell whether a page is the one before, moved on by a few rows.

        Most of it must have come before, and not only events of the moment at which the page
        before ended: those may change places from one page to the next.
        """
        again = [hit for hit in page.hits if event_id_of(hit) in self._last_ids]
        moments = {hit.get("timestamp") for hit in again}
        other = None in moments or bool(moments - {self._last_moment})
        return other and len(again) > len(page.hits) // 2

    def _page(self, offset: int) -> Page:
        return self._taken(self._ahead.page(offset, self._following(offset)))

    def _following(self, offset: int) -> Iterable[int]:
        """Return the offsets of the pages after one, as far as they can be foreseen.

        Without a count the last ones may not be there: they are asked for ahead only where
        asking one by one would be slower than the rate limit allows.
        """
        if not self._knows_unit or not (self.outcome.total or self._ahead.is_slow):
            return ()
        step = self._full_page if self._counts_rows else 1
        total = self.outcome.total
        end = (
            None if total is None else total if self._counts_rows else -(-total // self._full_page)
        )
        return itertools.takewhile(
            lambda one: end is None or one < end, itertools.count(offset + step, step)
        )

    def _fetch(self, offset: int, *terms: Term) -> Page:
        query = self._query.narrowed(*terms).at(offset, self._query.count, None)
        form = query.form(account_id=self._account_id)
        return page_in(self._transport.post_form(PATH, form), EVENTS, endpoint=f"POST {PATH}")

    def _taken(self, page: Page) -> Page:
        """Take in what a page says of all events."""
        self.outcome.calls = self._ahead.calls + self._asked
        if page.total_hits is not None and page.total_hits < (self.outcome.total or 0):
            self.outcome.shifted = True
        self.outcome.total = page.total_hits
        self.outcome.unreadable += page.odd_hits
        if page.respelled_ids and not self._has_respelled_ids:
            self._has_respelled_ids = True
            logger.warning("events: ids came as numbers such as 5.0, and are read as 5.")
        return page

    def _new(self, page: Page) -> list[Hit]:
        new = []
        for place, hit in enumerate(page.hits, self._received + 1):
            event_id = event_id_of(hit)
            if event_id is None:
                self.outcome.unreadable += 1
                if self.outcome.unreadable <= MOST_NAMED:
                    logger.warning("events: row %s, %r, has no id.", f"{place:,}", _name_of(hit))
            elif self._seen.add((event_id,)):
                new.append(hit)
            elif isinstance(moment := hit.get("timestamp"), int):
                self._moments.add(moment)  # in its place, another one of this moment may be hidden
        self._received += len(page.hits)
        self._last_ids = {event_id_of(hit) for hit in page.hits}
        self._last_moment = page.hits[-1].get("timestamp") if page.hits else None
        self.outcome.rows = len(self._seen)
        return new

    def _all_seen(self) -> bool:
        total = self.outcome.total
        return total is not None and len(self._seen) + self.outcome.unreadable >= total
