"""Finds accounts and users by what one of their attributes holds, many values with one call.

Facts: the term `string_attribute` with `in_list` and `eq`, and `or`, are what public clients send.
Foreign keys are stored in lower case ("Attributes and data types").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from totango_api import limits
from totango_api.errors import ResponseError
from totango_api.search.attributes import TEXT, Attribute
from totango_api.search.endpoint import Search
from totango_api.search.list_filter import ListFilter
from totango_api.search.query import Query
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from totango_api.http import ApiClient
    from totango_api.search.endpoint import Hit, Key, Page

VALUES_PER_QUERY: Final = 500
USER_ID: Final = "user_id"
"""Stands for the id of a user, whatever the account."""

MOST_CANDIDATES: Final = 10
"""Most rows with one value that are returned."""


_Found: TypeAlias = "dict[str, dict[str, set[Key]]]"
"""Keys by value: in small letters, then as it is spelt."""


class Matcher:
    """Finds the rows of one search endpoint by one attribute.

    Args:
        client: Makes the calls.
        stream: `accounts` or `users`.
        attribute: API name, or `user_id`.
    """

    def __init__(self, client: ApiClient, stream: str, attribute: str) -> None:
        self._search = Search(client, stream)
        self._attribute = attribute
        self._filter = ListFilter()

    def find(self, values: Iterable[str]) -> dict[str, list[Key]]:
        """Return the keys of the rows that hold each value, whatever its case.

        Raises:
            ResponseError: If the server does not filter by the attribute.
            ApiError: If a call failed.
        """
        distinct = list(dict.fromkeys(values))
        found: _Found = {}
        for start in range(0, len(distinct), VALUES_PER_QUERY):
            self._find(distinct[start : start + VALUES_PER_QUERY], found)
        keys = {}
        for value in distinct:
            spellings = found.get(value.casefold(), {})
            alike = {key for each in spellings.values() for key in each}
            keys[value] = sorted(spellings.get(value) or alike)
        return keys

    def _find(self, values: Sequence[str], found: _Found) -> None:
        """Take the rows with some values, by halves where there is more than a page."""
        folded = {value.casefold() for value in values}
        page = self._page(values)
        rows, taken = page.rows, self._take(page, folded, found)
        while 0 < rows < limits.PAGE_ROWS and page.hits and (page.total_hits or 0) > rows:
            # Pages may be smaller here, or the count wrong.
            page = self._page(values, offset=rows)
            rows += page.rows
            taken += self._take(page, folded, found)
        if rows < limits.PAGE_ROWS or (len(values) == 1 and taken > 1):
            return
        if 2 * taken <= rows or len(values) == 1:
            endpoint = f"POST {self._search.path}"
            asked = counted(len(values), "value")
            raise ResponseError(
                endpoint,
                reason=f"{page.total_hits or 'many'} rows came back for {asked}",
                remedy=f"So it is not known who holds them: match_on {self._attribute!r} cannot "
                "be used with this service.",
            )
        middle = len(values) // 2
        self._find(values[:middle], found)
        self._find(values[middle:], found)

    def _take(self, page: Page, folded: Collection[str], found: _Found) -> int:
        """Take rows that were asked for; return how many."""
        taken = 0
        for key, hit in zip(page.keys, page.hits, strict=True):
            value = self._value(hit, key)
            if key is None or value is None or value.casefold() not in folded:
                continue
            taken += 1
            keys = found.setdefault(value.casefold(), {}).setdefault(value, set())
            if len(keys) < MOST_CANDIDATES:
                keys.add(key)
        return taken

    def _value(self, hit: Hit, key: Key | None) -> str | None:
        if self._attribute == USER_ID:
            return None if key is None else key[-1]
        selected = hit.get("selected_fields")
        value = selected[0] if isinstance(selected, list) and len(selected) == 1 else None
        return None if value is None or isinstance(value, (dict, list)) else str(value)

    def _page(self, values: Sequence[str], *, offset: int = 0) -> Page:
        def ask() -> Page:
            return self._search.page(self._query(values).at(offset, limits.PAGE_ROWS))

        return self._filter.page(ask)

    def _query(self, values: Sequence[str]) -> Query:
        spelt = list(dict.fromkeys(text for value in values for text in (value, value.lower())))
        if self._attribute == USER_ID:
            return Query(
                terms=(self._filter.among({"type": "string", "term": "identifier"}, spelt),)
            )
        attribute = Attribute(self._search.stream, self._attribute, TEXT)
        term = {"type": "string_attribute", "attribute": self._attribute}
        return Query(terms=(self._filter.among(term, spelt),), fields=(attribute.search_field,))
