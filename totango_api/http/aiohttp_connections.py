"""Connections of the async client to one URL, on aiohttp: its loop, its proxy."""

from __future__ import annotations

import asyncio
import functools
import select
import ssl
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from totango_api.config import CONNECT_TIMEOUT
from totango_api.errors import SettingsError
from totango_api.http.environment import proxy_of, tls_context
from totango_api.http.responses import KEPT_BYTES, Failure, Response, failed_tunnel, unsendable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from totango_api.config import Connection
    from totango_api.errors import ApiError
    from totango_api.http.client import Request

T = TypeVar("T")

IDLE_SECONDS: Final = 2.0
"""A connection is not used again after it was idle for this long.

Should the server be closing it at that moment, nobody could say whether an activity was counted."""

_INFORMATIONAL: Final = frozenset({100, *range(102, 200)})
"""Statuses (1xx) of messages that come before a response."""


_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], Failure], ...]] = (
    ((aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError), Failure.NOT_VERIFIED),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), Failure.DROPPED),
    ((aiohttp.ClientSSLError, ssl.SSLError), Failure.NO_TLS),
    ((aiohttp.ClientProxyConnectionError,), Failure.NO_PROXY),
    ((aiohttp.ClientConnectorError,), Failure.NO_CONNECTION),
    ((aiohttp.ConnectionTimeoutError,), Failure.NO_CONNECTION_IN_TIME),
    ((TimeoutError,), Failure.NO_RESPONSE_IN_TIME),
    ((aiohttp.ClientPayloadError,), Failure.CUT_SHORT),
    ((aiohttp.ClientResponseError, HttpProcessingError), Failure.NOT_HTTP),
    ((aiohttp.ClientConnectionError, ConnectionError), Failure.DROPPED),
)
"""The first line that fits an exception counts."""

_EXCEPTIONS: Final = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)
"""Exceptions in which a call may end."""


class Connections:
    """Posts bodies to one URL, over connections that are kept. Used in the thread of a loop.

    aiohttp connects, verifies, goes through proxies and parses. Its session is left out: calls
    differ in nothing but the body, and a session takes three times as long for each
    (benchmarks/floors/tracking.py has one). So nothing is taken from the environment, no cookie
    stored, no redirect followed, and nothing sent again.

    Args:
        request: What every call has in common: all but the body.
        connection: The shared settings.

    Raises:
        SettingsError: If a header cannot be sent, or the environment names a proxy or certificates
            that cannot be used.
    """

    def __init__(self, request: Request, connection: Connection) -> None:
        self._url = URL(request.url)
        self._headers = headers_of(request, connection.user_agent)
        self._proxy = proxy_of(request.url)
        self._context = tls_context() if self._url.scheme == "https" else True
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=min(CONNECT_TIMEOUT, connection.timeout)
        )
        self._endpoint = request.endpoint
        # A receipt is so small that it comes at once or not at all.
        self._seconds = min(CONNECT_TIMEOUT, connection.timeout) + connection.timeout
        self._head = b""

    async def open(self) -> None:
        """Get ready, in the thread of the loop."""
        self._connector = _Connector(limit=0, keepalive_timeout=IDLE_SECONDS, ssl=self._context)
        loop = asyncio.get_running_loop()
        self._deadline = Deadline(loop, self._seconds)
        self._request = aiohttp.ClientRequest(
            "POST",
            self._url,
            headers=self._headers,
            loop=loop,
            proxy=URL(self._proxy) if self._proxy else None,
        )

    async def post(self, body: bytes) -> Response:
        """Post a body, and return the response.

        Only as much of its body is read as is looked at; the rest of a longer one never is.

        Raises:
            ApiError: If none came, or not in time.
        """
        try:
            return await self._deadline.wait_for(self._exchange(body))
        except _EXCEPTIONS as error:
            raise _error_of(self._endpoint, error) from None

    async def _exchange(self, body: bytes) -> Response:
        connection = await self._connect()
        try:
            self._send(connection.transport, body)
            response = await _response(connection.protocol)
        except BaseException:
            connection.close()
            raise
        connection.release()
        return response

    async def _connect(self) -> Any:
        """Return a connection.

        Raises:
            ConnectionTimeoutError: If there is none in time.
            ClientError: If there is none.
        """
        try:
            return await self._connector.connect(self._request, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error

    async def close(self) -> None:
        """Close all connections."""
        await self._connector.close()

    def _send(self, transport: Any, body: bytes) -> None:
        """Send a request at once: what is sent a moment later is sent together with others.

        Then their responses come together, too, and each of them waits for the others.

        Raises:
            ConnectionResetError: If the server has closed the connection.
        """
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        if not self._head:
            # Connecting has added what a proxy wants to be told.
            self._head = _head_of(self._request)
        transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))


def _head_of(request: aiohttp.ClientRequest) -> bytes:
    """Return a request up to the number of bytes of its body."""
    is_handed_on = request.proxy is not None and not request.is_ssl()
    target = str(request.url) if is_handed_on else request.url.raw_path_qs
    headers = {name: text for name, text in request.headers.items() if name != "Content-Length"}
    lines = [f"POST {target} HTTP/1.1", *map(": ".join, headers.items()), "Content-Length: "]
    return "\r\n".join(lines).encode()


async def _response(protocol: Any) -> Response:
    """Return the next response on a connection.

    Raises:
        HttpProcessingError: If it is none.
        ClientError: If the connection ends before.
    """
    protocol.set_response_params(read_until_eof=True)
    message, content = await protocol.read()
    while message.code in _INFORMATIONAL:
        message, content = await protocol.read()
    kept = await content.read(KEPT_BYTES)
    while not content.at_eof() and len(kept) < KEPT_BYTES:
        kept += await content.read(KEPT_BYTES - len(kept))
    return Response(message.code, message.headers, kept)


class Deadline:
    """Limits how long each of many calls may take. Used in the thread of the loop.

    All take the same time at most, so one timer does for all of them; a timer for each would take
    a tenth of the time that a tracking call takes.

    Args:
        loop: Runs the calls.
        seconds: How long one may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._under_way: dict[asyncio.Task[Any], float] = {}
        self._overdue: set[asyncio.Task[Any]] = set()
        self._has_timer = False

    async def wait_for(self, call: Awaitable[T]) -> T:
        """Return the result of a call.

        Raises:
            TimeoutError: If it took too long.
        """
        task: Any = asyncio.current_task()
        self._under_way[task] = self._loop.time()
        if not self._has_timer:
            self._has_timer = True
            self._loop.call_later(self._seconds, self._end_overdue)
        try:
            return await call
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            self._overdue.remove(task)
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._under_way.pop(task, None)

    def _end_overdue(self) -> None:
        """Cancel what takes too long, and look again when the next one may."""
        now = self._loop.time()
        for task, started in list(self._under_way.items()):
            if started + self._seconds <= now:
                del self._under_way[task]
                self._overdue.add(task)
                task.cancel()
        self._has_timer = bool(self._under_way)
        if self._under_way:
            first = min(self._under_way.values())
            self._loop.call_at(first + self._seconds, self._end_overdue)


class _Connector(aiohttp.TCPConnector):
    """Uses no kept connection that the server has closed, or on which it said what nobody asked.

    aiohttp notices an end only when its loop comes to read it: a body sent before that is lost, and
    of an activity nobody could say whether it was counted. What a server says unasked would be
    taken for the response to the next request.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: WeakKeyDictionary[Any, Callable[[], bool]] = WeakKeyDictionary()

    async def connect(self, *arguments: Any, **options: Any) -> Any:
        """Return a connection."""
        while True:
            connection = await super().connect(*arguments, **options)
            protocol: Any = connection.protocol
            is_readable = self._used.get(protocol)
            if is_readable is None:
                self._used[protocol] = _readable(connection.transport)
                return connection
            if not protocol.should_close and not is_readable():
                return connection
            connection.close()


def _readable(transport: Any) -> Callable[[], bool]:
    """Return what tells whether something waits to be read, as the end of a connection does."""
    number = transport.get_extra_info("socket").fileno()
    if not hasattr(select, "poll"):  # Windows
        return lambda: bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return functools.partial(_polled, poll)


def _polled(poll: select.poll) -> bool:
    return bool(poll.poll(0))


def headers_of(request: Request, user_agent: str) -> dict[str, str]:
    """Return the headers of every call.

    Raises:
        SettingsError: If one cannot be sent.
    """
    headers = {"User-Agent": user_agent, "Accept-Encoding": "identity", **request.headers}
    for line in headers.values():
        if any(ord(character) < 0x20 or ord(character) > 0xFF for character in line):
            msg = "user_agent holds a character that cannot travel in a header."
            raise SettingsError(msg, remedy="Leave it out.")
    return headers


def _error_of(endpoint: str, exception: Exception) -> ApiError:
    """Return the error of a call that ended in an exception. Its own words may hold anything."""
    if isinstance(exception, aiohttp.ClientHttpProxyError):
        return failed_tunnel(endpoint, exception.status)
    for kinds, failure in _FAILURES:
        if isinstance(exception, kinds):
            return failure.error(endpoint)
    return unsendable(endpoint, exception)
