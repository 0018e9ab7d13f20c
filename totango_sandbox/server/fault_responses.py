"""What each fault of :mod:`totango_sandbox.faults` looks like on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_sandbox.http import (
    HTML,
    JSON,
    TEXT,
    Header,
    Response,
    failed,
    limit_headers,
    reply,
    too_many,
)

if TYPE_CHECKING:
    from totango_sandbox.faults import FaultRule
    from totango_sandbox.service import Service

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
