"""Describes a search query: which rows, which values, and how it is encoded.

Facts: "Search API (accounts and users)", "Search API (events)": a form field `query` that
holds JSON with `terms`, `fields`, `count`, `offset`, `sort_by`, `sort_order`, `scope`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec

from totango_api import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

Term: TypeAlias = dict[str, Any]
"""A filter, as Totango's JSON has it: `type`, what it looks at, and an operator."""

FieldSpec: TypeAlias = dict[str, Any]
"""A column that a search returns, as Totango's JSON has it: `type` and what it names."""

ASCENDING: Final = "ASC"
DESCENDING: Final = "DESC"
SORT_KEY: Final = "display_name"
"""The only sort key that is documented, and the default."""


@dataclass(frozen=True)
class Query:
    """One page's worth of a search.

    Attributes:
        terms: Filters, ANDed.
        fields: Columns, whose values come back by position.
        parent_account_fields: Columns of the account, for users.
        count: Rows on the page.
        offset: Rows to skip (accounts and users), or pages (events, as documented).
        sort_order: `ASC` or `DESC` on the display name; None where sorting does not exist.
        scope: Of a pasted query; `all` is the only one seen. None where it has none.
    """

    terms: tuple[Term, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    parent_account_fields: tuple[FieldSpec, ...] = ()
    count: int = limits.PAGE_ROWS
    offset: int = 0
    sort_order: str | None = ASCENDING
    scope: str | None = None

    def narrowed(self, *terms: Term) -> Query:
        """Return this query with more filters."""
        return replace(self, terms=(*self.terms, *terms))

    def at(self, offset: int, count: int, sort_order: str | None = ASCENDING) -> Query:
        """Return another page of this query."""
        return replace(self, offset=offset, count=count, sort_order=sort_order)

    def form(self, **fields: str | None) -> bytes:
        """Encode as a form: `query`, and what else is given and not None."""
        body: dict[str, Any] = {
            "terms": list(self.terms),
            "fields": list(self.fields),
            "count": self.count,
            "offset": self.offset,
        }
        if self.parent_account_fields:
            body["parent_account_fields"] = list(self.parent_account_fields)
        if self.scope is not None:
            body["scope"] = self.scope
        if self.sort_order is not None:
            body |= {"sort_by": SORT_KEY, "sort_order": self.sort_order}
        text = encoded(body)
        given = {name: value for name, value in fields.items() if value is not None}
        return urlencode({"query": text, **given}).encode("ascii")


_UNSAFE = re.compile(r"[^\x20-\x7e]|[%+&]")


def encoded(body: Mapping[str, Any]) -> str:
    """Encode as JSON whose strings hold no raw `%`, `+` or `&`, nor anything beyond ASCII.

    Totango's own Zendesk app encodes filter values once more than a form asks for, so a
    server may decode the query twice. JSON escapes survive both readings.
    """
    text = msgspec.json.encode(body).decode("utf-8")
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(
        f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2)
    )
