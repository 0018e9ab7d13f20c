"""What all streams of the tap have in common: how records, state and failures go out."""

from __future__ import annotations

import functools
from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk import singerlib as singer
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Schema

from tap_totango.records import RecordEncoder, is_identity
from tap_totango.schema import (
    EXTRA,
    NARROW,
    Column,
    KnownColumns,
    fitted,
    name_columns,
    remember,
    schema_of,
)
from tap_totango.state import COLUMNS, PART
from tap_totango.streams.maps import map_error
from totango_api.errors import InputError, SettingsError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers import types
    from singer_sdk.singerlib import Catalog, CatalogEntry

    from tap_totango.records import Table
    from tap_totango.streams.context import StreamContext


class TotangoStream(Stream):
    """A stream whose columns are known when the tap starts.

    Bookmarks are this package's own (:mod:`tap_totango.state`): the SDK's would move for an
    incomplete read, and backwards when a server ignores a filter.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    keys: ClassVar[tuple[str, ...]] = ()
    incremental_on: ClassVar[str | None] = None
    base: ClassVar[tuple[Column, ...]] = ()

    def __init__(self, tap: Tap, context: StreamContext, columns: Sequence[Column] = ()) -> None:
        """Make a stream.

        Args:
            tap: The SDK's part of the tap.
            context: What all streams share.
            columns: Beside the base columns; without names.
        """
        self.run = context
        self._known: KnownColumns = context.known_columns[self.name]
        taken = {*(column.name for column in self.base), EXTRA}
        self._named = name_columns(columns, context.naming, self._known, taken=taken)
        self.columns = {column.name: column for column in (*self.base, *self._named.columns)}
        columns = tuple(self.columns.values())
        schema = schema_of(columns, keys=self.keys, is_narrow=self.has_core_columns_only)
        super().__init__(tap, schema=schema)
        self.primary_keys = self.keys
        self.replication_key = self.incremental_on
        self._extracted_at = datetime.now(UTC)
        self._hidden: list[str] = []

    # Catalog ------------------------------------------------------------------------------

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over a catalog; keys that it leaves out stay as they are.

        Raises:
            InputError: If it asks for a replication key that is no date of this stream.
        """
        super().apply_catalog(catalog)
        if catalog.get_stream(self.name) is None:
            return
        properties = self.effective_schema["properties"]
        for column in self._named.columns:
            if column.name not in properties:
                continue
            if self._known.title(column.name) in {None, column.title}:
                self.columns[column.name] = fitted(column, properties[column.name])
            else:  # the name stands for something else than when the catalog was discovered
                properties[column.name] = column.schema
        self.primary_keys = self.primary_keys or self.keys
        self.replication_key = self.replication_key or self.incremental_on
        if self.replication_key is not None and not self._is_date(self.replication_key):
            msg = (
                f"The catalog makes {self.replication_key!r} the replication key of {self.name}, "
                "which is no date column of it."
            )
            raise InputError(msg, remedy="Choose a date column, or leave the key out.")

    @property
    def _singer_catalog_entry(self) -> CatalogEntry:
        """The stream as it is read: with the schema of the catalog, and always with keys."""
        entry = super()._singer_catalog_entry
        entry.schema = Schema.from_dict(self.effective_schema)
        return entry

    @property
    def metadata(self) -> singer.MetadataMapping:
        """What the catalog says of the stream and its columns; optional ones are not selected."""
        is_new = self._metadata is None
        metadata = super().metadata
        entry = self._tap_input_catalog and self._tap_input_catalog.get_stream(self.tap_stream_id)
        if is_new and not entry:
            for name, column in self.columns.items():
                if column.is_optional:
                    metadata["properties", name].selected_by_default = False
        return metadata

    def _is_date(self, name: str) -> bool:
        catalogued = (self._input_schema or {}).get("properties", {}).get(name, {})
        known = self.columns[name].schema if name in self.columns else catalogued
        return known.get("format") == "date-time"

    def catalogued(self) -> Mapping[str, Any]:
        """Return the columns that the catalog has, or all if there is none."""
        properties: Mapping[str, Any] = self.effective_schema["properties"]
        return properties

    def wanted(self) -> tuple[list[Column], list[str]]:
        """Return the columns to read, and the names of those that no longer exist.

        Both are said once.
        """
        catalogued = self.catalogued()
        known = {*self.columns, EXTRA}
        new = sorted(known - catalogued.keys())
        gone = sorted(catalogued.keys() - known)
        if new:
            self.logger.warning(
                "%s: %s columns are not in the catalog, and not read: %s. Discover again to "
                "have them.",
                self.name,
                len(new),
                ", ".join(new),
            )
        columns = [one for name, one in self.columns.items() if self._reads(name, catalogued)]
        self._hidden = [one.name for one in columns if not self._emits(one.name)]
        self._hidden += [EXTRA] * (not self._emits(EXTRA))
        vanished = [name for name in gone if self.is_selected(name)]
        if vanished:
            self.logger.warning(
                "%s: columns of the catalog that Totango no longer has are null: %s.",
                self.name,
                ", ".join(vanished),
            )
        return columns, vanished

    def _reads(self, name: str, catalogued: Mapping[str, Any]) -> bool:
        automatic = name in self.keys or name == self.replication_key
        return automatic or (name in catalogued and self.is_selected(name))

    def is_selected(self, name: str) -> bool:
        """Tell whether a column is selected."""
        return bool(self.mask.get(("properties", name), True))

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
        """Yield records without the columns that nobody selected."""
        by = "account_id" if "account_id" in self.columns else self.keys[-1]
        for table in self.tables():
            self._extracted_at = datetime.now(UTC)
            own = table if self.run.part is None else table.part(by, self.run.part)
            yield own.without(self._hidden) if self._hidden else own

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
                    for table in self._emitted():
                        self._write(table)
                        counter.increment(len(table))
                else:
                    for index, record in enumerate(self.get_records(context)):
                        self._check_max_record_limit(current_record_index=index)
                        counter.increment()
                        yield record
        except TotangoError as error:
            self.run.fail(self.name, error)
        self.run.write_state()

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

    def _remember_columns(self) -> None:
        """Keep the names of columns in the state before any record is written under them."""
        if not self._named.columns:
            return
        if self._known.remembered:
            for column in self._named.numbered:
                self.logger.warning(
                    "%s: %s is new, and its column is called %s: its own name belongs to another.",
                    self.name,
                    column.identity,
                    column.name,
                )
        names = remember(self._known, self._named.columns, is_whole=self.has_whole_columns)
        self.stream_state.setdefault(COLUMNS, {})[self.run.naming.key] = names
        self.run.write_state()

    @property
    def has_whole_columns(self) -> bool:
        """Whether these are all the columns that the service has."""
        return True

    @property
    def has_core_columns_only(self) -> bool:
        """Whether nobody knows which columns the service has beside those that all have."""
        return False

    def lost_columns(self) -> list[str]:
        """Return columns of earlier runs that the catalog lacks because it was made of too little.

        Whether the user wants them cannot be told from it.
        """
        schema = self.effective_schema
        if schema.get("description") != NARROW or self.has_core_columns_only:
            return []
        known = self._known.remembered.items()
        live = [name for name, one in known if one.kind is not None]
        return [name for name in live if name not in schema["properties"]]

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

    def _generate_schema_messages(self) -> Generator[singer.SchemaMessage, None, None]:
        """Say of columns that nobody can write them: the SDK's own schemas cannot hold that."""
        for message in super()._generate_schema_messages():
            properties = message.schema["properties"]
            for name, column in self.columns.items():
                if column.is_read_only and name in properties:
                    properties[name] = {**properties[name], "readOnly": True}
            yield message

    def _emits(self, name: str) -> bool:
        return name in self.keys or (name in self.catalogued() and self.is_selected(name))

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
