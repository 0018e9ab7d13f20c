"""Reads that describe the service, and the deletion of single users."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from totango_sandbox.endpoints.bodies import NOT_FOUND
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import HTML, Request, Response, reply
from totango_sandbox.storage import (
    ROLES,
    STATUS_GROUPS,
    TYPES,
    UNKNOWN_STATUS,
    Definition,
    attribute_values,
)

if TYPE_CHECKING:
    from totango_sandbox.service import Service
    from totango_sandbox.switches import Switches

# Totango's own Zendesk app: site t11 is the EU.
_SITES: Final = {"us": "t1", "eu": "t11"}


def attributes(service: Service, request: Request) -> Response:
    """``/api/v1/attributes.json``, undocumented; may be forbidden or of another shape."""
    mode = service.switches.text("attributes_json")
    if mode == "off":
        msg = "forbidden"
        raise ApiError(msg, 403)
    if mode == "404":
        msg = "not found"
        raise ApiError(msg, NOT_FOUND)
    if mode == "html":
        return Response(200, b"<html><body>Sign in to Totango</body></html>", [HTML])
    if mode == "empty":
        return reply({"list": []})
    found = [
        _described(definition, service.switches)
        for kind in ("accounts", "users")
        for definition in service.store.definitions.by_object[kind].values()
    ]
    request.rows = len(found)
    if mode == "odd":
        return reply({"attributes": {str(one["key_name"]): one for one in found}})
    return reply({"list": found})


def _described(definition: Definition, switches: Switches) -> dict[str, object]:
    one: dict[str, object] = {
        "key_name": definition.key_name,
        "display_name": definition.key_name,
        "type": _shown_type(definition, switches),
        "object": "account" if definition.object == "accounts" else "user",
    }
    if definition.type == "currency":
        one["formatSettings"] = {"sign": "USD"}
    shown = switches.text("options_shown")
    if definition.options and shown != "off":
        names = list(definition.options)
        one["options"] = names if shown == "texts" else [{"name": name} for name in names]
    return one


def _shown_type(definition: Definition, switches: Switches) -> str:
    if definition.object == "accounts" and definition.key_name in ROLES:
        return switches.text("role_type")
    return TYPES[definition.type]


def domains(service: Service, _request: Request) -> Response:
    """``/domains/?service_id=N``: which region a service lives in."""
    return reply({"site": _SITES[service.switches.text("region")]})


def account(service: Service, request: Request) -> Response:
    """``/api/v2/accounts/{id}/``."""
    store = service.store
    store.settle()
    row = store.accounts.rows_by_key.get(request.path_values[0])
    if row is None:
        msg = "Account not found"
        raise ApiError(msg, NOT_FOUND)
    request.rows = 1
    base = store.accounts.base
    found = attribute_values(store, store.accounts, row)
    status = found.get("Status")
    return reply(
        {
            "account": {
                "id": base["id"][row],
                "display_name": base["display"][row],
                "status": status,
                "status_group": STATUS_GROUPS.get(str(status), UNKNOWN_STATUS),
                "health": {"curr": base["health"][row]},
                "metrics": {},
                "tags": [],
                "attributes": {
                    name: {"val": value, "display_name": name} for name, value in found.items()
                },
            }
        }
    )


def delete_user(service: Service, request: Request) -> Response:
    """``DELETE /api/v2/users/account-user/{account}/{user}`` (Totango: User Delete API)."""
    store = service.store
    store.settle()
    account_id, user_id = request.path_values
    if (account_id, user_id) not in store.users.rows_by_key:
        if service.switches.text("delete_missing") == "404":
            msg = "User not found"
            raise ApiError(msg, NOT_FOUND)
        return reply({"status": "success"})
    request.rows = 1
    store.submit(partial(store.delete_user, account_id, user_id))
    return reply({"status": "success"})


ROUTES: Final = (
    Route("GET", "/api/v1/attributes.json", "attributes", attributes),
    Route("GET", "/domains", "domains", domains),
    Route("GET", "/api/v2/accounts/*", "account", account),
    Route("DELETE", "/api/v2/users/account-user/*/*", "delete", delete_user),
)
