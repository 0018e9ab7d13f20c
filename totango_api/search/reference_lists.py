"""Reference lists: short lists of a service's settings that other objects name by id.

Touchpoint types and tags are lists of objects in public clients, activity types are an object keyed
by id, objective settings are lists in their article: each shape is taken for each list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import ResponseError
from totango_api.names import snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.http import ApiClient

REFERENCE_PATHS: Final = {
    "touchpoint_types": "/api/v3/touchpoint-types/",
    "touchpoint_tags": "/api/v3/touchpoint-tags/",
    "activity_types": "/api/v3/activity-types/",
    "objective_statuses": "/api/v3/objective-settings/status",
    "objective_categories": "/api/v3/objective-settings/category",
}
"""Where each list is."""

_IDS: Final = ("id", "activity_type_id")
_NAMES: Final = ("display_name", "name", "title", "label")


@dataclass(frozen=True)
class Reference:
    """One entry of a list."""

    id: str
    name: str


def read_references(transport: ApiClient, name: str) -> list[Reference]:
    """Return the entries of a list, with one call.

    Raises:
        ResponseError: If the answer holds none that can be read, and is not empty.
        ApiError: If the list is not answered.
    """
    path = REFERENCE_PATHS[name]
    answer = transport.api("GET", path)
    rows = list(rows_in(answer))
    references = [found for key, row in rows if (found := _reference(key, row)) is not None]
    if (rows and not references) or not isinstance(answer, (list, dict)):
        endpoint = f"GET {path}"
        raise ResponseError(endpoint, reason="the answer holds no list of ids and names")
    return references


def rows_in(answer: Any) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield the entries of a list, each with the key under which it stands, if there is one."""
    if isinstance(answer, list):
        yield from ((None, row) for row in answer if isinstance(row, dict))
        return
    if not isinstance(answer, dict):
        return
    values = list(answer.values())
    if len(values) == 1 and (isinstance(values[0], list) or _is_keyed(values[0])):
        yield from rows_in(values[0])
        return
    yield from ((key, row) for key, row in answer.items() if isinstance(row, dict))


def _is_keyed(value: Any) -> bool:
    """Return whether a value is an object of objects."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(row, dict) for row in value.values())
    )


def _reference(key: str | None, row: dict[str, Any]) -> Reference | None:
    named = {snake(name): value for name, value in row.items()}
    ids = [*(_text(named.get(name)) for name in _IDS), key or ""]
    identifier = next(filter(None, ids), "")
    name = next(filter(None, (_text(named.get(name)) for name in _NAMES)), identifier)
    return Reference(identifier, name) if identifier else None


def _text(value: Any) -> str:
    is_plain = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if is_plain else ""
