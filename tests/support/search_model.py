"""A model of the search endpoint in memory: fast enough for thousands of made-up tenants."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from totango_api.errors import RefusedError
from totango_api.search import Page, key_of

if TYPE_CHECKING:
    from totango_api.queries import Query, Term
    from totango_api.search import Hit, Key


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
    claims: int | None = None
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
        rows.sort(
            key=lambda hit: hit["display_name"],
            reverse=query.sort_order == "DESC" and not self.one_way,
        )
        count = min(query.count, self.page_max)
        total = len(rows) if self.claims is None else self.claims
        if query.offset + count > self.window and self.beyond != "serve":
            if self.beyond == "error":
                raise RefusedError("POST /search", status=400, reason="beyond the window")
            return Page([], total)
        return Page(rows[query.offset : query.offset + count], total)

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
