"""Lists columns that no attribute definition names: what Totango computes or keeps elsewhere.

Whether a service returns one is found by trial. Field types and values: "Search API (accounts and
users)" and the public clients that parse it.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tap_totango.schema.columns import Column, columns_of_fields
from totango_api.text import snake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_totango.schema.naming import KnownColumns
    from totango_api.search import Attribute, FieldSpec

_ACCOUNT_FIELDS: Final[dict[str, FieldSpec]] = {
    "health": {"type": "string", "term": "health"},
    "health_trend": {"type": "health_trend"},
    "score": {"type": "number", "term": "score"},
    "contract_value": {"type": "number", "term": "contract_value"},
    "status": {"type": "string", "term": "status"},
    "status_group": {"type": "string", "term": "status_group"},
    "last_touch": {"type": "last_touch_timestamp"},
}
_STORED: Final = ("parent_id", "product_id", "ofid", "sfid")
"""Kept beside the attributes, and written under these names ("HTTP API Quick Reference")."""

_AGGREGATIONS: Final = {
    "accounts": ("unique_users", "activity_days", "total_activities"),
    "users": ("activity_days", "total_activities"),
}
_DURATIONS: Final = (7, 14, 30, 90)

_ROLES: Final = ("Success Manager", "Sales Manager")
_ROLE_TYPES: Final = frozenset({"role", "account_role", "owner", "totango_user"})
_OWNER_EMAIL: Final = " owner email"

_SCROLLED: Final = frozenset({"health", "status", "status_group", *_STORED})
"""What the scroll endpoint gives."""


def roles_of(attributes: Iterable[Attribute], known: KnownColumns) -> list[str]:
    """Return the account roles of a service: by type, by name, or as earlier runs knew them."""
    found = {
        one.api_name
        for one in attributes
        if one.declared_type.lower() in _ROLE_TYPES or one.api_name in _ROLES
    }
    remembered = {one.identity for one in known.remembered.values() if one.kind is None}
    titles = remembered | {str(known.title(name)) for name in known.catalogued or ()}
    found |= {one.removesuffix(_OWNER_EMAIL) for one in titles if one.endswith(_OWNER_EMAIL)}
    return sorted(found or _ROLES)


def column_kind(field: FieldSpec) -> str:
    """Return what a service takes or refuses of a field: its type, and the term of a plain one."""
    kind = str(field.get("type"))
    return f"{kind}:{field.get('term')}" if kind in {"string", "number", "simple_date"} else kind


def computed_columns(
    stream: str, roles: Sequence[str], beside: Iterable[Column], *, is_scrolled: bool = False
) -> list[Column]:
    """Return the columns, without names, that a stream has beside its attributes.

    Args:
        stream: `accounts` or `users`.
        roles: Whose owners are columns.
        beside: The columns that it has already: one that is called the same is enough.
        is_scrolled: Whether only those are wanted that the scroll endpoint gives.
    """
    taken = {snake(text) for column in beside for text in (column.title, column.wanted_label)}
    return [
        column
        for name, column in _candidates(stream, tuple(roles))
        if snake(column.title) not in taken and (not is_scrolled or name in _SCROLLED)
    ]


@functools.lru_cache(maxsize=8)  # each stream asks for them twice, mostly with the same roles
def _candidates(stream: str, roles: Sequence[str]) -> Sequence[tuple[str, Column]]:
    return tuple(_each_candidate(stream, roles))


def _each_candidate(stream: str, roles: Sequence[str]) -> Iterator[tuple[str, Column]]:
    if stream == "accounts":
        for name, field in _ACCOUNT_FIELDS.items():
            yield from ((name, column) for column in _named(name, field))
        for name in _STORED:
            field = {"type": "string_attribute", "attribute": name}
            yield from ((name, replace(one, is_read_only=False)) for one in _named(name, field))
        for role in roles:
            field = {"type": "owner", "account_role": role}
            yield from ((role, column) for column in _named(f"{role} owner", field))
    for aggregation in _AGGREGATIONS[stream]:
        for days in _DURATIONS:
            field = {"type": "named_aggregation", "aggregation": aggregation, "duration": days}
            name = f"{aggregation} {days} days"
            yield from ((name, replace(one, is_optional=True)) for one in _named(name, field))


def _named(name: str, field: FieldSpec) -> Iterator[Column]:
    """Yield the columns of a field under a title of our own."""
    columns = columns_of_fields([field], [])
    for column in columns:
        title = name + column.title.removeprefix(columns[0].title)
        yield replace(column, title=title, label="", is_computed=True, is_read_only=True)
