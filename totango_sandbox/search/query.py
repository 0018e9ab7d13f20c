"""The search request: how it is encoded, and what its keys mean (Totango: Search API)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from totango_sandbox.errors import ApiError, MissingTermsError
from totango_sandbox.limits import SEARCH_COUNT_DEFAULT

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.switches import Switches

_SORTS: Final = {
    "display_name": "display",
    "identifier": "id",
    "name": "id",
    "last_activity_time": "last_activity_time",
    "first_activity_time": "first_activity_time",
}
_ALL_TEAMS: Final = "-1"


@dataclass(slots=True)
class Query:
    """One search, read and checked."""

    terms: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    parent_fields: list[dict[str, Any]]
    count: int
    offset: int
    sort_by: str
    descending: bool
    sees_all_teams: bool
    account_id: str | None
    scroll_id: str | None


def read_query(request: Request, switches: Switches) -> Query:
    """Read the form field ``query`` and its companions.

    Raises:
        ApiError: it is not a query.
        MissingTermsError: it has no ``terms``.
    """
    form = _form(request, switches)
    document = _document(form, switches)
    if "terms" not in document:
        raise MissingTermsError
    count = _count(document, switches)
    sort_by = document.get("sort_by") or "display_name"
    if sort_by not in _SORTS:
        msg = f"cannot sort by {sort_by!r}"
        raise ApiError(msg)
    order = str(document.get("sort_order") or "ASC").upper()
    if order not in {"ASC", "DESC"}:
        msg = f"sort_order is ASC or DESC, not {order!r}"
        raise ApiError(msg)
    team = form.get("team_id") or form.get("teams_id")
    query = Query(
        terms=_objects(document, "terms"),
        # The scroll endpoint returns attributes by name, so nobody has to name them.
        fields=_objects(document, "fields", required=request.surface != "scroll"),
        parent_fields=_objects(document, "parent_account_fields", required=False),
        count=count,
        offset=_whole(document, "offset", 0),
        sort_by=_SORTS[sort_by],
        descending=order == "DESC",
        sees_all_teams=team == _ALL_TEAMS or switches.text("global_team") == "optional",
        account_id=form.get("account_id"),
        scroll_id=form.get("scroll_id"),
    )
    request.offset, request.count = query.offset, query.count
    return query


def _form(request: Request, switches: Switches) -> dict[str, str]:
    if "json" not in request.header(b"content-type"):
        try:
            return request.form()
        except UnicodeDecodeError as error:
            msg = "the form is not UTF-8"
            raise ApiError(msg) from error
    if not switches.on("json_body"):
        msg = "the body has to be a form"
        raise ApiError(msg)
    try:
        body = request.json()
    except ValueError as error:
        msg = "the body is not JSON"
        raise ApiError(msg) from error
    if not isinstance(body, dict):
        msg = "the body is not an object"
        raise ApiError(msg)
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _document(form: dict[str, str], switches: Switches) -> dict[str, Any]:
    text = form.get("query")
    if text is None:
        msg = "query is missing"
        raise ApiError(msg)
    if switches.on("double_decode"):
        text = unquote_plus(text)
    try:
        document = json.loads(text)
    except ValueError as error:
        msg = "query is not JSON"
        raise ApiError(msg) from error
    if not isinstance(document, dict):
        msg = "query is not an object"
        raise ApiError(msg)
    return document


def _count(document: dict[str, Any], switches: Switches) -> int:
    page_max = switches.whole("page_max")
    count = _whole(document, "count", min(SEARCH_COUNT_DEFAULT, page_max))
    if count > page_max:
        if switches.text("count_over") == "error":
            msg = f"count cannot be more than {page_max}"
            raise ApiError(msg)
        return page_max
    return count


def _whole(document: dict[str, Any], name: str, default: int) -> int:
    value = document.get(name, default)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        msg = f"{name} has to be a whole number from 0"
        raise ApiError(msg)
    return value


def _objects(document: dict[str, Any], name: str, *, required: bool = True) -> list[dict[str, Any]]:
    value = document.get(name)
    if value is None and not required:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        msg = f"{name} has to be a list of objects"
        raise ApiError(msg)
    return value
