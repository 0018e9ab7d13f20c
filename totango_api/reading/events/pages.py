"""Fetches pages of event searches, and reads the ids and times of events.

Facts: "Search API (events)". Terms select by type and, from a moment on, by time (`gte`); `lte` is
inferred by analogy.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError, UnavailableError
from totango_api.reading.deduplication import Deduplicator
from totango_api.reading.pages import PROBE_SECONDS
from totango_api.reading.result import ReadResult, plus
from totango_api.redaction import excerpt
from totango_api.search import UnreadableRowLog, page_in, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.http import ApiClient
    from totango_api.search import Hit, Key, Page, Query, Term

logger = logging.getLogger(__name__)

PATH: Final = "/api/v2/events/search"
EVENTS: Final = "events"
FARTHEST: Final = 2**62
"""A number that is farther from 0 is no time."""


def of_types(types: Sequence[str]) -> Term:
    """Return a term that matches events of any of these types."""
    terms = [{"type": "event_property", "name": "event_type", "eq": one} for one in types]
    return terms[0] if len(terms) == 1 else either(*terms)


def either(*terms: Term) -> Term:
    """Return a term that matches events that match any of these."""
    return {"type": "or", "or": list(terms)}


def since(milliseconds: int) -> Term:
    """Return a term that matches events from a moment on."""
    return {"type": "date", "term": "date", "gte": milliseconds}


def until(milliseconds: int) -> Term:
    """Return a term that matches events up to a moment."""
    return {"type": "date", "term": "date", "lte": milliseconds}


def event_id_of(hit: Hit) -> str | None:
    """Return the id of an event."""
    value = hit.get("id")
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def time_of(hit: Hit) -> int | None:
    """Return the time of an event, in epoch milliseconds, given as a number or text."""
    value = hit.get("timestamp")
    moment = value if type(value) is int else whole_number(value)
    return None if moment is None or abs(moment) > FARTHEST else moment


def lacking_on(page: Page) -> int:
    """Return how many events a first page lacks of those that it counts."""
    return max((page.total_hits or 0) - page.rows, 0)


def lacking_behind(page: Page, end: int) -> int:
    """Return how many events are counted behind the end of a page that ends at a place."""
    return max((page.total_hits or 0) - end, 0)


class EventPages:
    """Fetches pages of one query and tells new events from those that came before.

    Args:
        client: Calls the service.
        query: What to read; `count` is the page size.
        account_id: Only this account's events, when given.

    Attributes:
        query: What is read.
        size: Rows on a full page: fewer than asked for where the server has a lower limit.
        counts_rows: Whether an offset counts rows, not pages; None while nobody knows.
        result: The result so far.
    """

    def __init__(self, client: ApiClient, query: Query, account_id: str | None) -> None:
        self._client = client
        self._account_id = account_id
        self._given = Deduplicator(_version_of)
        self._unreadable_rows = UnreadableRowLog(EVENTS, _name_of)
        self._received = 0
        self._unreadable_hits = 0
        self._shares_ids = False
        self.query = query
        self.size = query.count
        self.counts_rows: bool | None = None
        self.result = ReadResult()

    def fetch(
        self,
        *terms: Term,
        offset: int = 0,
        count: int | None = None,
        max_retry_seconds: float | None = None,
    ) -> Page:
        """Fetch one page of the events that match these terms, too.

        Args:
            terms: Beside those of the query.
            offset: A page number, as documented, or a row number.
            count: Rows on the page; the page size if not given.
            max_retry_seconds: Lowers the connection's, for calls that may well be refused.

        Raises:
            ApiError: If the server does not answer with events.
        """
        self.result.calls += 1
        query = self.query.narrowed(*terms).at(offset, count or self.query.count, None)
        form = query.form(account_id=self._account_id)
        decoded = self._client.post_form(PATH, form, max_retry_seconds=max_retry_seconds)
        return page_in(decoded, EVENTS, endpoint=f"POST {PATH}", key=event_key_of)

    def behind(self) -> Page | None:
        """Fetch the row that stands behind as many as came; None where that is refused.

        One row at an offset is the same, whether offsets count rows or pages.

        Raises:
            ApiError: If the server does not answer.
        """
        try:
            return self.fetch(offset=self.known, count=1, max_retry_seconds=PROBE_SECONDS)
        except (RefusedError, UnavailableError):
            return None

    @property
    def known(self) -> int:
        """Different events that came so far."""
        return len(self._given) + self._given.keyless

    def learn_size(self, page: Page) -> None:
        """Learn from a first page how many rows the server gives at once."""
        rows = page.rows
        self.result.total = page.total_hits
        if 0 < rows < self.size and page.total_hits != rows:
            self.size = rows

    def new(self, page: Page) -> list[Hit]:
        """Take in a page; return its events that did not come before, or have moved on since."""
        self.size = max(self.size, page.rows)
        self._unreadable_hits += page.unreadable_hits
        self._unreadable_rows.log(page, self._received)
        self._warn_of_shared_ids(page)
        new = self._given.new(page).hits
        self._received += page.rows
        self.result.rows = len(self._given)
        self.result.unreadable = self._given.keyless + self._unreadable_hits
        return new

    def note_missing(self, rows: int | None) -> None:
        """Note how many more events are there and could not be had; None if nobody knows."""
        self.result.missing = plus(self.result.missing, rows)

    def close(self) -> None:
        """Forget the events."""
        self._given.close()

    def _warn_of_shared_ids(self, page: Page) -> None:
        keys = [key for key in page.keys if key is not None]
        if len(set(keys)) < len(keys) and not self._shares_ids:
            self._shares_ids = True
            logger.warning("events: some have the same id; of these, the newest counts.")


def event_key_of(hit: Hit) -> Key | None:
    """Return (id,) of an event; None when it is missing."""
    event_id = event_id_of(hit)
    return None if event_id is None else (event_id,)


def _version_of(hit: Hit) -> int:
    """Return what is greater for a later version of an event, where an edit moves its time."""
    return time_of(hit) or 0


def _name_of(hit: Hit) -> str:
    """Return what an event is called in a log: its type, and the account that it is about."""
    account = hit.get("account")
    name = account.get("display_name") if isinstance(account, dict) else None
    return excerpt(f"{hit.get('type') or 'event'} of {name or 'an unnamed account'}")
