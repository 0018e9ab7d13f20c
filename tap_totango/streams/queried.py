"""Base of the streams whose rows a query selects: the user's own query, and a bookmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_totango.state import Bookmark
from tap_totango.streams.base import TotangoStream
from totango_api.search import PastedQuery, query_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from singer_sdk import Tap

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
        """Return what is asked for, for the report: of the user's own query, too."""
        lines = super().understood()
        if self._has_query:
            lines.append(f"The query of {self.query_setting}: {self._pasted.summary()}.")
        return lines

    def log_query(self, total: int | None) -> None:
        """Say what was understood of the user's own query, and how many rows it selects; once."""
        if self._has_query and not self._query_is_said:
            self._query_is_said = True
            rows = "an unknown number of" if total is None else f"{total:,}"
            self.logger.info(
                "%s: the query of %s selects %s rows: %s.",
                self.name,
                self.query_setting,
                rows,
                self._pasted.summary(),
            )
