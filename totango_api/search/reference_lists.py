"""Reference lists: short lists of a service's settings that other objects name by id.

Touchpoint types and tags are lists of objects in public clients, activity types are an object keyed
by id, objective settings are lists in their article: each shape is taken for each list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import ResponseError
from totango_api.search.list_page import list_in
from totango_api.text import snake

if TYPE_CHECKING:
    from totango_api.http import ApiClient

REFERENCE_PATHS: Final = {
    "touchpoint_types": "/api/v3/touchpoint-types/",
    "touchpoint_tags": "/api/v3/touchpoint-tags/",
    "activity_types": "/api/v3/activity-types/",
    "objective_statuses": "/api/v3/objective-settings/status",
    "objective_categories": "/api/v3/objective-settings/category",
}
"""Where each list is."""

_IDS: Final = ("activity_type_id", "id")
_NAMES: Final = ("display_name", "name", "title", "label")


@dataclass(frozen=True)
class Reference:
    """One entry of a list."""

    id: str
    name: str


def read_references(client: ApiClient, name: str) -> list[Reference]:
    """Return the entries of a list, with one call.

    Raises:
        ResponseError: If the response holds none that can be read, and is not empty.
        ApiError: If the list is not answered.
    """
    endpoint = f"GET {REFERENCE_PATHS[name]}"
    rows = rows_in(client.api("GET", REFERENCE_PATHS[name]), endpoint)
    references = [found for row in rows if (found := _reference(row)) is not None]
    if rows and not references:
        raise ResponseError(endpoint, reason="the response holds no list of ids and names")
    return references


def rows_in(decoded: Any, endpoint: str) -> list[dict[str, Any]]:
    """Return the rows of a response of any shape (:mod:`totango_api.search.list_page`).

    Names are in snake case, and empty texts null. The key of a row is its `id`, if it has none.

    Raises:
        ResponseError: If there is no list, or not all of it are rows.
    """
    if decoded == {}:  # an object keyed by id may be empty as well as a list
        return []
    try:
        page = list_in(decoded, endpoint)
    except ResponseError as error:
        error.remedy = ""  # `rows` is a setting of lists of one's own
        raise
    if page.unreadable:
        raise ResponseError(endpoint, reason="the response holds entries that are no objects")
    return [
        {snake(name): None if value == "" else value for name, value in row.items()}
        for row in page.rows
    ]


def _reference(row: dict[str, Any]) -> Reference | None:
    identifier = _first(row, _IDS)
    return Reference(identifier, _first(row, _NAMES) or identifier) if identifier else None


def _first(row: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of some values that is a text or a number; an empty text if none is."""
    return next(filter(None, (_text(row.get(name)) for name in names)), "")


def _text(value: Any) -> str:
    is_plain = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if is_plain else ""
