"""The values of a whole column, converted at once where each is as its column wants it.

Most pages are: then a column costs a few operations in C instead of one call a value. Whatever
else comes is converted value by value (:mod:`tap_totango.schema.types`), to the same result.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_totango.schema import types as values
from tap_totango.schema.types import ConversionError, converted, from_milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NULL: Final = type(None)
_FITTING: Final[dict[str, frozenset[type]]] = {
    values.TEXT: frozenset({str, _NULL}),
    values.NUMBER: frozenset({int, Decimal, _NULL}),
    values.TIMESTAMP: frozenset({int, _NULL}),
    values.BOOLEAN: frozenset({bool, _NULL}),
    values.OBJECT: frozenset({dict, _NULL}),
    values.JSON: frozenset({str, int, Decimal, bool, list, dict, _NULL}),
}
"""Types of values that need no look of their own, by kind of column."""

_SMALL_BITS: Final = 1000
_SMALL_EXPONENT: Final = 300
"""Numbers below these certainly are within what a double can hold."""


def column_of(kind: str, raw: Sequence[Any], misfit: Callable[[int, Any], None]) -> Sequence[Any]:
    """Return the values of a column as its schema has them, null where one does not fit.

    Args:
        kind: Of which kind the column is.
        raw: Its values as they came.
        misfit: Called with place and value of each that does not fit.
    """
    if _FITTING[kind].issuperset(map(type, raw)):
        whole = _whole(kind, raw)
        if whole is not None:
            return whole
    result = []
    for place, value in enumerate(raw):
        try:
            result.append(converted(kind, value))
        except ConversionError:
            result.append(None)
            misfit(place, value)
    return result


def _whole(kind: str, raw: Sequence[Any]) -> Sequence[Any] | None:
    """Convert a column whose values have fitting types; None if one may not fit all the same."""
    if kind == values.TIMESTAMP:
        try:
            return [None if one is None else from_milliseconds(one) for one in raw]
        except ConversionError:
            return None
    if kind == values.NUMBER:
        return raw if all(map(_is_small, raw)) else None
    return raw


def _is_small(number: int | Decimal | None) -> bool:
    if number is None:
        return True
    if isinstance(number, int):
        return number.bit_length() < _SMALL_BITS
    return number.adjusted() < _SMALL_EXPONENT
