"""The ASGI application: finds the route, plays faults, sends the response, keeps the call log."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from totango_sandbox import faults
from totango_sandbox.endpoints import ROUTES, answer_control
from totango_sandbox.errors import ApiError
from totango_sandbox.http import Request, Response, reply
from totango_sandbox.pages import PAGES, show_error
from totango_sandbox.server.processing import fault_response, process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_sandbox.endpoints import Handler, Route
    from totango_sandbox.service import Service


class Router:
    """Finds routes by method and path; a slash at the end of a path makes no difference."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._exact = {
            (route.method, route.path): route for route in routes if "*" not in route.path
        }
        self._patterns = [
            (route, re.compile(re.escape(route.path).replace(r"\*", "([^/]+)")))
            for route in routes
            if "*" in route.path
        ]

    def find(self, method: str, raw_path: str) -> tuple[Route, tuple[str, ...]] | None:
        """Return the route of a path, and the parts of the path that the route leaves open."""
        path = raw_path.rstrip("/")
        route = self._exact.get((method, path))
        if route is not None:
            return route, ()
        for route, pattern in self._patterns:
            match = pattern.fullmatch(path) if method == route.method else None
            if match is not None:
                return route, tuple(map(unquote, match.groups()))
        return None


Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Where :mod:`totango_sandbox.server.run` puts the connection, for faults below HTTP.
TRANSPORT: Final = "totango_sandbox.transport"
_NO_ANSWER: Final = 0
_API: Final = Router(ROUTES)
_PAGES: Final = Router(PAGES)
# Timers of an event loop may go off a millisecond early; a slow answer is never early.
_EARLY_SECONDS: Final = 0.002


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
        found = _API.find(request.method, request.raw_path)
        if found is None:
            await _send(send, self._elsewhere(request))
            return
        route, request.path_values = found
        request.surface = route.surface
        started = int(time.time() * 1000)
        status = _NO_ANSWER
        self.service.calls.begin(request.surface)
        try:
            response = await self._answer(request, route.handler, scope, receive)
            if response is not None:
                status = response.status
                await _send(send, response)
        finally:
            self.service.calls.end(request, status, started, time.perf_counter() - request.arrived)

    def _elsewhere(self, request: Request) -> Response:
        """Answer what is not Totango: control calls, pages, and what does not exist."""
        if request.path.startswith("/sandbox/"):
            return answer_control(self.service, request)
        found = _PAGES.find(request.method, request.raw_path)
        if found is None:
            return reply({"error": f"there is no {request.method} {request.path}"}, 404)
        route, request.path_values = found
        try:
            return route.handler(self.service, request)
        except ApiError as error:
            return show_error(request, error)

    async def _answer(
        self, request: Request, handler: Handler, scope: Scope, receive: Receive
    ) -> Response | None:
        """Return the response, or None when the connection was closed instead."""
        service = self.service
        if not service.faults.rules:
            return process(service, request, handler)
        rules = service.faults.strike(request.surface, request.query_string, request.body)
        for rule in rules:
            if rule.fault == "slow":
                await asyncio.sleep(rule.delay + _EARLY_SECONDS)
        request.faults = tuple(
            rule.fault for rule in rules if rule.fault in faults.PLAYED_BY_HANDLER
        )
        before = next((rule for rule in rules if rule.fault in faults.BEFORE), None)
        if before is not None:
            await _hang_up(scope, receive, before)
            return None
        instead = next((rule for rule in rules if rule.is_answer), None)
        if instead is not None and not instead.applied:
            return fault_response(service, instead)
        response = process(service, request, handler)
        if instead is not None:
            response = fault_response(service, instead)
        after = next((rule for rule in rules if rule.fault in faults.AFTER), None)
        if after is not None:
            await _hang_up(scope, receive, after, response)
            return None
        return response


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
    scope: Scope, receive: Receive, rule: faults.FaultRule, response: Response | None = None
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
            await receive()  # the body was read: nothing else comes
    except TimeoutError:
        return
