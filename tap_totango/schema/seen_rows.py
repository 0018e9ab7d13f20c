"""Finds the columns of an undescribed list, and their kinds, in rows seen now or earlier."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_totango.schema.catalog import fitted
from tap_totango.schema.columns import EXTRA, Column, columns_of_fields
from tap_totango.schema.times import ConversionError
from tap_totango.schema.types import BOOLEAN, DATE, JSON, NUMBER, OBJECT, TEXT, TIMESTAMP, convert
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_totango.schema.naming import KnownColumns, Naming
    from totango_api.search import Row

ACCOUNT: Final = "account"
VALUES: Final = "selected_fields"
"""Where a search puts the values of the fields asked for, by position."""

_OF_ACCOUNT: Final = (
    Column("account_id", TEXT, "Account ID", (ACCOUNT, "name")),
    Column("account_name", TEXT, "Account name", (ACCOUNT, "display_name")),
)

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")
_PLAIN: Final = frozenset({TEXT, NUMBER, BOOLEAN, DATE, TIMESTAMP})


@dataclass(frozen=True)
class SeenColumns:
    """The columns of a list.

    Attributes:
        base: Those of the key and of a hit's account, which are named.
        others: All others, without names.
        keys: The names of the key's columns.
    """

    base: tuple[Column, ...]
    others: tuple[Column, ...]
    keys: tuple[str, ...]


def names_in(rows: Iterable[Row]) -> list[str]:
    """Return the keys of rows, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def columns_of_rows(
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    search: Mapping[str, Any] | None,
    known: KnownColumns,
    naming: Naming,
) -> SeenColumns:
    """Return the columns of rows, of the fields that a search asks for, and of earlier runs.

    Args:
        rows: Of the first page; none if it is not known.
        key: What tells rows apart, as the user names it.
        search: The search that is sent, if one is.
        known: What earlier runs and a catalog say.
        naming: How columns are named.

    Raises:
        SettingsError: If the rows do not have the key.
    """
    base, keys = _base(rows, key, is_search=search is not None, known=known, naming=naming)
    taken = {column.path[0] for column in base}
    asked = columns_of_fields(_objects(search, "fields"), _objects(search, "parent_account_fields"))
    taken |= {VALUES} if asked else set()
    named = {column.name for column in base}
    kinds = _known_kinds(known, {*taken, *(one.title for one in asked)}, named)
    for name in names_in(rows):
        if name not in taken:
            kinds[name] = kind_of_values((row.get(name) for row in rows), kinds.get(name))
    own = [Column("", kind or TEXT, name, (name,)) for name, kind in kinds.items()]
    return SeenColumns(base, (*own, *(_asked(column, kinds) for column in asked)), keys)


def _asked(column: Column, kinds: Mapping[str, Any]) -> Column:
    """Return the column of a field: told from a part of a row, as which it is not remembered."""
    label = f"{column.wanted_label} field" if column.title in kinds else column.label
    return replace(column, label=label, is_computed=True)


def _base(
    rows: Sequence[Row], key: Sequence[str], *, is_search: bool, known: KnownColumns, naming: Naming
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Return the columns that keep their names, and which of them are the key."""
    accounts = (row.get(ACCOUNT) for row in rows)
    is_of_account = any(isinstance(one, dict) and "name" in one for one in accounts)
    # A part of the rows may be called account_id, too.
    is_known = is_search and known.title(_OF_ACCOUNT[0].name) == _OF_ACCOUNT[0].title
    base = list(_OF_ACCOUNT) if is_of_account or is_known else []
    keys: list[str] = []
    for part in key:
        column = next((one for one in base if part in {one.name, one.title}), None)
        if column is None:
            title = _title_of(part, rows, naming)
            column = Column(naming.wanted(title), TEXT, title, (title,))
            base.insert(len(keys), column)
        keys.append(column.name)
    return tuple(base), tuple(keys)


def _title_of(part: str, rows: Sequence[Row], naming: Naming) -> str:
    """Return what a part of the key is called in rows."""
    present = names_in(rows)
    if not rows or part in present:
        return part
    for name in present:
        if naming.wanted(name) == part:
            return name
    msg = f"No row of the first page has {part}, which is to be its key."
    raise SettingsError(msg, remedy=f"There are: {', '.join(present)}.")


def _known_kinds(
    known: KnownColumns, taken: Iterable[str], named: Iterable[str]
) -> dict[str, str | None]:
    """Return the kinds of the parts of rows that earlier runs and a catalog know."""
    others = set(taken)
    kinds: dict[str, str | None] = {
        one.identity: one.kind
        for one in known.remembered.values()
        if one.kind is not None and one.identity not in others
    }
    for name, schema in (known.catalogued or {}).items():
        title = known.title(name)
        if title is None or title in others or name in {*named, EXTRA}:
            continue
        kind = fitted(Column("", TEXT, title), schema).kind
        kinds[title] = common_kind(kinds.get(title), kind)
    return kinds


def _objects(search: Mapping[str, Any] | None, key: str) -> list[dict[str, Any]]:
    """Return the objects with a type that stand in a list of a search."""
    listed = (search or {}).get(key)
    found = listed if isinstance(listed, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("type")]


def kind_of_values(values: Iterable[Any], known: str | None = None) -> str | None:
    """Return the narrowest kind that holds all values.

    Args:
        values: As they came; null and empty texts say nothing.
        known: A kind that has to be held as well.
    """
    for value in values:
        if known == JSON:
            break
        if known != TEXT or not isinstance(value, str):
            known = common_kind(known, _kind_of(value))
    return known


def common_kind(one: str | None, other: str | None) -> str | None:
    """Return the narrowest kind that holds the values of two."""
    if one is None or other is None or one == other:
        return one or other
    return TEXT if {one, other} <= _PLAIN else JSON


def _kind_of(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, (int, float, Decimal)):
        return NUMBER
    if isinstance(value, str):
        return _kind_of_text(value)
    return OBJECT if isinstance(value, dict) else JSON


def _kind_of_text(text: str) -> str:
    for pattern, kind in ((_MOMENT, TIMESTAMP), (_DAY, DATE)):
        if (pattern.match if kind == TIMESTAMP else pattern.fullmatch)(text):
            try:
                convert(kind, text)
            except ConversionError:
                return TEXT
            return kind
    return TEXT
