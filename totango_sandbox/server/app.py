"""The ASGI application: routing, faults, tokens, the call budget and the record of calls."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import faults as chaos
from totango_sandbox.endpoints import control, hub
from totango_sandbox.search.query import MissingTerms
from totango_sandbox.server import fault_responses as faults
from totango_sandbox.server import routes
from totango_sandbox.server.envelopes import Failure, failed, unauthorized
from totango_sandbox.server.http import Request, Response, reply
from totango_sandbox.server.rate_limit import too_many

if TYPE_CHECKING:
    from totango_sandbox.server.service import Service

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Where :mod:`totango_sandbox.server.run` puts the connection, for faults below HTTP.
TRANSPORT: Final = "totango_sandbox.transport"
NO_ANSWER: Final = 0
_OK: Final = 200
# The surfaces whose calls are followed by movement of an object.
_MOVING: Final = {
    "accounts": "accounts",
    "scroll": "accounts",
    "users": "users",
    "events": "events",
}

EARLY_SECONDS: Final = 0.002
"""Timers of an event loop may go off a millisecond early; a slow answer is never early."""


class App:
    """Serves one emulated Totango."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        body = await _read_body(receive)
        request = Request(
            scope["method"],
            scope["path"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"],
            scope["headers"],
            body,
        )
        found = routes.find(request.method, request.raw_path)
        if found is None:
            await _send(send, self._elsewhere(request))
            return
        request.surface, handler = found
        started, clock = int(time.time() * 1000), time.perf_counter()
        status = NO_ANSWER
        self.service.ledger.begin(request.surface)
        try:
            response = await self._answer(request, handler, scope, receive)
            if response is not None:
                status = response.status
                await _send(send, response)
        finally:
            self.service.ledger.end(request, status, started, time.perf_counter() - clock)

    def _elsewhere(self, request: Request) -> Response:
        """What is not Totango: the sandbox's own pages, and what does not exist."""
        if request.path.startswith("/sandbox/"):
            return control.handle(self.service, request)
        if request.path == "/" and request.method == "GET":
            return control.front_page(self.service, request)
        return reply({"error": f"there is no {request.method} {request.path}"}, 404)

    async def _answer(
        self, request: Request, handler: routes.Handler, scope: Scope, receive: Receive
    ) -> Response | None:
        """The response, or None when the connection was closed instead."""
        service = self.service
        if not service.chaos.rules:
            return self._processed(request, handler)
        rules = service.chaos.strike(request.surface, request.query_string, request.body)
        for rule in rules:
            if rule.fault == "slow":
                await asyncio.sleep(rule.delay + EARLY_SECONDS)
        request.twists = tuple(rule.fault for rule in rules if rule.fault in chaos.TWISTS)
        before = next((rule for rule in rules if rule.fault in chaos.BEFORE), None)
        if before is not None:
            await _hang_up(scope, receive, before)
            return None
        instead = next((rule for rule in rules if rule.is_answer), None)
        if instead is not None and not instead.applied:
            return faults.answer(service, instead)
        response = self._processed(request, handler)
        if instead is not None:
            response = faults.answer(service, instead)
        after = next((rule for rule in rules if rule.fault in chaos.AFTER), None)
        if after is not None:
            await _hang_up(scope, receive, after, response)
            return None
        return response

    def _processed(self, request: Request, handler: routes.Handler) -> Response:
        """Check token and budget, then let the handler work."""
        service = self.service
        if request.surface == "tracking":
            return handler(service, request)
        refusal, token = self._refused(request)
        if refusal is not None:
            return refusal
        limited = request.surface != "hub" or service.switches.on("hub_rate_limit")
        within, headers = service.limit.spend(token, service.switches) if limited else (True, [])
        if not within:
            seconds = next((value for name, value in headers if name.endswith(b"reset")), b"60")
            if service.switches.text("rate_reset") == "epoch":
                seconds = str(int(seconds) - int(time.time())).encode()
            return too_many(float(seconds), service.switches, headers)
        try:
            response = handler(service, request)
        except MissingTerms:
            response = unauthorized("terms is missing")
        except Failure as failure:
            response = failed(service, "search", str(failure))
        except Exception as error:  # noqa: BLE001 (a fault of the sandbox itself has to be seen)
            traceback.print_exc()
            response = reply({"error": f"the sandbox itself failed: {error!r}"}, 500)
        response.headers += headers
        if response.status == _OK and (moving := _MOVING.get(request.surface)):
            request.search = service.movement.after_search(moving)
        return response

    def _refused(self, request: Request) -> tuple[Response | None, str]:
        """A 401 for a wrong token, or the token that the call is counted for."""
        if request.surface == "hub":
            return hub.is_authorized(self.service, request), self.service.token
        token = request.header(b"app-token")
        if request.surface != "domains" and token != self.service.token:
            return unauthorized("app-token is missing or wrong"), token
        return None, token


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return bytes(message.get("body", b""))
    pieces = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces)


async def _send(send: Send, response: Response) -> None:
    body, headers = response.body, response.headers
    if isinstance(body, bytes):
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    await send(start)
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
        return
    for piece in body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _hang_up(
    scope: Scope, receive: Receive, rule: chaos.Rule, response: Response | None = None
) -> None:
    """Close the connection: at once, after a while, or in the middle of a response."""
    transport: asyncio.Transport = scope[TRANSPORT]
    if rule.fault.startswith("timeout"):
        await _gone(receive, rule.hang)
    elif rule.fault == "truncate" and response is not None:
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        head = b"".join(name + b": " + value + b"\r\n" for name, value in response.headers)
        length = str(len(body)).encode()
        transport.write(b"HTTP/1.1 200 OK\r\n" + head + b"content-length: " + length)
        transport.write(b"\r\n\r\n" + body[: len(body) // 2])
    transport.close()
    # The server may only be left once it knows that the client is gone.
    await _gone(receive, None)


async def _gone(receive: Receive, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return
