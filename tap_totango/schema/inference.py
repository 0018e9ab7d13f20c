"""Infers the kind of a column from its values, where the service names no type."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_totango.schema.times import ConversionError
from tap_totango.schema.types import (
    BOOLEAN,
    DATE,
    JSON,
    NUMBER,
    OBJECT,
    TEXT,
    TIMESTAMP,
    convert,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")
_PLAIN: Final = frozenset({TEXT, NUMBER, BOOLEAN, DATE, TIMESTAMP})


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
