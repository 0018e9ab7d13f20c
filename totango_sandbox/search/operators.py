"""Comparing the cells of one column: by text, by number, by day."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import ApiError
from totango_sandbox.storage import guess_type, plain_number

if TYPE_CHECKING:
    from totango_sandbox.storage import Column

Select = Callable[[Sequence[int]], list[int]]
COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gte": operator.ge,
    "lte": operator.le,
    "gt": operator.gt,
    "lt": operator.lt,
    "eq": operator.eq,
}
_NEXT_DAYS: Final = re.compile(r"between_next_(\d+)_and_(\d+)_days")


def texts(column: Column | None, operators: dict[str, Any]) -> Select:
    """``eq``, lists and ``contains``, case-sensitive like everything in Totango.

    Raises:
        ApiError: an operator is given something else than texts.
    """
    parts = [value for name, value in operators.items() if name == "contains"]
    if not all(isinstance(part, str) for part in parts):
        msg = "contains needs a text"
        raise ApiError(msg)
    unwanted = listed(operators.get("not_in_list", []))
    others = {"contains", "not_in_list"}
    exact = {name: value for name, value in operators.items() if name not in others}
    wanted = wanted_values(exact) if exact else None
    if wanted is not None:
        # A number is found by its text too.
        wanted |= {
            plain_number(text)
            for text in wanted
            if isinstance(text, str) and guess_type(text) == "number"
        }

    def select(rows: Sequence[int]) -> list[int]:
        if column is None:
            return []
        kept = rows
        if unwanted:
            kept = [row for row in kept if column[row] not in unwanted]
        if wanted is not None:
            kept = [row for row in kept if column[row] in wanted]
        for part in parts:
            kept = [row for row in kept if column[row] is not None and part in str(column[row])]
        return list(kept)

    return select


def numbers(column: Column | None, operators: dict[str, Any]) -> Select:
    """Ranges, equality and lists of numbers or epoch milliseconds; bounds of gte, lte are inside.

    Raises:
        ApiError: an operator is given something else than numbers.
    """
    tests: list[tuple[Callable[[Any, Any], bool], Any]] = []
    for name, value in operators.items():
        if name == "joker":
            first, last = joker_days(value)
            tests.append((operator.ge, first * dates.DAY))
            tests.append((operator.lt, (last + 1) * dates.DAY))
        elif name == "in_list":
            tests.append((lambda cell, wanted: cell in wanted, listed(value)))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            tests.append((COMPARE[name], value))
        else:
            msg = f"{name} needs a number"
            raise ApiError(msg)

    def select(rows: Sequence[int]) -> list[int]:
        if column is None:
            return []
        kept = rows
        for test, bound in tests:
            try:
                kept = [
                    row for row in kept if (cell := column[row]) is not None and test(cell, bound)
                ]
            except TypeError:  # a text was loaded into this column
                kept = [row for row in kept if isinstance(column[row], int | float)]
                kept = [row for row in kept if test(column[row], bound)]
        return list(kept)

    return select


def joker_days(joker: object) -> tuple[int, int]:
    """Return first and last day of a joker, in days since 1970 (UTC).

    Raises:
        ApiError: only ``yesterday`` and ``between_next_X_and_Y_days`` were ever seen.
    """
    today = dates.day_start() // dates.DAY
    if joker == "yesterday":
        return today - 1, today - 1
    match = _NEXT_DAYS.fullmatch(str(joker))
    if match is None:
        msg = f"unknown joker {joker!r}"
        raise ApiError(msg)
    return today + int(match[1]), today + int(match[2])


def day_number(value: object) -> int:
    """Return days since 1970 of a date as text or in epoch milliseconds.

    Raises:
        ApiError: it is neither.
    """
    moment = dates.parse(value) if isinstance(value, str) else value
    if not isinstance(moment, int) or isinstance(moment, bool):
        msg = f"{value!r} is not a date"
        raise ApiError(msg)
    return moment // dates.DAY


def wanted_values(operators: dict[str, Any]) -> set[Any]:
    """Return what ``eq`` and a list name, together: several operators must all hold."""
    sets = [
        {value} if name == "eq" and isinstance(value, str | int | float) else listed(value)
        for name, value in operators.items()
    ]
    return set.intersection(*sets)


def listed(value: object) -> set[Any]:
    """Return a list of values as a set.

    Raises:
        ApiError: it is no list, or holds something else than texts and numbers.
    """
    if not isinstance(value, list) or not all(isinstance(one, str | int | float) for one in value):
        msg = "a list of values is needed"
        raise ApiError(msg)
    return set(value)
