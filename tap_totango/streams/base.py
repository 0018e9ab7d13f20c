"""Base of all streams: writes records and state, and notes failures."""

from __future__ import annotations

import functools
from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk import singerlib as singer
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_totango.records import RecordEncoder, is_identity
from tap_totango.state import PART
from tap_totango.streams.catalog_stream import CatalogStream
from tap_totango.streams.checks import map_error
from totango_api.errors import SettingsError, TotangoError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from singer_sdk.helpers import types

    from tap_totango.records import Table
    from tap_totango.report import StreamMetrics
    from totango_api.errors import IncompleteReadError


class TotangoStream(CatalogStream):
    """A stream that writes its records a table at a time.

    Bookmarks are this package's own (:mod:`tap_totango.state`): the SDK's would move for an
    incomplete read, and backwards when a server ignores a filter.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    _extracted_at = datetime.min.replace(tzinfo=UTC)

    # Reading ------------------------------------------------------------------------------

    @abstractmethod
    def tables(self) -> Iterator[Table]:
        """Yield records, and keep the state up to date between them.

        Raises:
            TotangoError: If not everything could be read.
        """

    def get_records(self, context: types.Context | None) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        """Yield records one by one."""
        for table in self._emitted():
            yield from table.records()

    def _emitted(self) -> Iterator[Table]:
        """Yield records without the columns that nobody selected; a single one for `--test`."""
        by = next(
            (name for name in ("account_id", *reversed(self.keys)) if name in self.columns), ""
        )
        if not by and self.run.part is not None:
            msg = f"{self.name} has neither an account nor a key, so it has no parts."
            raise SettingsError(msg, remedy="Set its key, or read it in a run without part.")
        most = self.ABORT_AT_RECORD_COUNT
        for table in self.tables():
            self._extracted_at = datetime.now(UTC)
            own = table if self.run.part is None else table.part(by, self.run.part)
            shown = own.without(self._hidden) if self._hidden else own
            if most is None:
                yield shown
            elif len(shown):
                yield shown.first(most)
                return

    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        """Write records; a failure is noted, so that the other streams are still read.

        Overrides the SDK's own loop, which has no place for either, nor for bookmarks that
        move only when a read is complete.
        """
        try:
            with self.get_record_counter() as counter, self.get_sync_timer():
                self._check_part()
                self._remember_columns()
                if write_messages:
                    self.metrics.understood = self.understood()
                    for table in self._emitted():
                        self._write(table)
                        counter.increment(len(table))
                        self.metrics.received += len(table)
                    self.metrics.is_done = True
                else:
                    for record in self.get_records(context):
                        counter.increment()
                        yield record
        except TotangoError as error:
            self.run.fail(self.name, error)
        self.run.write_state()

    @functools.cached_property
    def metrics(self) -> StreamMetrics:
        """The counts of this stream, for the report of the run."""
        return self.run.report.stream(self.name)

    def understood(self) -> list[str]:
        """Return lines for the report of the run: which columns are read, and which rows."""
        names = [name for name in self.columns if self._emits(name) and name not in self._hidden]
        return [f"{counted(len(names), 'column')}: {', '.join(names)}."]

    def _check_part(self) -> None:
        """Keep in the state which part was read.

        Raises:
            SettingsError: If the state is that of another part.
        """
        own = None if self.run.part is None else str(self.run.part)
        before = self.stream_state.get(PART) if self.stream_state else own
        if before != own:
            msg = f"The state is that of part {before or '1/1'}, and not of part {own or '1/1'}."
            raise SettingsError(msg, remedy="Give each part a state of its own.")
        if own is not None:
            self.stream_state[PART] = own

    def _write(self, table: Table) -> None:
        """Write the RECORD messages of a table.

        Where the SDK has something to do for each record, its messages are made one by one.
        """
        if is_identity(self.stream_maps):
            self.run.writer.write_lines(self._encoder.lines(table, self._extracted_at))
            return
        for record in table.records():
            self._write_record_message(record)

    @functools.cached_property
    def _encoder(self) -> RecordEncoder:
        return RecordEncoder(self.name, self._stream_version)

    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[singer.RecordMessage, None, None]:
        """Make messages of a record that already is as its schema says.

        Overrides the SDK's, which would convert and prune every record once more.

        Raises:
            SettingsError: If a stream map fails at the record.
        """
        for stream_map in self.stream_maps:
            try:
                mapped = stream_map.transform(record)
            except Exception as error:  # noqa: BLE001 (of an expression of the user's)
                raise map_error(error, self.name) from None
            if mapped is not None:
                yield singer.RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=self._extracted_at,
                )

    def go_on_without(self, error: IncompleteReadError, *, has_remedy: bool = False) -> None:
        """Log what is missing, where `on_incomplete` is `warn`.

        Args:
            error: What is missing.
            has_remedy: Whether its remedy says more than how to go on.

        Raises:
            IncompleteReadError: If they did not.
        """
        if self.config.get("on_incomplete") != "warn":
            raise error
        stays = " The bookmark stays where it was." if self.incremental_on else ""
        said = str(error) if has_remedy else error.message
        self.logger.warning("%s: %s%s", self.name, said, stays)
        self.metrics.failure = said

    @property
    def _may_have_version(self) -> bool:
        """Whether rows may get a table version: those of a part are never all."""
        emits = self.config.get("emit_activate_version_messages", True)
        return bool(emits) and self.run.part is None

    def log_conversion_errors(self, counts: Mapping[str, int]) -> None:
        """Say how many values did not fit their columns."""
        self.metrics.conversions.update(counts)
        for name, count in sorted(counts.items()):
            self.logger.warning(
                "%s: %s of %s did not fit, and went to _extra as received.",
                self.name,
                counted(count, "value"),
                name,
            )

    # The SDK's own bookmarks are not used ---------------------------------------------------

    def get_replication_key_signpost(self, context: types.Context | None = None) -> None:  # noqa: ARG002
        """Return nothing: bookmarks never pass the start of a run by our own rule."""
        return

    def _increment_stream_state(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: bookmarks move when a read is complete."""

    @property
    def emit_activate_version_messages(self) -> bool:
        """Tell the SDK no: it would send the message before the first record."""
        return False
