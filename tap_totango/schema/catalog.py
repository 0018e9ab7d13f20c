"""Reads catalogs, and the columns of one that was made earlier."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, Final

from singer_sdk.singerlib import Catalog

from tap_totango.schema import types as values
from tap_totango.schema.columns import EXTRA, Column, kind_of
from totango_api.errors import InputError
from totango_api.search import DATE, DAY, NUMBER, TEXT, Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tap_totango.schema.naming import KnownColumns

_KINDS: Final = {
    frozenset({"string"}): values.TEXT,
    frozenset({"number"}): values.NUMBER,
    frozenset({"integer"}): values.NUMBER,
    frozenset({"number", "integer"}): values.NUMBER,
    frozenset({"boolean"}): values.BOOLEAN,
    frozenset({"object"}): values.OBJECT,
}
_FORMATS: Final = {"date-time": values.TIMESTAMP, "date": values.DATE}
_ATTRIBUTE_KINDS: Final = {values.TIMESTAMP: DATE, values.DATE: DAY, values.NUMBER: NUMBER}


def known_columns(known: KnownColumns, *, base: Collection[str]) -> Iterator[Column]:
    """Yield the columns of attributes that are known without asking the service.

    Args:
        known: What earlier runs and a catalog say.
        base: Columns that are not made of attributes.
    """
    seen = set()
    for one in known.remembered.values():
        if one.kind is not None:
            seen.add(one.identity)
            yield _column_of(one.identity, one.kind)
    for name, schema in (known.catalogued or {}).items():
        title = known.title(name) or name
        if name in base or name == EXTRA or title in seen or name in known.remembered:
            continue
        yield _column_of(title, _kind_in(schema, values.TEXT))


def _column_of(title: str, kind: str) -> Column:
    field = Attribute("", title, _ATTRIBUTE_KINDS.get(kind, TEXT)).search_field
    return Column("", kind_of(field), title, field=field)


def fitted(column: Column, schema: Mapping[str, Any]) -> Column:
    """Return a column with values that fit a catalog: its type may have changed since."""
    own, wanted = _types(column.schema), _types(schema)
    same_format = schema.get("format") in {None, column.schema.get("format")}
    if own <= wanted and same_format:
        return column
    return replace(column, kind=_kind_in(schema, column.kind))


def nullable(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a column with null among its types: any value may be missing."""
    types = schema.get("type")
    if not types or "null" in types:
        return schema
    return {**schema, "type": [*([types] if isinstance(types, str) else types), "null"]}


def _kind_in(schema: Mapping[str, Any], default: str) -> str:
    if schema.get("format") is not None:
        return _FORMATS.get(schema["format"], default)
    return _KINDS.get(frozenset(_types(schema)), default)


def _types(schema: Mapping[str, Any]) -> set[str]:
    """Return the JSON types that a schema admits, null aside."""
    types = schema.get("type") or []
    return {types} - {"null"} if isinstance(types, str) else set(types) - {"null"}


def catalog_in(file: IO[str] | None) -> Catalog | None:
    """Read a catalog from a file.

    Raises:
        InputError: If it is none.
    """
    content = json_of_file(file, "catalog")
    if content is None and file is None:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("streams"), list):
        msg = "The catalog file does not hold an object with a list of streams."
        raise InputError(msg, remedy="Check the file that --catalog names.")
    _check_entries(content)
    return Catalog.from_dict(content)


def json_of_file(file: IO[str] | None, option: str) -> Any:
    """Read JSON from a file; None if it is empty.

    Raises:
        InputError: If it is not JSON.
    """
    if file is None:
        return None
    try:
        return json.loads(file.read().removeprefix("\ufeff") or "null")
    except (ValueError, OSError, RecursionError) as error:
        at = ""
        if isinstance(error, json.JSONDecodeError):
            at = f" ({error.msg}, line {error.lineno})"
        msg = f"The {option} file is not JSON{at}."
        raise InputError(msg, remedy=f"Check the file that --{option} names.") from None


def _check_entries(catalog: dict[str, Any]) -> None:
    """Check that every stream of a catalog has what Singer asks for.

    Raises:
        InputError: If one has not.
    """
    for place, entry in enumerate(catalog["streams"]):
        try:
            whole = bool(Catalog.from_dict({"streams": [entry]})) and entry["schema"]["properties"]
        except (AttributeError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            msg = f"The catalog file holds no stream with a schema at streams[{place}]."
            raise InputError(msg, remedy="Check the file that --catalog names.")
