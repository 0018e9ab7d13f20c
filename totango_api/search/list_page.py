"""Finds the rows in a response whose shape nobody has documented.

Shapes seen: a bare list; `response.<object>.hits` of searches; a list under a key of its own, alone
or beside other things; an object keyed by id, alone or under one key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from totango_api.errors import ResponseError
from totango_api.redaction import excerpt
from totango_api.search.endpoint import hits_in, whole_number

Row: TypeAlias = dict[str, Any]

HITS: Final = "hits"
_TOTAL_HITS: Final = "total_hits"
_TOTALS: Final = (
    _TOTAL_HITS,
    "total",
    "total_count",
    "totalCount",
    "total_results",
    "totalResults",
)
_WRAPPERS: Final = ("response", "data", "result", "results", "payload")
_NOT_ROWS: Final = frozenset({"errors", "warnings", "messages", "links"})
_NAME_ROWS: Final = "Name the place of its rows in `rows`, such as response.items."


@dataclass(frozen=True)
class ListPage:
    """The rows of one response.

    Attributes:
        rows: Those that are objects.
        unreadable: How many are not.
        total: Rows that the whole list has, as the response says; None if it does not.
        counts_list: Whether that certainly is about the list: `total_hits` is, and a `total` may
            be about the response alone.
    """

    rows: list[Row]
    unreadable: int
    total: int | None
    counts_list: bool


def list_in(decoded: Any, endpoint: str, place: str | None = None) -> ListPage:
    """Return the rows of a response.

    Args:
        decoded: JSON of a response.
        endpoint: Method and path, for messages.
        place: Where the rows are, such as `response.items`; None = where a list is found.

    Raises:
        ResponseError: If there is no list, or it is not clear which one is meant.
    """
    above: list[Row] = []
    found = decoded
    for key in place.split(".") if place else ():
        above += [found] if isinstance(found, dict) else []
        found = found.get(key) if isinstance(found, dict) else None
    while place is None and isinstance(found, dict):
        above.append(found)
        inner = _next_key(found, endpoint)
        if inner is None:
            found = [] if _is_empty(found) else found
            break
        found = found[inner]
    total, counts_list = _total_in(above, found)
    rows = [] if found is None and total == 0 else _rows_of(found)
    if rows is None:
        where = f"at {place}" if place else f"(it holds: {_keys_of(found)})"
        reason = f"the response holds no list {where}"
        raise ResponseError(endpoint, reason=reason, remedy=_NAME_ROWS)
    objects = [row for row in rows if isinstance(row, dict)]
    return ListPage(objects, len(rows) - len(objects), total, counts_list)


def _next_key(found: Row, endpoint: str) -> str | None:
    """Return the key that leads on to the rows; None where the object itself holds them.

    Raises:
        ResponseError: If there are several lists.
    """
    if isinstance(found.get(HITS), list):
        return HITS
    wrapper = next((key for key in _WRAPPERS if isinstance(found.get(key), (dict, list))), None)
    if wrapper is not None:
        return wrapper
    lists = [key for key, value in found.items() if _is_list(value) and key not in _NOT_ROWS]
    filled = [key for key in lists if found[key]]
    if len(filled) > 1:
        reason = f"the response holds several lists: {', '.join(map(excerpt, filled))}"
        raise ResponseError(endpoint, reason=reason, remedy=_NAME_ROWS)
    if lists and not _is_keyed(found):
        return next(iter(filled or lists))
    inner = next(iter(found.values())) if len(found) == 1 else None
    is_wrapped = _is_keyed(inner) or (
        isinstance(inner, dict) and (isinstance(inner.get(HITS), list) or _is_empty(inner))
    )
    return next(iter(found)) if is_wrapped else None


def _is_empty(found: Row) -> bool:
    """Return whether an object counts no hits, and therefore has no list of them."""
    return (HITS in found or len(found) == 1) and hits_in(found) == []


def _rows_of(found: Any) -> list[Any] | None:
    if isinstance(found, list):
        return found
    if isinstance(found, dict) and _is_keyed(found):
        return [{"id": key, **row} for key, row in found.items()]
    return None


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and (not value or isinstance(value[0], dict))


def _is_keyed(value: Any) -> bool:
    """Return whether an object holds rows by their ids: objects that have a key in common.

    A single one may as well be a wrapper, if there is a list in it.
    """
    rows = list(value.values()) if isinstance(value, dict) else []
    if not rows or not all(isinstance(row, dict) for row in rows):
        return False
    if len(rows) == 1:
        return not any(_is_list(inner) for inner in rows[0].values())
    return bool(frozenset.intersection(*map(frozenset, rows)))


def _total_in(above: list[Row], found: Any) -> tuple[int | None, bool]:
    """Return how many rows there are, by the nearest object around them."""
    for holder in reversed([one for one in above if one is not found]):
        for name in _TOTALS:
            if (total := whole_number(holder.get(name))) is not None:
                return total, name == _TOTAL_HITS
    return None, False


def _keys_of(found: Any) -> str:
    return excerpt(", ".join(map(str, found))) if isinstance(found, dict) else type(found).__name__
