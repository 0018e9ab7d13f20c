"""The outer shapes of answers (clients of the Search API, List API sample)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.server.http import Response, reply

if TYPE_CHECKING:
    from totango_sandbox.server.service import Service

_VERSION: Final = 1.0
_REVISION: Final = "r12692"


class Failure(Exception):  # noqa: N818 (it is an answer, not an accident)
    """A call that Totango answers with ``status: failed``."""


def success(service: Service, kind: str, took_ms: int, response: dict[str, Any]) -> dict[str, Any]:
    """``status: success`` around a response."""
    return {"status": "success", **_common(service, kind), "took": took_ms, "response": response}


def failed(service: Service, kind: str, message: str, status: int | None = None) -> Response:
    """``status: failed``; its HTTP status is not documented, hence a switch."""
    if status is None:
        status = service.switches.whole("failed_status")
    return reply({"status": "failed", "_error": message, **_common(service, kind)}, status)


def unauthorized(message: str) -> Response:
    """A 401 as Totango's own Zendesk app reads it."""
    return reply({"error": {"type": "authentication_failed", "message": message}}, 401)


def _common(service: Service, kind: str) -> dict[str, Any]:
    return {
        "service_id": service.service_number,
        "_type": kind,
        "_version": _VERSION,
        "_revision": _REVISION,
    }
