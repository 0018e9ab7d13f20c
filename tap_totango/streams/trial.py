"""Finds out which computed columns a service returns, by asking for each."""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tap_totango.schema import column_kind, fields_for
from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    RefusedError,
    UnavailableError,
)
from totango_api.search import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tap_totango.schema import Column
    from totango_api.reading import RecordBatch
    from totango_api.search import FieldSpec, Hit, Page, Search

logger = logging.getLogger(__name__)

_SECONDS: Final = 5.0
"""How long a call for a single column is retried."""


class FieldTrial:
    """Finds the computed columns that a service refuses. Costs no call where it refuses none.

    Args:
        search: The endpoint that is asked.
        columns: The columns wanted.
        suspects: Kinds of columns that were refused earlier: asked for by themselves first.

    Attributes:
        columns: Those of them that can be had.
        refused: The others.
    """

    def __init__(
        self, search: Search, columns: Sequence[Column], suspects: Collection[str] = ()
    ) -> None:
        self._search = search
        self._suspects = suspects
        self._is_done = False
        self.columns = list(columns)
        self.refused: list[Column] = []

    @property
    def refused_kinds(self) -> list[str]:
        """Kinds of the columns that were refused."""
        return sorted({column_kind(one.field) for one in self.refused if one.field is not None})

    def batches(
        self, query: Query, read: Callable[[Query], Iterator[RecordBatch]]
    ) -> Iterator[RecordBatch]:
        """Return what a query reads; without the columns that the service turns out to refuse.

        The first batch is fetched here: it shows whether any is refused.

        Args:
            query: What is read.
            read: Reads it with the fields that are left, from the beginning.

        Raises:
            ApiError: If it is refused for another reason.
        """
        trimmed = self._trimmed(query)
        batches = read(trimmed)
        try:
            first = next(batches, None)
        except ApiError as error:
            if not self._find_refused(error):
                raise
        else:
            if first is None:
                return batches
            if not self._lacks_values(first.hits, trimmed) or not self._find_refused():
                return itertools.chain([first], batches)
        return read(self._trimmed(query))

    def _trimmed(self, query: Query) -> Query:
        """Return a query without the fields of refused columns."""
        return replace(query, fields=tuple(fields_for(self.columns)))

    def _lacks_values(self, hits: Sequence[Hit], query: Query) -> bool:
        """Return whether rows have fewer values than were asked for: then none can be trusted."""
        wanted = len(query.fields)
        return any(
            isinstance(values := hit.get("selected_fields"), list) and len(values) < wanted
            for hit in hits[:1]
        )

    def _find_refused(self, error: ApiError | None = None) -> bool:
        """Ask for each computed column by itself; return whether any is refused, naming each once.

        Args:
            error: What the query with all of them was answered.

        Raises:
            ApiError: If a query without any column fails as well.
        """
        computed = [column for column in self.columns if column.is_computed]
        about_fields = error is None or isinstance(error, (RefusedError, UnavailableError))
        if self._is_done or not computed or not about_fields:
            return False
        try:
            self._page()
        except ApiError as plain:  # no column is to blame
            if error is None:
                return False
            raise plain from error
        self._is_done = True
        refused = self._refused(fields_for(computed))
        self.refused = [one for one in computed if one.field in refused]
        self.columns = [one for one in self.columns if one not in self.refused]
        for column in self.refused:
            logger.warning(
                "%s: Totango does not give %s here. The column is null.",
                self._search.stream,
                column.name,
            )
        return bool(refused)

    def _refused(self, fields: Sequence[FieldSpec]) -> list[FieldSpec]:
        """Return the fields that are refused: the suspects, if all others are answered at once."""
        suspects = [field for field in fields if column_kind(field) in self._suspects]
        refused = [field for field in suspects if not self._answers(field)]
        if refused and self._answers(*(field for field in fields if field not in refused)):
            return refused
        others = [field for field in fields if field not in suspects]
        return refused + [field for field in others if not self._answers(field)]

    def _answers(self, *fields: FieldSpec) -> bool:
        """Return whether the service answers a query for fields, with as many values."""
        try:
            page = self._page(*fields)
        except (AuthenticationError, RateLimitError):
            raise
        except ApiError:
            return False
        return not self._lacks_values(page.hits, Query(fields=fields))

    def _page(self, *fields: FieldSpec) -> Page:
        return self._search.page(Query(fields=fields, count=1), max_retry_seconds=_SECONDS)
