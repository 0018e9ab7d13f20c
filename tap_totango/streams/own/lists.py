"""Streams of the user's own: any list that a request reads, with columns found by looking."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from singer_sdk.singerlib import Catalog

from tap_totango.records import RecordBuilder
from tap_totango.report import Progress
from tap_totango.schema import (
    EXTRA,
    NARROW,
    TEXT,
    VALUES,
    Column,
    NamedColumns,
    columns_of_rows,
    common_kind,
    kind_of_values,
    names_in,
)
from tap_totango.streams.lists.base import ListedStream
from totango_api.errors import IncompleteReadError, SettingsError, TotangoError
from totango_api.limits import PAGE_ROWS
from totango_api.reading import ListRead
from totango_api.text import calls, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import ClassVar

    from singer_sdk import Tap

    from tap_totango.own_requests import OwnRequest
    from tap_totango.records import Table
    from tap_totango.schema import SeenColumns
    from tap_totango.streams.context import StreamContext
    from totango_api.search import ListPage, Row


class OwnListStream(ListedStream):
    """A list that a request of the user's own reads.

    Its columns are those of the first page and of earlier runs. A value that its column cannot hold
    makes the column wider, and the schema is written again before it.
    """

    selected_by_default = True
    own: ClassVar[OwnRequest]

    def __init__(self, tap: Tap, context: StreamContext) -> None:
        self._unknown: set[str] = set()
        self._errors: Counter[str] = Counter()
        size = tap.config.get("page_size") or PAGE_ROWS
        own = self.own
        self._reading = ListRead(
            context.client, own.request, own.parameters, place=own.rows, page_size=size
        )
        self._first = self._first_page(tap)
        columns = self._seen_columns(context)
        type(self).base, type(self).keys = columns.base, columns.keys
        super().__init__(tap, context, columns.others)

    # Columns ------------------------------------------------------------------------------------

    def _first_page(self, tap: Tap) -> ListPage | None:
        """Return the first page; None if it cannot be had, or nobody wants it."""
        catalog = tap.input_catalog
        entry = catalog.get_stream(self.name) if catalog else None
        if catalog and (entry is None or entry.metadata.root.selected is False):
            return None
        try:
            return self._reading.first()
        except TotangoError as error:
            self.failure = error
            return None

    def _seen_columns(self, context: StreamContext) -> SeenColumns:
        """Return the columns of the first page and of earlier runs."""
        rows = [] if self._first is None else self._first.rows
        search, known = self.own.request.search, context.known_columns[self.name]
        find = functools.partial(
            columns_of_rows, key=self.own.key, search=search, known=known, naming=context.naming
        )
        try:
            return find(rows)
        except SettingsError as error:
            msg = f"{self.own.setting}: {error.message}"
            self.failure = SettingsError(msg, remedy=error.remedy)
            return find(())

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over a catalog, but for types that hold less than the rows seen."""
        seen = dict(self.columns)
        super().apply_catalog(catalog)
        if self._input_schema is None:
            self.logger.warning(
                "%s is not in the catalog, and not read: discover again to have it.", self.name
            )
            return
        if self._input_schema.get("description") == NARROW:
            self._input_schema = None  # made when the request failed: nobody has chosen columns yet
            return
        for name, column in seen.items():
            if name in self._input_schema["properties"] and name not in self.keys:
                self._set_kind(name, common_kind(self.columns[name].kind, column.kind) or TEXT)

    @property
    def has_core_columns_only(self) -> bool:
        """Whether the columns are not known, since the first page could not be had."""
        return self.failure is not None

    def check_catalog(self) -> None:
        """Refuse to go on where the first page could not be had.

        Raises:
            TotangoError: If it could not.
        """
        if self.failure is not None:
            raise self.failure

    def _set_kind(self, name: str, kind: str) -> None:
        self.columns[name] = replace(self.columns[name], kind=kind)
        self.effective_schema["properties"][name] = self.columns[name].schema

    # Reading ------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Sequence[Row]]:
        """Yield rows a page at a time.

        Raises:
            TotangoError: If the service does not give them.
        """
        self.check_catalog()
        first, self._first = self._first, None
        paths = [column.path for column in self.base if column.name in self.keys]
        yield from self._reading.pages(paths, first)

    def tables(self) -> Iterator[Table]:
        """Yield the records of all rows.

        Raises:
            TotangoError: If not everything could be read.
        """
        _, vanished = self.wanted()
        self._say_what_has_no_key()
        self._stream_version = self._new_version()
        builder = self._builder(vanished)
        with Progress(self.logger, self.name, self.run.client) as progress:
            for rows in self._explained():
                if self._widen(rows):
                    self._write_wider_schema()
                    builder = self._builder(vanished)
                if rows:
                    yield builder.table(rows)
                progress.advance(len(rows), self._reading.result.total, self._reading.result.calls)
        self.log_conversion_errors(self._errors)
        self._settle()

    def _builder(self, vanished: Sequence[str]) -> RecordBuilder:
        catalogued = self.catalogued()
        columns = [one for name, one in self.columns.items() if self._reads(name, catalogued)]
        base = [column for column in self.columns.values() if column.path]
        builder = RecordBuilder(columns, base=base, vanished=vanished)
        builder.conversion_errors = self._errors
        return builder

    def _widen(self, rows: Sequence[Row]) -> bool:
        """Make columns hold the values of a page; return whether any changed."""
        before = dict(self.columns)
        by_title = {one.path[0]: one for one in before.values() if one.path}
        values = {VALUES} if any(one.field for one in before.values()) else set()
        for title in names_in(rows):
            column = by_title.get(title)
            if column is None and title not in values:
                self._add(title, rows)
            elif column is not None and column.name not in self.keys and len(column.path) == 1:
                self._hold(column, rows)
        return self.columns != before

    def _hold(self, column: Column, rows: Sequence[Row]) -> None:
        """Make a column hold the values of a page."""
        values = (row.get(column.title) for row in rows)
        kind = kind_of_values(values, column.kind) or TEXT
        if kind != column.kind:
            self.logger.warning(
                "%s: %s is no %s any more, and becomes wider: %s.",
                self.name,
                column.name,
                column.kind,
                kind,
            )
            self._set_kind(column.name, kind)

    def _add(self, title: str, rows: Sequence[Row]) -> None:
        """Make a column of what the first page did not have, unless a catalog names them all."""
        if title in self._unknown:
            return
        self._unknown.add(title)
        if self._input_schema is not None:
            self.logger.warning(
                "%s: %s is on a later page only, and in no column of the catalog: it is in _extra.",
                self.name,
                title,
            )
            return
        used = {name.casefold() for name in (*self.columns, EXTRA)}
        name = self.run.naming.free(self.run.naming.wanted(title), used)
        kind = kind_of_values(row.get(title) for row in rows) or TEXT
        column = Column(name, kind, title, (title,))
        self.logger.warning("%s: %s is on a later page only; its column is new.", self.name, name)
        self._named = NamedColumns([*self._named.columns, column], self._named.numbered)
        self.columns[name] = column
        self.effective_schema["properties"][name] = column.schema

    def _write_wider_schema(self) -> None:
        """Write the schema as it is now, and remember the kinds of its columns."""
        kinds = self.columns
        named = [kinds.get(one.name, one) for one in self._named.columns]
        self._named = NamedColumns(named, ())
        self._tap.mapper.register_raw_streams_from_catalog(
            Catalog({self.name: self._singer_catalog_entry})
        )
        self._stream_maps = None
        self._write_schema_message()
        self._remember_columns()

    def understood(self) -> list[str]:
        """Return what is asked for, for the report: the call, without what it sends."""
        return [
            *super().understood(),
            f"The request of {self.own.setting}: {self.own.request.endpoint}.",
        ]

    # Afterwards ---------------------------------------------------------------------------------

    def _say_what_has_no_key(self) -> None:
        if self.keys:
            return
        rows = [] if self._first is None else self._first.rows
        ids = {str(row.get("id") or "") for row in rows}
        may_be = " `id` may be one." if rows and len(ids) == len(rows) and "" not in ids else ""
        self.logger.warning(
            "%s has no key, so targets add its rows again with every run.%s Set key in %s.",
            self.name,
            may_be,
            self.own.setting,
        )

    def _settle(self) -> None:
        """Say what is known of the end of the list.

        Raises:
            IncompleteReadError: If rows may be missing, unless the user said to go on.
        """
        result = self._reading.result
        total = "an unknown total" if result.total is None else result.total
        self.logger.info(
            "%s: %s of %s in %s.", self.name, rows(result.rows), total, calls(result.calls)
        )
        self.metrics.total, self.metrics.calls = result.total, result.calls
        self.metrics.how = (
            result.note or "to the end of the list, each page joined to the one before"
        )
        setting = self.own.setting
        if result.doubt:
            remedy = f"Set paging or key in {setting}, or on_incomplete: warn to go on."
            self.go_on_without(IncompleteReadError(result.doubt, remedy=remedy), has_remedy=True)
        elif result.note:
            said = "%s: %s Set paging in %s: none, if that is the whole list."
            self.logger.warning(said, self.name, result.note, setting)
        # An empty list without a count may be a response gone wrong, and would empty the table.
        elif self._stream_version is not None and (result.rows or result.total == 0):
            self._write_activate_version_message(self._stream_version)

    @property
    def remedy(self) -> str:
        """What to do where the service refuses the call."""
        return f"Remove {self.name} from streams, or deselect it, to go on without it."
