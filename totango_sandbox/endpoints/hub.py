"""The Integration Hub: rows in JSON batches (clients of int-hub; no reference is public)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates, limits
from totango_sandbox.endpoints.hub_reports import receipt, report_errors
from totango_sandbox.endpoints.route import Route
from totango_sandbox.endpoints.tracking import base_value
from totango_sandbox.errors import ApiError, InvalidValueError
from totango_sandbox.http import TEXT, Request, Response, reply, unauthorized
from totango_sandbox.storage import Write, apply_write, stored_value

if TYPE_CHECKING:
    from totango_sandbox.service import Service
    from totango_sandbox.switches import Switches

_BASE: Final = {
    "account": {"account_name": "name", "parent_id": "parent_id", "product_id": "product_id"},
    "user": {"name": "name"},
}
_TEXT_MAX: Final = {
    "accounts": limits.ACCOUNT_TEXT_MAX,
    "users": limits.USER_TEXT_MAX,
    "collections": limits.COLLECTION_TEXT_MAX,
}
_TOO_LARGE: Final = 413
_BAD: Final = 400

Change = Callable[[], None]


class InvalidRowError(ValueError):
    """A row that the hub would refuse; the message says why."""


def refuse_credentials(service: Service, request: Request) -> Response | None:
    """Return a 401 unless token and service number fit."""
    if request.header(b"authorization") != f"app-token {service.token}":
        return unauthorized("Authorization: app-token <token> is missing or wrong")
    if request.header(b"service_id") != service.number:
        return unauthorized("service_id is missing or wrong: it is the middle number alone")
    return None


def handle(service: Service, request: Request) -> Response:
    """Take one batch: ``/api/v1/{accounts,users,usage}`` or ``/api/v1/collections/<type>``."""
    switches = service.switches
    kind, _, collection_type = request.path.removeprefix("/api/v1/").strip("/").partition("/")
    if kind == "users" and not switches.on("hub_users"):
        msg = "not found"
        raise ApiError(msg, 404)
    if len(request.body) > switches.whole("hub_max_bytes"):
        return _unusable(service, "batch has too many bytes", _TOO_LARGE)
    try:
        batch = request.json()[{"usage": "usages"}.get(kind, kind)]
    except (ValueError, KeyError, TypeError):
        return _unusable(service, "body is not a batch of this kind", _BAD)
    if not isinstance(batch, list):
        return _unusable(service, "batch is not a list", _BAD)
    if len(batch) > switches.whole("hub_max_rows"):
        return _unusable(service, "batch has too many rows", _TOO_LARGE)
    return _take(service, request, kind, collection_type, batch)


def _take(
    service: Service, request: Request, kind: str, collection_type: str, batch: list[Any]
) -> Response:
    switches = service.switches
    changes: list[Change] = []
    errors: dict[int, str] = {}
    for index, row in enumerate(batch):
        try:
            changes.append(_change(service, kind, collection_type, row))
        except (InvalidRowError, InvalidValueError) as error:
            errors[index] = str(error)
    for index, message in errors.items():
        service.store.log("hub", message, kind=kind, index=index)
    is_refused = bool(errors) and switches.text("hub_errors") == "refuse_batch"
    if not is_refused:
        request.rows = len(changes)
        for change in changes:
            service.store.submit(change)
    if errors:
        document = report_errors(batch, errors, switches, is_refused=is_refused)
    else:
        document = receipt()
    if isinstance(document, str):
        return Response(_status(switches, is_refused=is_refused), document.encode(), [TEXT])
    return reply(document, _status(switches, is_refused=is_refused))


def _status(switches: Switches, *, is_refused: bool) -> int:
    return switches.whole("hub_refusal_status" if is_refused else "hub_status")


def _unusable(service: Service, message: str, status: int) -> Response:
    """Return a refusal that has nothing to do with single rows."""
    service.store.log("hub", message)
    return reply({"status": "failed", "errors": [{"message": message}]}, status)


def _change(service: Service, kind: str, collection_type: str, row: object) -> Change:
    """Return the change that one row asks for.

    Raises:
        InvalidRowError: the row breaks a rule.
        InvalidValueError: one of its values breaks a rule.
    """
    if not isinstance(row, dict):
        msg = "row is not an object"
        raise InvalidRowError(msg)
    if kind == "collections":
        return _collection(service, collection_type, row)
    write = Write("hub", dates.now(), _checked_account(row, "id" if kind == "accounts" else ""))
    if kind == "accounts":
        pairs = _attributes(service, "accounts", row)
        write.account, write.account_attributes = _split(service, "account", pairs)
    elif kind == "users":
        write.user_id = _checked_user(row, "id")
        pairs = _attributes(service, "users", row)
        write.user, write.user_attributes = _split(service, "user", pairs)
    else:
        write.user_id = _checked_user(row, "user_id")
        write.activity = _activity(service, row)
    return partial(apply_write, service.store, write)


def _checked_account(row: dict[str, Any], name: str) -> str:
    account_id = row.get(name or "account_id")
    fault = limits.account_id_fault(account_id)
    if fault:
        raise InvalidRowError(fault)
    return str(account_id)


def _checked_user(row: dict[str, Any], name: str) -> str:
    user_id = row.get(name)
    fault = limits.user_id_fault(user_id)
    if fault:
        raise InvalidRowError(fault)
    return str(user_id)


def _activity(service: Service, row: dict[str, Any]) -> tuple[str, str]:
    parts = []
    for name, longest in (("activity", limits.ACTIVITY_MAX), ("module", limits.MODULE_MAX)):
        value = row.get(name)
        if not isinstance(value, str) or not value:
            msg = f"{name} is missing"
            raise InvalidRowError(msg)
        policy = service.switches.text("over_limit")
        if len(value) > longest and policy == "drop":
            msg = f"{name} is longer than {longest} characters"
            raise InvalidRowError(msg)
        parts.append(value[:longest] if policy == "truncate" else value)
    return parts[0], parts[1]


def _attributes(service: Service, kind: str, row: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return the attributes of a row, each checked against its definition."""
    given = row.get("attributes", {})
    if not isinstance(given, dict):
        msg = "attributes is not an object"
        raise InvalidRowError(msg)
    known = service.store.definitions.by_object.get(kind, {})
    over_limit = service.switches.text("over_limit")
    pairs = []
    for name, value in given.items():
        text = _value_text(service, name, value)
        if text == "":
            if service.switches.text("empty_value") == "ignore":
                continue
            text = None
        if text is not None and name in known:
            stored_value(known[name], text, _TEXT_MAX[kind], service.switches)
        elif text is not None and len(text) > _TEXT_MAX[kind] and over_limit == "drop":
            msg = f"{name}: text is longer than {_TEXT_MAX[kind]} characters"
            raise InvalidRowError(msg)
        pairs.append((name, text))
    return pairs


def _value_text(service: Service, name: str, value: object) -> str | None:
    """Return a value as text; whether other JSON types than strings are taken, nobody has shown."""
    if isinstance(value, str):
        return value
    if service.switches.text("hub_values") == "strings" or isinstance(value, dict | list):
        msg = f"{name}: value is not a string"
        raise InvalidRowError(msg)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _split(
    service: Service, what: str, pairs: list[tuple[str, str | None]]
) -> tuple[dict[str, str | None], list[tuple[str, str | None]]]:
    """Return names and related ids on one side, attributes on the other."""
    fields: dict[str, str | None] = {}
    attributes = []
    for name, value in pairs:
        if name not in _BASE[what]:
            attributes.append((name, value))
            continue
        kept, fault = base_value(what, _BASE[what][name], value, service.switches)
        if fault:
            raise InvalidRowError(fault)
        fields[_BASE[what][name]] = kept
    return fields, attributes


def _collection(service: Service, collection_type: str, row: dict[str, Any]) -> Change:
    if not collection_type or len(collection_type) > limits.COLLECTION_TYPE_MAX:
        msg = "collection type is missing or too long"
        raise InvalidRowError(msg)
    if not isinstance(row.get("id"), str) or not row["id"]:
        msg = "id is missing"
        raise InvalidRowError(msg)
    account = "account_id" if "account_id" in row else "customer_id"
    kept = {
        "collection_type": collection_type,
        "id": row["id"],
        "account_id": _checked_account(row, account),
        "attributes": dict(_attributes(service, "collections", row)),
    }
    if service.store.is_blocked(str(kept["account_id"])):
        return partial(service.store.log, "hub", "account is blocked", **kept)
    return partial(service.store.documents.put, "collections", kept)


ROUTES: Final = (
    Route("POST", "/api/v1/accounts", "hub", handle),
    Route("POST", "/api/v1/users", "hub", handle),
    Route("POST", "/api/v1/usage", "hub", handle),
    Route("POST", "/api/v1/collections/*", "hub", handle),
)
