"""Base of the streams made of events, all of which one read serves."""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from tap_totango.records import RecordBuilder
from tap_totango.schema import TEXT, TIMESTAMP, Column
from tap_totango.streams.queried import QueriedStream
from totango_api.errors import IncompleteReadError
from totango_api.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_totango.records import Table
    from tap_totango.state import Bookmark, Start
    from totango_api.http import ApiClient
    from totango_api.search import Hit, PastedQuery

_DAY_SECONDS = 86_400

EVENT_COLUMNS = (
    Column("event_id", TEXT, "Event ID", ("id",)),
    Column("timestamp", TIMESTAMP, "Time of the event", ("timestamp",)),
    Column("account_id", TEXT, "Account ID", ("account", "id")),
    Column("account_name", TEXT, "Account name", ("account", "display_name")),
)
"""What all events have."""


class EventView(QueriedStream):
    """A stream made of events, by `event_id`."""

    selected_by_default = False
    keys: ClassVar[tuple[str, ...]] = ("event_id",)
    incremental_on = "timestamp"
    event_types: ClassVar[tuple[str, ...]] = ()
    calls = "one for each 1,000 events, in one read for all streams made of events"

    @property
    def query_setting(self) -> str:
        """The setting that holds the user's own query."""
        return "events_query"

    @property
    def types(self) -> Sequence[str]:
        """Of which types its events are; none where of any."""
        return self.event_types

    @functools.cached_property
    def start(self) -> Start:
        """What this run reads: from days before the bookmark, since events are back-dated."""
        days = self.config.get("events_lookback_days") or 0
        seconds = max(days * _DAY_SECONDS, self.config.get("lookback_seconds") or 0)
        return self._own_bookmark.start(
            Query(terms=self.pasted.terms),
            every_hours=self.config.get("full_refresh_every_hours"),
            lookback_seconds=seconds,
            start_date=self.config.get("start_date"),
        )

    @functools.cached_property
    def _own_bookmark(self) -> Bookmark:
        return self._bookmark()

    @property
    def client(self) -> ApiClient:
        """Calls the service."""
        return self.run.client

    @property
    def pasted(self) -> PastedQuery:
        """The user's own query."""
        return self._pasted

    def chosen(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the events that it wants."""
        if not self.types:
            return list(hits)
        return [hit for hit in hits if hit.get("type") in self.types]

    def prepared(self, hit: Hit) -> Hit:
        """Return an event with what its columns are made of."""
        return hit

    def tables(self) -> Iterator[Table]:
        """Yield the records of its events.

        Raises:
            TotangoError: If not everything could be read.
        """
        columns, vanished = self.wanted()
        builder = RecordBuilder(columns, base=self.base, vanished=vanished)
        start = self.start
        self.metrics.since = start.since
        self._stream_version = start.version if self._is_whole(start) else None
        streams = self._tap.streams.values()
        views = [one for one in streams if isinstance(one, EventView) and one.selected]
        try:
            for hits in self.run.events.pages(self, views):
                table = builder.table([self.prepared(hit) for hit in hits])
                kept = table.at_least("timestamp", start.since, nulls=start.since is None)
                self._greatest = kept.greatest("timestamp", self._greatest)
                yield from self.taken(kept)
            yield from self.rest()
        except IncompleteReadError as error:
            self.log_conversion_errors(builder.conversion_errors)
            self.go_on_without(error)
            with suppress(IncompleteReadError):
                yield from self.rest()
            return
        self.log_conversion_errors(builder.conversion_errors)
        self._own_bookmark.finished(start, self._greatest, self.run.client.clock.ahead)
        if self.run.events.leaves_newer:
            self.logger.info(
                "%s: more came than could be read. What was edited meanwhile comes with the next "
                "run, and until then no row is taken to be gone.",
                self.name,
            )
        elif self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def taken(self, table: Table) -> Iterator[Table]:
        """Yield what is made of some events."""
        yield table

    def rest(self) -> Iterator[Table]:
        """Yield what is made of all events, once they were read.

        Raises:
            IncompleteReadError: If some could not be used.
        """
        yield from ()

    def _is_whole(self, start: Start) -> bool:
        """Return whether its rows are all that there are, and so get a table version."""
        is_narrowed = bool(self.pasted.terms or self.pasted.account_id)
        is_narrowed = is_narrowed or tuple(self.types) != self.event_types
        is_narrowed = is_narrowed or any(map(self.config.get, ("start_date", "account_ids")))
        return start.full and not is_narrowed and self._may_have_version
