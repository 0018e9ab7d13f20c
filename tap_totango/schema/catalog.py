"""Columns as a catalog made earlier knows them, whatever the service has come to have since."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tap_totango.schema import types as values
from tap_totango.schema.columns import Column, kind_of
from tap_totango.schema.naming import free_name
from totango_api.search.attributes import DATE, NUMBER, TEXT, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS: Final = {
    frozenset({"string"}): values.TEXT,
    frozenset({"number"}): values.NUMBER,
    frozenset({"integer"}): values.NUMBER,
    frozenset({"number", "integer"}): values.NUMBER,
    frozenset({"boolean"}): values.BOOLEAN,
    frozenset({"object"}): values.OBJECT,
}


def column_in(name: str, schema: Mapping[str, Any]) -> Column:
    """Return the column of an attribute as a catalog made earlier describes it."""
    title = str(schema.get("title") or name)
    if schema.get("format") == "date-time":
        kind = DATE
    else:
        kind = NUMBER if {"number", "integer"} & _types(schema) else TEXT
    field = Attribute("", title, kind).search_field
    return Column(name, kind_of(field), title, field=field)


def changes(known: Mapping[str, Any], catalogued: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the columns that a catalog made earlier lacks, and those that are gone since."""
    new = sorted(name for name in known if name not in catalogued)
    gone = sorted(name for name in catalogued if name not in known)
    return new, gone


def as_catalogued(
    columns: Iterable[Column], properties: Mapping[str, Any], *, base: Iterable[Column]
) -> dict[str, Column]:
    """Return columns by the names, and of the kinds, that a catalog has for them.

    Names are made of all that a service has: when `plan` appears beside `Plan`, both may be
    called something else. A catalog says by its titles which attribute each column was made of.

    Args:
        columns: What the service has, under the names made today.
        properties: The columns of the catalog, with their schemas.
        base: Those whose names never change.
    """
    found = {column.name: column for column in base}
    columns = [column for column in columns if column.name not in found]
    names = _names_by_title(properties)
    often = Counter(column.title for column in columns)
    others = []
    for column in columns:
        name = names.get(column.title) if often[column.title] == 1 else None
        if name is None and _title_of(column.name, properties) in {None, column.title}:
            name = column.name if column.name in properties else None
        if name is None or name in found:
            others.append(column)
        else:
            found[name] = replace(column, name=name, kind=_kind(column, properties[name]))
    for column in others:
        taken = {name.casefold() for name in (*properties, *found)}
        name = free_name(column.name, taken)
        found[name] = replace(column, name=name)
    return found


def _names_by_title(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the column of each title that only one has."""
    titles = {name: _title_of(name, properties) for name in properties}
    often = Counter(titles.values())
    return {title: name for name, title in titles.items() if title and often[title] == 1}


def _title_of(name: str, properties: Mapping[str, Any]) -> str | None:
    title = properties.get(name, {}).get("title")
    return None if title is None else str(title)


def _kind(column: Column, schema: Mapping[str, Any]) -> str:
    """Return the kind whose values fit the catalog: the service may have changed the type since."""
    own, wanted = _types(column.schema), _types(schema)
    same_format = schema.get("format") in {None, column.schema.get("format")}
    if own <= wanted and same_format:
        return column.kind
    if schema.get("format") == "date-time":
        return values.TIMESTAMP
    return _KINDS.get(frozenset(wanted), column.kind) if same_format else column.kind


def _types(schema: Mapping[str, Any]) -> set[str]:
    """Return the JSON types that a schema admits, null aside."""
    types = schema.get("type") or []
    return {types} - {"null"} if isinstance(types, str) else set(types) - {"null"}
