"""Bodies of writes: JSON or a form, and the checks that several of them share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.errors import ApiError

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.service import Service

BAD_REQUEST: Final = 400
NOT_FOUND: Final = 404


def read_body(request: Request) -> dict[str, Any]:
    """Return the fields of a JSON object or of a form; values of a form that are JSON are read.

    Raises:
        ApiError: it is neither.
    """
    if "json" not in request.header(b"content-type"):
        return {name: _decoded(value) for name, value in request.form().items()}
    try:
        body = request.json()
    except ValueError as error:
        msg = "the body is not JSON"
        raise ApiError(msg, BAD_REQUEST) from error
    if not isinstance(body, dict):
        msg = "the body is not an object"
        raise ApiError(msg, BAD_REQUEST)
    return body


def _decoded(value: str) -> Any:
    if not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def known_account(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    """Return id and name of the account that a body names.

    Raises:
        ApiError: there is no such account (Tasks API: 400 "Account not found").
    """
    store = service.store
    account_id = body.get("account_id")
    row = store.accounts.rows_by_key.get(account_id)
    if row is None or store.is_blocked(str(account_id)):
        msg = "Account not found"
        raise ApiError(msg, BAD_REQUEST)
    return {"id": account_id, "display_name": store.accounts.base["display"][row]}


def check_reference(service: Service, kind: str, field: str, value: Any) -> None:
    """Refuse an id that is in no reference list, if so switched.

    Raises:
        ApiError: it is in none.
    """
    if service.switches.text("unknown_reference") == "accept" or value is None:
        return
    if str(value) not in service.store.documents.of(kind):
        msg = f"unknown {field}: {value}"
        raise ApiError(msg, BAD_REQUEST)


def check_ids(service: Service, body: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refuse the body of an update that lacks an id, if so switched, or has another one.

    Raises:
        ApiError: an id is missing or wrong.
    """
    for name, value in expected.items():
        given = body.get(name)
        if given is None and service.switches.text("update_ids") == "optional":
            continue
        if str(given) != str(value):
            msg = f"{name} is missing or wrong"
            raise ApiError(msg, BAD_REQUEST)


def whole_number(value: Any, name: str) -> int:
    """Return a whole number, also as a text.

    Raises:
        ApiError: it is none.
    """
    text = str(value)
    if isinstance(value, bool) or not text.isdigit():
        msg = f"{name} is not a whole number"
        raise ApiError(msg, BAD_REQUEST)
    return int(text)
