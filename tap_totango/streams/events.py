"""The stream `events`: the whole service's, never one call for each account."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_totango.progress import Progress
from tap_totango.records import RecordBuilder
from tap_totango.schema import BOOLEAN, OBJECT, TEXT, TIMESTAMP, Column, milliseconds_of
from tap_totango.streams.queried import QueriedStream
from totango_api.errors import IncompleteReadError, RefusedError
from totango_api.limits import PAGE_ROWS
from totango_api.reading.events import EventsRead, of_types, since
from totango_api.reading.paginator import Paging
from totango_api.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap

    from tap_totango.records import Table
    from tap_totango.state import Start
    from tap_totango.streams.context import StreamContext


class EventsStream(QueriedStream):
    """Events: touchpoints, tasks, alerts, campaign touches; by `event_id`."""

    name = "events"
    selected_by_default = False
    keys: ClassVar[tuple[str, ...]] = ("event_id",)
    incremental_on = "timestamp"
    base = (
        Column("event_id", TEXT, "Event ID", ("id",)),
        Column("timestamp", TIMESTAMP, "Time of the event", ("timestamp",)),
        Column("type", TEXT, "Event type", ("type",)),
        Column("account_id", TEXT, "Account ID", ("account", "id")),
        Column("account_name", TEXT, "Account name", ("account", "display_name")),
        Column("is_new", BOOLEAN, "New", ("is_new",)),
        Column("note_content", OBJECT, "Touchpoint", ("note_content",)),
        Column("task_content", OBJECT, "Task", ("task_content",)),
        Column("alert_content", OBJECT, "Alert", ("alert_content",)),
        Column("campaign_content", OBJECT, "Campaign touch", ("campaign_content",)),
        Column("properties", OBJECT, "Properties", ("properties",)),
    )

    def __init__(self, tap: Tap, context: StreamContext) -> None:
        super().__init__(tap, context)
        self._complete = True

    def tables(self) -> Iterator[Table]:
        """Yield the records of all events from the bookmark on.

        Raises:
            TotangoError: If not everything could be read.
        """
        columns, vanished = self.wanted()
        builder = RecordBuilder(columns, base=self.base, vanished=vanished)
        bookmark = self._bookmark()
        start = bookmark.start(
            self._query(None),
            every_hours=None,
            lookback_seconds=self.config.get("lookback_seconds") or 0,
            start_date=self.config.get("start_date"),
        )
        self.logger.info("events: reading %s.", start.since or "everything")
        for account_id in self.config.get("account_ids") or [self._pasted.account_id]:
            yield from self._read(account_id, builder, start)
        self.log_conversion_errors(builder.conversion_errors)
        if self._complete:
            bookmark.finished(start, self._greatest)

    def _read(
        self, account_id: str | None, builder: RecordBuilder, start: Start
    ) -> Iterator[Table]:
        started = False
        try:
            reading = self._reading(self._query(start), account_id)
            for rows in self._of_account(reading, builder, start):
                started = True
                yield rows
        except RefusedError as error:
            if started or start.since is None:
                raise
            self.logger.warning(
                "events: Totango refuses to filter by time, so everything is read, and older "
                "rows are dropped here. %s",
                error,
            )
            reading = self._reading(self._query(None), account_id)
            yield from self._of_account(reading, builder, start)

    def _reading(self, query: Query, account_id: str | None) -> EventsRead:
        in_flight = self.config.get("max_in_flight") or Paging.in_flight
        return EventsRead(self.run.client, query, account_id=account_id, in_flight=in_flight)

    def _query(self, start: Start | None) -> Query:
        size = self.config.get("page_size") or PAGE_ROWS
        query = Query(terms=self._pasted.terms, count=size, sort_order=None)
        if types := self.config.get("event_types"):
            query = query.narrowed(of_types(types))
        if start is not None and start.since is not None:
            query = query.narrowed(since(milliseconds_of(start.since)))
        return query

    def _of_account(
        self, reading: EventsRead, builder: RecordBuilder, start: Start
    ) -> Iterator[Table]:
        progress = Progress(self.logger, self.name)
        for hits in reading.batches():
            self.log_query(reading.outcome.total)
            if hits:
                yield self._kept(builder.table(hits), start)
            progress.advance(len(hits), reading.outcome.total, reading.outcome.calls)
        progress.close()
        outcome = reading.outcome
        self.log_query(outcome.total)
        missing = max((outcome.total or 0) - outcome.rows - outcome.unreadable, 0)
        self.logger.info("events: %s rows in %s calls.", outcome.rows, outcome.calls)
        if not (missing or outcome.unreadable or outcome.shifted):
            return
        self._complete = False
        msg = f"{missing} rows could not be read, {outcome.unreadable} have no id."
        if not (missing or outcome.unreadable):
            msg = "Rows moved while others were read, and some may have been passed over."
        if self.config.get("on_incomplete") != "warn":
            raise IncompleteReadError(
                msg, missing=missing, remedy="Set on_incomplete: warn to go on without them."
            )
        self.logger.warning("events: %s The bookmark stays where it was.", msg)

    def _kept(self, table: Table, start: Start) -> Table:
        """Return the events that are wanted: servers may ignore the filter."""
        kept = table.at_least("timestamp", start.since, nulls=start.since is None)
        self._greatest = kept.greatest("timestamp", self._greatest)
        return kept
