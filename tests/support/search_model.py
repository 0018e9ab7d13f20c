"""A model of the search endpoint in memory: fast enough for thousands of made-up tenants."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from totango_api.errors import RefusedError
from totango_api.search.endpoint import Page, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search.endpoint import Hit, Key
    from totango_api.search.query import Query, Term


@dataclass
class ModelSearch:
    """Answers like a Totango that holds `hits`, within `window`, knowing only some `terms`."""

    hits: list[Hit]
    stream: str = "accounts"
    window: int = 20
    beyond: str = "error"
    page_max: int = 5
    terms: frozenset[str] = frozenset({"date", "string", "string_attribute", "search_name"})
    unsupported: str = "error"
    unstable: bool = False
    one_way: bool = False
    unsorted: bool = False
    claims: int | None = None
    counts_to: int | None = None
    calls: int = 0
    log: list[Query] = field(default_factory=list)
    shuffler: random.Random = field(default_factory=lambda: random.Random(7))

    def key(self, hit: Hit) -> Key | None:
        return key_of(self.stream, hit)

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        self.calls += 1
        self.log.append(query)
        rows = [hit for hit in self.hits if all(self._matches(term, hit) for term in query.terms)]
        if self.unstable:
            self.shuffler.shuffle(rows)
        if not self.unsorted:
            rows.sort(
                key=lambda hit: hit["display_name"],
                reverse=query.sort_order == "DESC" and not self.one_way,
            )
        count = min(query.count, self.page_max)
        total = len(rows) if self.claims is None else self.claims
        total = min(total, self.counts_to or total)
        if query.offset + count > self.window and self.beyond != "serve":
            if self.beyond == "error":
                raise RefusedError("POST /search", status=400, reason="beyond the window")
            return Page([], total, key_of=self.key)
        return Page(rows[query.offset : query.offset + count], total, key_of=self.key)

    def _matches(self, term: Term, hit: Hit) -> bool:
        if term["type"] == "or":
            return any(self._matches(one, hit) for one in term["or"])
        kind = "search_name" if term.get("term") == "search_name" else term["type"]
        if kind not in self.terms:
            if self.unsupported == "ignore":
                return True
            raise RefusedError("POST /search", status=400, reason=f"unknown term {kind}")
        return _READERS[kind](term, hit)


def _by_date(term: Term, hit: Hit) -> bool:
    date = hit.get(term["term"])
    if date is None:
        return False
    return bool(term.get("gte", date) <= date <= term.get("lte", date))


def _by_string(term: Term, hit: Hit) -> bool:
    if "in_list" not in term:
        raise RefusedError("POST /search", status=400, reason="unknown operator")
    return hit.get(f"_{term['term']}", hit["name"]) in term["in_list"]


def _by_attribute(term: Term, hit: Hit) -> bool:
    return hit["selected_fields"][0] in term["in_list"]


def _by_name(term: Term, hit: Hit) -> bool:
    return term["contains"] in hit["display_name"]


def _by_account(term: Term, hit: Hit) -> bool:
    return hit["account"]["name"] in term["terms"][0]["in_list"]


_READERS: dict[str, Any] = {
    "date": _by_date,
    "string": _by_string,
    "string_attribute": _by_attribute,
    "search_name": _by_name,
    "parent_account": _by_account,
}


@dataclass
class LargeSearch:
    """Answers like a Totango of so many rows that each is made up only when asked for.

    Rows stand in the order of their names; row `n` has the date `dates[n]`, and the query knows
    date filters only.
    """

    dates: list[int | None]
    stream: str = "accounts"
    window: int = 10_000
    page_max: int = 1_000
    beyond: str = "error"
    calls: int = 0
    furthest: int = 0
    counts: list[tuple[Any, int]] = field(default_factory=list)
    log_of_orders: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        dated = [row for row, date in enumerate(self.dates) if date is not None]
        self._by_date = sorted(dated, key=self.dates.__getitem__)
        self._sorted = [self.dates[row] for row in self._by_date]
        self._asked: tuple[Any, Sequence[int]] = (None, ())

    def key(self, hit: Hit) -> Key | None:
        return key_of("accounts", hit)

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        self.calls += 1
        self.furthest = max(self.furthest, query.offset + query.count)
        self.log_of_orders.append(query.sort_order)
        if query.offset + query.count > self.window and self.beyond != "serve":
            if self.beyond == "error":
                raise RefusedError("POST /search", status=400, reason="beyond the window")
            return Page([], len(self._rows(query)), key_of=self.key)
        rows = self._rows(query)
        start, end = query.offset, min(query.offset + min(query.count, self.page_max), len(rows))
        if query.sort_order == "DESC":
            start, end = max(len(rows) - end, 0), max(len(rows) - start, 0)
        found = [
            {
                "name": f"acc-{row:07}",
                "display_name": f"Company {row:07}",
                "last_activity_time": self.dates[row],
                "selected_fields": [],
            }
            for row in rows[start:end]
        ]
        found = found[::-1] if query.sort_order == "DESC" else found
        return Page(found, len(rows), key_of=self.key)

    def _rows(self, query: Query) -> Sequence[int]:
        low, high = -(10**18), 10**18
        for term in query.terms:
            if term.get("type") != "date":
                raise RefusedError("POST /search", status=400, reason="unknown term")
            low, high = max(low, term.get("gte", low)), min(high, term.get("lte", high))
        if self._asked[0] != (low, high, bool(query.terms)):
            rows: Sequence[int] = range(len(self.dates))
            if query.terms:
                first, last = bisect_left(self._sorted, low), bisect_right(self._sorted, high)
                rows = sorted(self._by_date[first:last])
            self._asked = ((low, high, bool(query.terms)), rows)
            self.counts.append(((low, high), len(rows)))
        return self._asked[1]
