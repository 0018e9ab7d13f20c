"""Base of all streams: names the columns, and applies a catalog to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from singer_sdk import Stream
from singer_sdk import singerlib as singer
from singer_sdk.singerlib import CatalogEntry, Schema

from tap_totango.schema import (
    EXTRA,
    NARROW,
    Column,
    KnownColumns,
    fitted,
    name_columns,
    nullable,
    remember,
    retyped,
    schema_of,
)
from tap_totango.state import COLUMNS
from totango_api.errors import InputError, TotangoError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from typing import Any

    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from tap_totango.streams.context import StreamContext


class CatalogStream(Stream):
    """A stream whose columns are known when the tap starts: named, and selected by a catalog."""

    keys: ClassVar[tuple[str, ...]] = ()
    incremental_on: ClassVar[str | None] = None
    base: ClassVar[tuple[Column, ...]] = ()
    calls: ClassVar[str] = ""  # what it costs, for its page of the documentation
    failure: TotangoError | None = None  # why nothing can be known of the stream

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
        self._hidden: list[str] = []

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
        for name, schema in properties.items():
            if name not in self.keys:
                properties[name] = nullable(schema)
        for key in self.keys:  # rows have them, whatever else the catalog leaves out
            properties.setdefault(key, self.schema["properties"][key])
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
        return CatalogEntry(
            tap_stream_id=self.tap_stream_id,
            stream=self.name,
            schema=Schema.from_dict(self.effective_schema),
            metadata=self.metadata,
            key_properties=self.primary_keys or [],
            replication_key=self.replication_key,
            replication_method=self.replication_method,
        )

    @property
    def metadata(self) -> singer.MetadataMapping:
        """Catalog metadata of the stream and its columns; optional ones are not selected."""
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
                "%s: %s not in the catalog, and not read: %s. Discover again to have more.",
                self.name,
                counted(len(new), "column"),
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
        """Return whether a column is selected."""
        return bool(self.mask.get(("properties", name), True))

    def _emits(self, name: str) -> bool:
        return name in self.keys or (name in self.catalogued() and self.is_selected(name))

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
            for column, before in retyped(self._known, self._named.columns):
                self.logger.warning(
                    "%s: Totango has changed %s from %s to %s. Its column %s holds %s.",
                    self.name,
                    column.identity,
                    before,
                    column.kind,
                    column.name,
                    self.columns[column.name].kind,
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

    def check_catalog(self) -> None:
        """Refuse a catalog that lacks columns because the service did not name its attributes.

        Raises:
            InputError: If earlier runs wrote some of them: the catalog does not say whether the
                user wants them.
        """
        schema = self.effective_schema
        if schema.get("description") != NARROW or self.has_core_columns_only:
            return
        known = self._known.remembered.items()
        live = [name for name, one in known if one.kind is not None]
        if lost := [name for name in live if name not in schema["properties"]]:
            msg = (
                "The catalog was discovered while Totango did not name its attributes, and lacks "
                f"columns that earlier runs have written: {', '.join(lost)}."
            )
            raise InputError(msg, remedy="Discover again.")

    def _generate_schema_messages(self) -> Generator[singer.SchemaMessage, None, None]:
        """Say of columns that nobody can write them: the SDK's own schemas cannot hold that."""
        for message in super()._generate_schema_messages():
            properties = message.schema["properties"]
            for name, column in self.columns.items():
                if column.is_read_only and name in properties:
                    properties[name] = {**properties[name], "readOnly": True}
            yield message
