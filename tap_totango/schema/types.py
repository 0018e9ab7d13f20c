"""Converts values as Totango gives them to values that their column's JSON schema admits.

A conversion that would lose something is refused: the caller keeps the raw value aside.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from tap_totango.schema.times import (
    ConversionError,
    checked_day,
    from_milliseconds,
    moment_of,
    timestamp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TEXT: Final = "text"
NUMBER: Final = "number"
TIMESTAMP: Final = "timestamp"
DATE: Final = "date"
BOOLEAN: Final = "boolean"
OBJECT: Final = "object"
JSON: Final = "json"

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    TEXT: {"type": ["string", "null"]},
    NUMBER: {"type": ["number", "null"]},
    TIMESTAMP: {"type": ["string", "null"], "format": "date-time"},
    DATE: {"type": ["string", "null"], "format": "date"},
    BOOLEAN: {"type": ["boolean", "null"]},
    OBJECT: {"type": ["object", "null"], "additionalProperties": True},
    JSON: {"type": ["object", "array", "string", "number", "boolean", "null"]},
}
"""JSON schema of a column, by kind."""

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_EPOCH_TEXT: Final = re.compile(r"-?\d{11,}")
_DAY: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ]00:00(?::00(?:[.,]0+)?)?\s*(?:Z|z|[+-]00(?::?00)?)?)?"
)
"""A day, or its midnight in UTC."""

_LARGEST_FLOAT: Final = Decimal("1.7976931348623157e308")
_LARGEST_EXPONENT: Final = 400
"""Numbers longer than this are not written out: `1e999999999` is nine letters of JSON."""


def convert(kind: str, value: Any) -> Any:
    """Return the value as its column has it.

    Raises:
        ConversionError: If that would lose something.
    """
    return None if value is None else _CONVERSIONS[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(_in_range(value))
    if isinstance(value, (float, Decimal)):
        return format(_short(Decimal(str(value))), "f")
    if isinstance(value, list) and all(isinstance(one, str) and "," not in one for one in value):
        return ",".join(value)
    raise ConversionError


def _number(value: Any) -> int | float | Decimal | None:
    if isinstance(value, bool):
        raise ConversionError
    if isinstance(value, str):
        return _number_in(value.strip())
    if isinstance(value, (int, float, Decimal)):
        return _in_range(value)
    raise ConversionError


def _number_in(text: str) -> int | float | Decimal | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise ConversionError
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ConversionError from None
    within = _in_range(number)
    return int(text) if text.lstrip("+-").isdigit() else within


def _in_range(number: float | Decimal) -> int | float | Decimal:
    """Return a number that readers hold in a double can represent at all."""
    if isinstance(number, float):
        if math.isfinite(number):
            return number
        raise ConversionError
    if not -_LARGEST_FLOAT <= number <= _LARGEST_FLOAT:
        raise ConversionError
    return number


def _short(number: Decimal) -> Decimal:
    """Return a number that can be written out.

    Raises:
        ConversionError: If it is infinite, or would take pages.
    """
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ConversionError
    return number


def _timestamp(value: Any) -> str | None:
    if isinstance(value, bool):
        raise ConversionError
    if isinstance(value, (float, Decimal)):
        value = _short(Decimal(str(value)))
        value = int(value) if value == int(value) else value
    if isinstance(value, int):
        return from_milliseconds(value)
    if isinstance(value, str):
        if not value.strip():
            return None
        if _EPOCH_TEXT.fullmatch(value.strip()):
            return from_milliseconds(int(_in_range(Decimal(value.strip()))))
        return timestamp(moment_of(value))
    raise ConversionError


def _date(value: Any) -> str | None:
    """Return a day. Nothing is cut: a time of day and another zone's midnight do not fit."""
    if isinstance(value, str) and not _EPOCH_TEXT.fullmatch(value.strip()):
        match = _DAY.fullmatch(value.strip())
        if match is None and value.strip():
            raise ConversionError
        return checked_day(match.group(1)) if match else None
    moment = _timestamp(value)
    if moment is None or not moment.endswith("T00:00:00.000000Z"):
        raise ConversionError
    return moment[:10]


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if value in (0, 1) and isinstance(value, int):
        return bool(value)
    spellings = {"true": True, "false": False, "yes": True, "no": False, "": None}
    if isinstance(value, str) and value.strip().lower() in spellings:
        return spellings[value.strip().lower()]
    raise ConversionError


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ConversionError


def _json(value: Any) -> Any:
    return _in_range(value) if isinstance(value, float) else value


_CONVERSIONS: Final[dict[str, Callable[[Any], Any]]] = {
    TEXT: _text,
    NUMBER: _number,
    TIMESTAMP: _timestamp,
    DATE: _date,
    BOOLEAN: _boolean,
    OBJECT: _object,
    JSON: _json,
}

_NULL: Final = type(None)
_FITTING: Final[dict[str, frozenset[type]]] = {
    TEXT: frozenset({str, _NULL}),
    NUMBER: frozenset({int, Decimal, _NULL}),
    TIMESTAMP: frozenset({int, _NULL}),
    DATE: frozenset({str, _NULL}),
    BOOLEAN: frozenset({bool, _NULL}),
    OBJECT: frozenset({dict, _NULL}),
    JSON: frozenset({str, int, Decimal, bool, list, dict, _NULL}),
}
"""Types of values that need no look of their own, by kind of column."""

_PARSED: Final[dict[str, Callable[[Any], str]]] = {
    TIMESTAMP: from_milliseconds,
    DATE: checked_day,
}


def convert_column(
    kind: str, raw: Sequence[Any], on_error: Callable[[int, Any], None]
) -> Sequence[Any]:
    """Return the values of a column as its schema has them, null where one does not fit.

    Most columns fit as they are: they cost a few operations in C instead of a call a value.

    Args:
        kind: Of which kind the column is.
        raw: Its values as they came.
        on_error: Called with position and value of each that does not fit.
    """
    if _FITTING[kind].issuperset(map(type, raw)):
        whole = _whole(kind, raw)
        if whole is not None:
            return whole
    result = []
    for place, value in enumerate(raw):
        try:
            result.append(convert(kind, value))
        except ConversionError:
            result.append(None)
            on_error(place, value)
    return result


def _whole(kind: str, raw: Sequence[Any]) -> Sequence[Any] | None:
    """Convert a column whose values have fitting types; None if one may not fit all the same."""
    if kind in _PARSED:
        parse = _PARSED[kind]
        try:
            return [None if one is None else parse(one) for one in raw]
        except ConversionError:
            return None
    if kind == NUMBER:
        numbers = [one for one in raw if one is not None]
        fit = not numbers or -_LARGEST_FLOAT <= min(numbers) <= max(numbers) <= _LARGEST_FLOAT
        return raw if fit else None
    return raw
