"""Finds rows by their ids, with as few calls as it takes, and never by reading everything.

Facts: the term `identifier` with `eq` and `in_list`, and `or`, are what public clients send; so
is `parent_account` with terms inside, though not seen with this one. For users the term looks
at the user id over all accounts, so one id may have many hits.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from totango_api import limits
from totango_api.errors import IncompleteReadError, RefusedError, ResponseError
from totango_api.search.endpoint import USERS
from totango_api.search.list_filter import ListFilter
from totango_api.search.query import ASCENDING, DESCENDING, Query
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from totango_api.search.attributes import Attribute
    from totango_api.search.endpoint import Hit, Key, Page, Search
    from totango_api.search.query import Term

_READINGS: Final = 10
"""How often the pages of one id are read before rows that change places are given up."""


@dataclass(frozen=True)
class LookupResult:
    """What Totango holds for a key.

    Attributes:
        name: Display name; None where there is none.
        values: Values by API name, as they came back. A column that the server refuses is left
            out.
    """

    name: str | None
    values: dict[str, Any]


@dataclass
class LookupRequest:
    """Keys that are looked for, and what was found.

    Attributes:
        keys: Those not found yet.
        columns: Attributes whose values are asked for.
        results: What was found, by key.
    """

    keys: set[Key]
    columns: Sequence[Attribute]
    results: dict[Key, LookupResult] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """The ids by which a search filters: the last part of each key."""
        return sorted({key[-1] for key in self.keys})

    @property
    def account_ids(self) -> list[str]:
        """The first part of each key."""
        return sorted({key[0] for key in self.keys})

    def take(self, hits: Iterable[tuple[Key | None, Hit]]) -> None:
        """Take what is asked for out of the rows of a page."""
        for key, hit in hits:
            if key is not None and key in self.keys:
                self.keys.discard(key)
                self.results[key] = _result(hit, self.columns)

    def halves(self) -> tuple[LookupRequest, LookupRequest]:
        """Return two that each look for half of the ids, and note what they find here."""
        ids = self.ids
        first = set(ids[: len(ids) // 2])
        mine = {key for key in self.keys if key[-1] in first}
        return replace(self, keys=mine), replace(self, keys=self.keys - mine)


class KeyLookup:
    """Finds keys of one search endpoint, and remembers which filters it takes.

    Args:
        search: The endpoint.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._filter = ListFilter()
        self._may_narrow = search.stream == USERS
        self._narrows = False
        self._excess: int | None = None

    def find(self, request: LookupRequest) -> None:
        """Find keys.

        Raises:
            AnswerError: If the server does not filter by id.
            IncompleteReadError: If one id has more hits than a query can reach.
            ApiError: If a call failed.
        """
        if not request.keys or self._settled(request):
            return
        if self._may_narrow and not self._narrows and self._settled_within_accounts(request):
            return
        if len(request.ids) > 1:
            for half in request.halves():
                self.find(half)
        else:
            self._page_through(request)

    def usable(self, key: Key, columns: Sequence[Attribute]) -> list[Attribute]:
        """Return the columns that the server does not refuse: a few calls for each refused one.

        Raises:
            ApiError: If a call failed for another reason.
        """
        if not columns:
            return []
        try:
            self._page(LookupRequest({key}, columns))
        except RefusedError:
            middle = len(columns) // 2
            if not middle:
                return []
            return [*self.usable(key, columns[:middle]), *self.usable(key, columns[middle:])]
        return list(columns)

    def _settled(self, request: LookupRequest) -> bool:
        """Ask for all ids at once; return whether nothing is left to be found."""
        asked = frozenset(request.ids)
        page = self._page(request)
        if self._settles(request, page):
            return True
        foreign = sum(1 for hit in page.hits if str(hit.get("name")) not in asked)
        if 2 * foreign <= len(page.hits):
            return False
        # There is more than a page, and most of it is not what was asked for.
        if self._filter.takes_lists:
            self._filter.takes_lists = False
            return self._settled(request)
        endpoint = f"POST {self._search.path}"
        raise ResponseError(
            endpoint,
            reason=f"{page.total_hits or 'many'} rows came back for {counted(len(asked), 'id')}",
            remedy="This server does not filter by id: turn off what reads rows back.",
        )

    def _settled_within_accounts(self, request: LookupRequest) -> bool:
        """Ask again for users of the accounts in question alone."""
        try:
            page = self._page(request, narrowed=True)
        except RefusedError:
            self._may_narrow = False
            return False
        # No row at all proves nothing: nobody has seen this filter work with ids.
        self._narrows = bool(page.hits)
        return self._narrows and self._settles(request, page)

    def _settles(self, request: LookupRequest, page: Page) -> bool:
        """Take what a first page has; return whether nothing is left to be found."""
        before = replace(request, keys=set(request.keys))
        self._take(request, page)
        rows = page.rows
        if not request.keys or (page.total_hits is not None and rows >= page.total_hits):
            return True
        if rows >= limits.PAGE_ROWS:
            return False
        # Fewer rows than counted, or no count: pages may be smaller here, or the count wrong.
        following = self._page(before, offset=rows) if rows else page
        self._take(request, following)
        if request.keys and following.hits:
            return False
        if request.keys and (held_back := (page.total_hits or 0) - rows) > 0:
            self._check_count(request, held_back)
        return True

    def _check_count(self, request: LookupRequest, held_back: int) -> None:
        """Check that rows which are counted and do not come are counted for any id.

        Raises:
            ResponseError: If the server holds rows back: then it is not known who is absent.
        """
        if self._excess is None:
            self._excess = self._count_of_nobody(len(next(iter(request.keys))))
        if held_back > self._excess:
            endpoint = f"POST {self._search.path}"
            raise ResponseError(
                endpoint,
                reason=f"{counted(held_back, 'row')} counted for these ids did not come",
                remedy="So it is not known whether they are there: run again.",
            )

    def _count_of_nobody(self, parts: int) -> int:
        """Return how many rows are counted for an id that cannot be there.

        It is a count that is wrong by so many only where other rows do come: a server that counts
        rows and shows none at all holds them back.
        """
        nobody = (*["-"] * (parts - 1), uuid.uuid4().hex)
        counted = self._page(LookupRequest({nobody}, ())).total_hits or 0
        anybody = Query(count=1)
        return counted if counted and self._search.page(anybody).hits else 0

    def _page_through(self, request: LookupRequest) -> None:
        """Read all hits of one id, again and again since rows that sort alike change places."""
        seen: set[Key | None] = set()
        total = None
        everything = replace(request, keys=set(request.keys))
        for reading in range(_READINGS):
            order = DESCENDING if reading % 2 else ASCENDING
            offset = 0
            while offset < limits.WINDOW_ROWS:
                page = self._page(everything, offset=offset, order=order)
                total = page.total_hits
                seen |= self._take(request, page)
                offset += page.rows
                if not request.keys or (total is not None and len(seen) >= total):
                    return
                if not page.hits:
                    break
        msg = f"One user id exists in {total or 'very many'} accounts; {len(seen)} were seen."
        raise IncompleteReadError(msg, remedy="Turn off what reads rows back.")

    def _take(self, request: LookupRequest, page: Page) -> set[Key | None]:
        request.take(list(zip(page.keys, page.hits, strict=True)))
        return set(page.keys)

    def _page(
        self,
        request: LookupRequest,
        *,
        narrowed: bool | None = None,
        offset: int = 0,
        order: str = ASCENDING,
    ) -> Page:
        narrowed = self._narrows if narrowed is None else narrowed
        count = min(limits.PAGE_ROWS, limits.WINDOW_ROWS - offset)

        def ask() -> Page:
            return self._search.page(self._query(request, narrowed).at(offset, count, order))

        return self._filter.page(ask)

    def _query(self, request: LookupRequest, narrowed: bool) -> Query:
        terms = [self._among(request.ids)]
        if narrowed:
            terms.append({"type": "parent_account", "terms": [self._among(request.account_ids)]})
        return Query(
            terms=tuple(terms), fields=tuple(column.search_field for column in request.columns)
        )

    def _among(self, ids: Sequence[str]) -> Term:
        return self._filter.among({"type": "string", "term": "identifier"}, ids)


def _result(hit: Hit, columns: Sequence[Attribute]) -> LookupResult:
    values = hit.get("selected_fields")
    values = values if isinstance(values, list) else []
    name = hit.get("display_name")
    return LookupResult(
        name=name if isinstance(name, str) else None,
        # A short list has lost its place: better no value than another column's.
        values=dict(zip((column.api_name for column in columns), values, strict=True))
        if len(values) == len(columns)
        else {},
    )
