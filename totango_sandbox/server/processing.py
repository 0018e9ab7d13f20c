"""Makes the response to a call: by its handler if token and rate limit let it, or by a fault."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Final

from totango_sandbox.endpoints import refuse_credentials
from totango_sandbox.errors import ApiError, MissingTermsError
from totango_sandbox.http import (
    HTML,
    JSON,
    TEXT,
    Header,
    Request,
    Response,
    failed,
    limit_headers,
    reply,
    too_many,
    unauthorized,
)

if TYPE_CHECKING:
    from totango_sandbox.endpoints import Handler
    from totango_sandbox.faults import FaultRule
    from totango_sandbox.service import Service


_OK: Final = 200
# The surfaces whose calls are followed by movement of an object.
_MOVING: Final = {
    "accounts": "accounts",
    "scroll": "accounts",
    "users": "users",
    "events": "events",
}


def process(service: Service, request: Request, handler: Handler) -> Response:
    """Return the response that a call gets where no fault is in the way."""
    if request.surface == "tracking":
        return handler(service, request)
    refusal, token = _check_token(service, request)
    if refusal is not None:
        return refusal
    refusal, headers = _check_rate_limit(service, request, token)
    if refusal is not None:
        return refusal
    response = _handled(service, request, handler)
    response.headers += headers
    if response.status == _OK and request.surface in _MOVING:
        request.search = service.movement.after_search(_MOVING[request.surface])
    return response


def _check_token(service: Service, request: Request) -> tuple[Response | None, str]:
    """Return a 401 for a wrong token, or the token that the call is counted for."""
    if request.surface == "hub":
        return refuse_credentials(service, request), service.token
    token = request.header(b"app-token")
    if request.surface != "domains" and token != service.token:
        return unauthorized("app-token is missing or wrong"), token
    return None, token


def _check_rate_limit(
    service: Service, request: Request, token: str
) -> tuple[Response | None, list[Header]]:
    """Return a 429 past the rate limit, else the headers that say what is left of it."""
    switches = service.switches
    if request.surface == "hub" and not switches.on("hub_rate_limit"):
        return None, []
    is_within, headers = service.limit.spend(token, switches)
    if is_within:
        return None, headers
    seconds = next((value for name, value in headers if name.endswith(b"reset")), b"60")
    if switches.text("rate_reset") == "epoch":
        seconds = str(int(seconds) - int(time.time())).encode()
    return too_many(float(seconds), switches, headers), headers


def _handled(service: Service, request: Request, handler: Handler) -> Response:
    try:
        return handler(service, request)
    except MissingTermsError:
        return unauthorized("terms is missing")
    except ApiError as error:
        status = error.status or service.switches.whole("failed_status")
        return failed(service.number, request.surface, str(error), status)
    except Exception as error:  # noqa: BLE001 (a fault of the sandbox itself has to be seen)
        traceback.print_exc()
        return reply({"error": f"the sandbox itself failed: {error!r}"}, 500)


_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = 500
_PAGE: Final = b"<html><head><title>Please wait</title></head><body>Please wait</body></html>"


def fault_response(service: Service, rule: FaultRule) -> Response:
    """Return the response of a fault that is one (the others close or hold the connection)."""
    if rule.fault == "html":
        return Response(200, _PAGE, [HTML])
    if rule.fault == "failed200":
        return failed(service.number, "search", rule.say, 200)
    if rule.fault == "errors200":
        return reply({"errors": [{"message": rule.say}]})
    if rule.fault == "error200":
        return reply({"error": {"type": "chaos", "message": rule.say}})
    if rule.fault == "redirect":
        location = rule.to.encode("utf-8", errors="surrogateescape")
        return Response(302, b"", [HTML, (b"location", location)])
    if rule.fault == "answer":
        return Response(rule.status, rule.say.encode(), [_content_type(rule.say)])
    return _status(service, rule, int(rule.fault))


def _content_type(body: str) -> Header:
    if body.startswith("<"):
        return HTML
    return JSON if body[:1] in {"{", "[", '"'} or body == "null" else TEXT


def _status(service: Service, rule: FaultRule, status: int) -> Response:
    if status == _TOO_MANY:
        seconds = max(1, round(rule.retry))
        limit = service.switches.whole("rate_limit")
        headers = limit_headers(limit, 0, seconds, service.switches)
        return too_many(rule.retry, service.switches, headers)
    if status >= _SERVER_ERRORS:
        return Response(status, _PAGE.replace(b"Please wait", b"Server error"), [HTML])
    return reply({"error": {"type": "chaos", "message": rule.say}}, status)
