"""Base of the streams that a search endpoint answers, such as `accounts` and `users`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_totango.records import RecordBuilder
from tap_totango.report import Progress
from tap_totango.schema import fields_for, milliseconds_of
from tap_totango.state import REFUSED, Start, canonical
from tap_totango.streams.queried import AttributedStream
from tap_totango.streams.reads import incomplete, unless_refused
from tap_totango.streams.trial import FieldTrial
from totango_api.errors import RefusedError
from totango_api.reading import (
    CREATE_DATE,
    CompleteRead,
    Paging,
    ScrollRead,
    UserPartitions,
    date_keys_of,
    partitioners_of,
)
from totango_api.search import ACCOUNTS, Query, Search
from totango_api.text import calls, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_totango.records import Table
    from tap_totango.schema import Column
    from tap_totango.state import Bookmark
    from totango_api.errors import IncompleteReadError
    from totango_api.reading import Partitioner, ReadResult, RecordBatch
    from totango_api.search import Term


class SearchStream(AttributedStream):
    """A stream of a search endpoint: complete, or reported as incomplete."""

    incremental_on: ClassVar[str | None] = "last_activity_time"
    calls = (
        "one for each 1,000 rows, and 3 to 10 % more to prove that none is missing "
        "([measured](../speed.md)); one for both `accounts` and `users` to discover attributes"
    )

    def tables(self) -> Iterator[Table]:
        """Yield the records of everything that the query and the bookmark ask for.

        Raises:
            TotangoError: If not everything could be read.
        """
        columns, vanished = self.wanted()
        self._say_what_is_undiscovered()
        suspects = {*self.run.known_service.suspect_columns, *self.stream_state.get(REFUSED, ())}
        trial = FieldTrial(self._search(self.searches), columns, suspects)
        query = self._query(columns)
        bookmark = self._bookmark()
        start = self._start(bookmark, query)
        self._version(start)
        builder = None
        with Progress(self.logger, self.name, self.run.client) as progress:
            for batch in self._read(query, start, trial):
                total = self._reading.result.total
                if builder is None:
                    self.log_query(total)
                    builder = self._builder(trial, vanished)
                if batch.hits:
                    yield self._kept(builder.table(batch.hits), start)
                progress.advance(len(batch.hits), total, self.run.client.usage["api"].calls)
                if batch.resume is not None and start.full:
                    bookmark.progressed(start, query, batch.resume)
                    self.run.write_state()
        bookmark.note_refused(trial.refused_kinds)
        self._report(builder or self._builder(trial, vanished))
        self._settle(bookmark, start)

    def _builder(self, trial: FieldTrial, vanished: Sequence[str]) -> RecordBuilder:
        """Return what makes records, once it is known which columns the service refuses."""
        names = [*vanished, *(column.name for column in trial.refused)]
        return RecordBuilder(trial.columns, base=self.base, vanished=names)

    def wanted(self) -> tuple[list[Column], list[str]]:
        """Return the columns to read, and the names of those that no longer exist.

        The date by which a large tenant is read in windows is among them, emitted or not.
        """
        columns, vanished = super().wanted()
        for column in self.columns.values():
            is_key = column.title == CREATE_DATE and column.field is not None
            if is_key and not column.of_parent and column not in columns:
                columns.append(column)
                self._hidden.append(column.name)
        return columns, vanished

    # What is asked for ----------------------------------------------------------------------

    def _query(self, columns: list[Column]) -> Query:
        return Query(
            terms=self._pasted.terms,
            fields=tuple(fields_for(columns)),
            parent_account_fields=tuple(fields_for(columns, of_parent=True)),
            scope=self._pasted.scope,
        )

    def _start(self, bookmark: Bookmark, query: Query) -> Start:
        hours = self.config.get("full_refresh_every_hours")
        start = bookmark.start(
            query,
            every_hours=hours,
            lookback_seconds=self.config.get("lookback_seconds") or 0,
            start_date=self.config.get("start_date"),
            is_discovered=self._is_discovered,
            keeps_columns=self._is_discovered is False and self._knows_columns,
        )
        self.metrics.since = start.since
        self._floor = start.since or canonical(self.config.get("start_date"))
        what = f"from {start.since}" if start.since else "everything"
        self.logger.info("%s: reading %s%s.", self.name, what, " (resumed)" if start.resume else "")
        return start

    def _since_term(self, since: str) -> Term:
        """Return the filter on the replication key: *inferred*, but for its name."""
        column = self.columns[str(self.replication_key)]
        moment = {"gte": milliseconds_of(since)}
        if column.field is not None:
            named = {key: column.field[key] for key in column.field if key in {"type", "attribute"}}
            return {**named, **moment}
        return {"type": "date", "term": column.path[-1], **moment}

    def _kept(self, table: Table, start: Start) -> Table:
        """Return the rows that are wanted: servers may ignore the filter; and keep the greatest."""
        if self.replication_key is None or self.replication_method != "INCREMENTAL":
            return table
        kept = table.at_least(self.replication_key, self._floor, nulls=start.since is None)
        self._greatest = kept.greatest(self.replication_key, self._greatest)
        return kept

    # Reading ----------------------------------------------------------------------------------

    def _read(self, query: Query, start: Start, trial: FieldTrial) -> Iterator[RecordBatch]:
        def whole() -> Iterator[RecordBatch]:
            return self._batches(query, start, trial)

        if start.since is None:
            try:
                yield from whole()
            except RefusedError as error:
                error.remedy = error.remedy or _DESELECT
                raise
            return
        refuses_since = self.searches in self.run.known_service.refuses_since
        if refuses_since and self.replication_key == self.incremental_on:
            self._log_refusal("The profile of probe_path says so.")
            yield from whole()
            return
        narrowed = query.narrowed(self._since_term(start.since))
        filtered = self._batches(narrowed, start, trial, filtered_by=self.replication_key)
        yield from unless_refused(filtered, whole, self._log_refusal)

    def _log_refusal(self, why: object) -> None:
        self.logger.warning(
            "%s: Totango refuses to filter by %s, so everything is read, and older rows are "
            "dropped here. %s",
            self.name,
            self.replication_key,
            why,
        )

    def _batches(
        self, query: Query, start: Start, trial: FieldTrial, *, filtered_by: str | None = None
    ) -> Iterator[RecordBatch]:
        """Read everything; without the computed columns that the service turns out to refuse."""

        def read(trimmed: Query) -> Iterator[RecordBatch]:
            self._reading: CompleteRead | ScrollRead = self._reader(trimmed, start, filtered_by)
            return self._reading.batches()

        yield from trial.batches(query, read)

    def _reader(
        self, query: Query, start: Start, filtered_by: str | None
    ) -> CompleteRead | ScrollRead:
        return CompleteRead(
            self._search(self.searches),
            query,
            date_keys_of(self.searches, query.fields, filtered_by=filtered_by),
            self._partitioners(query),
            self._paging(),
            resume=start.resume,
            hints=self.run.known_service.hints_of(self.searches),
        )

    def _search(self, stream: str) -> Search:
        return Search(self.run.client, stream, team_id=self._team_id())

    def _team_id(self) -> str | None:
        team_id = self.config.get("team_id")
        team_id = self._pasted.team_id if team_id is None else team_id
        team_id = self.run.known_service.team_id if team_id is None else team_id
        return None if team_id is None else str(team_id)

    def _paging(self) -> Paging:
        return Paging(
            page_size=self.run.known_service.rows_of_page(self.config.get("page_size")),
            window=self.run.known_service.window_rows or Paging.window,
            in_flight=self.config.get("max_in_flight") or Paging.in_flight,
        )

    def _partitioners(self, query: Query) -> list[Partitioner]:
        partitions = self.config.get(f"{self.searches}_partitions")
        named: list[Partitioner] = [UserPartitions(partitions)] if partitions else []
        return named + partitioners_of(self.searches, query.fields, self._account_ids)

    def _account_ids(self) -> list[str]:
        """Read the ids of all accounts: users are read by them where nothing else serves.

        Raises:
            IncompleteReadError: If not all accounts could be read.
        """
        self.logger.info("Reading the ids of all accounts, to read their users by.")
        keys, partitioners = date_keys_of(ACCOUNTS, ()), partitioners_of(ACCOUNTS, (), list)
        reading = CompleteRead(
            self._search(ACCOUNTS),
            Query(),
            keys,
            partitioners,
            self._paging(),
            hints=self.run.known_service.hints_of(ACCOUNTS),
        )
        ids = [str(hit["name"]) for batch in reading.batches() for hit in batch.hits]
        if not reading.result.is_complete:
            raise self._incomplete(reading.result)
        return list(dict.fromkeys(ids))

    # Afterwards ---------------------------------------------------------------------------------

    def _report(self, builder: RecordBuilder) -> None:
        result = self._reading.result
        self.metrics.note_result(result)
        self.log_query(result.total)
        self.logger.info(
            "%s: %s of %s in %s (least possible: %s).",
            self.name,
            counted(result.rows, "row"),
            "an unknown total" if result.total is None else result.total,
            calls(result.calls),
            result.least_calls(self._paging().page_size),
        )
        if result.doubled:
            self.logger.warning(
                "%s: %s came more than once in one response; one row of each was read. %s",
                self.name,
                counted(result.doubled, "id"),
                _LOOK_AT_IDS,
            )
        self.log_conversion_errors(builder.conversion_errors)

    def _settle(self, bookmark: Bookmark, start: Start) -> None:
        """Move the bookmark if nothing is missing; say what is missing otherwise.

        Raises:
            IncompleteReadError: If rows are missing, unless the user said to go on.
        """
        if not self._reading.result.is_complete:
            self.go_on_without(self._incomplete(self._reading.result), has_remedy=True)
            return
        bookmark.finished(start, self._greatest, self.run.client.clock.ahead)
        if self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def _incomplete(self, result: ReadResult) -> IncompleteReadError:
        method = " or accounts_method: scroll" if self.searches == ACCOUNTS else ""
        remedy = (
            f"Set {self.searches}_partitions{method}; or on_incomplete: warn to go on without them."
        )
        if self.run.known_service.hints_of(self.searches):
            remedy += _PROBE_AGAIN
        return incomplete(result, remedy)

    @property
    def _is_table(self) -> bool:
        """Whether a full read has every row that the stream ever can have."""
        return not self._pasted.terms and not self.config.get("start_date")

    def _version(self, start: Start) -> None:
        """Give the rows of a full and unfiltered read a table version."""
        is_whole = start.full and self._is_table and self._may_have_version
        self._stream_version = start.version if is_whole else None


_PROBE_AGAIN = " The profile of probe_path may be out of date: probe again, or unset it."
_DESELECT = "If it speaks of a column, deselect it; if of a window, `tap-totango probe` helps."
_LOOK_AT_IDS = "Look at the service's data, or ask Totango's support."
