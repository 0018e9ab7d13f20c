"""Bases of the streams whose rows a query selects: the user's own query, and a bookmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_totango.schema import (
    columns_of_attributes,
    columns_of_fields,
    computed_columns,
    known_columns,
    roles_of,
)
from tap_totango.state import Bookmark
from tap_totango.streams.base import TotangoStream
from totango_api.errors import RateLimitError, UnavailableError
from totango_api.search import ACCOUNTS, CORE_ATTRIBUTES, PastedQuery, query_from
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from tap_totango.schema import Column
    from tap_totango.streams.context import StreamContext


class QueriedStream(TotangoStream):
    """A stream that a setting may narrow, such as `accounts_query`."""

    def __init__(self, tap: Tap, context: StreamContext) -> None:
        query = self._query_of(tap.config)
        self._pasted, self._has_query = query or PastedQuery(), query is not None
        self._query_is_said = False
        self._greatest: str | None = None
        super().__init__(tap, context, self._columns(tap, context))

    @property
    def query_setting(self) -> str:
        """The setting that holds the user's own query."""
        return f"{self.name}_query"

    def _query_of(self, config: Mapping[str, Any]) -> PastedQuery | None:
        """Return the user's own query; None if there is none.

        Raises:
            QueryError: If it cannot be used.
        """
        pasted, setting = config.get(self.query_setting), self.query_setting
        return None if pasted is None else query_from(pasted, setting=setting)

    def _columns(self, tap: Tap, context: StreamContext) -> Sequence[Column]:  # noqa: ARG002
        """Return the columns beside the base columns, without names."""
        return ()

    def _bookmark(self) -> Bookmark:
        key = self.replication_key if self.replication_method == "INCREMENTAL" else None
        return Bookmark(self.stream_state, key, self.run.started_at)

    def understood(self) -> list[str]:
        """Return lines for the report of the run: columns, and filters of the user's own query."""
        lines = super().understood()
        if self._has_query:
            lines.append(f"The query of {self.query_setting}: {self._pasted.summary()}.")
        return lines

    def log_query(self, total: int | None) -> None:
        """Say what was understood of the user's own query, and how many rows it selects; once."""
        if self._has_query and not self._query_is_said:
            self._query_is_said = True
            rows = "an unknown number of rows" if total is None else counted(total, "row", form=",")
            self.logger.info(
                "%s: the query of %s selects %s: %s.",
                self.name,
                self.query_setting,
                rows,
                self._pasted.summary(),
            )


class AttributedStream(QueriedStream):
    """A stream of accounts or users, with a column for each attribute."""

    searches: ClassVar[str]

    def __init__(self, tap: Tap, context: StreamContext) -> None:
        self._is_discovered: bool | None = None
        self._knows_columns = False
        super().__init__(tap, context)

    def _columns(self, tap: Tap, context: StreamContext) -> Sequence[Column]:
        """Return the columns of the query, of the attributes, and of what is computed.

        Raises:
            ApiError: If the service gave no response at all, and nothing is known from earlier.
        """
        own = columns_of_fields(self._pasted.fields, self._pasted.parent_account_fields)
        if own and self._has_own_fields_only(tap.config):
            return own
        if tap.input_catalog is not None and not _is_selected(self.name, tap.input_catalog):
            base = {column.name for column in self.base}
            # Nobody reads them: that is worth no call.
            return list(known_columns(context.known_columns[self.name], base=base))
        titles = {column.title for column in own}
        attributes = [one for one in self._attribute_columns(context) if one.title not in titles]
        known = context.known_columns[self.name]
        roles = roles_of(context.discovery.attributes_of(self.searches), known)
        is_scrolled = self.searches == ACCOUNTS and tap.config.get("accounts_method") == "scroll"
        beside = (*self.base, *own, *attributes)
        return [
            *own,
            *attributes,
            *computed_columns(self.searches, roles, beside, is_scrolled=is_scrolled),
        ]

    def _has_own_fields_only(self, config: Mapping[str, Any]) -> bool:
        """Return whether the fields of the user's own query stand for all columns."""
        return config.get("query_fields") == "replace"

    def _attribute_columns(self, context: StreamContext) -> Sequence[Column]:
        """Return the columns of the attributes.

        Where the service does not name them, those that are known from earlier are kept: a response
        that went wrong must not narrow a table.

        Raises:
            ApiError: If it gave no response at all, and nothing is known from earlier.
        """
        discovery = context.discovery
        attributes = discovery.attributes_of(self.searches)
        core = columns_of_attributes(CORE_ATTRIBUTES[self.searches], base=self.base)
        base = {column.name for column in self.base}
        remembered = context.known_columns[self.name]
        computed = computed_columns(self.searches, roles_of((), remembered), ())
        # By titles: "Contract Value" is called as the computed contract_value is.
        others = base | {column.title for column in computed}
        known = [one for one in known_columns(remembered, base=base) if one.title not in others]
        self._knows_columns = not {one.title for one in known} <= {one.title for one in core}
        if discovery.is_enabled:
            # A service that names attributes of accounts only has but the core ones of users.
            named_others = discovery.has_answer and not self._knows_columns
            self._is_discovered = bool(attributes) or named_others
        if attributes:
            return columns_of_attributes(attributes, base=self.base)
        if known:
            return known
        if isinstance(discovery.error, (UnavailableError, RateLimitError)):
            raise discovery.error
        return core

    def _say_what_is_undiscovered(self) -> None:
        if self._is_discovered is not False:
            return
        if self._knows_columns:
            kept = "The columns that the catalog or earlier runs know are read."
        else:
            kept = "Only the core attributes are read."
        self.logger.warning(
            "%s: The service does not name its attributes. %s As soon as it does again, "
            "everything is read. If it never does, set discover_attributes: false.",
            self.name,
            kept,
        )

    @property
    def has_whole_columns(self) -> bool:
        """Whether these are all the columns that the service has."""
        return self._is_discovered is not False

    @property
    def has_core_columns_only(self) -> bool:
        """Whether the service does not name its attributes, and nothing else does."""
        return not (self.has_whole_columns or self._knows_columns)


def _is_selected(name: str, catalog: Catalog) -> bool:
    """Return whether a catalog selects a stream."""
    entry = catalog.get_stream(name)
    return entry is not None and entry.metadata.root.selected is not False
