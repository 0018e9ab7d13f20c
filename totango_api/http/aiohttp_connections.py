"""What the async client needs of aiohttp: connections to one URL, its loop and its proxy."""

from __future__ import annotations

import asyncio
import functools
import importlib
import select
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import aiohttp
from requests.utils import get_environ_proxies, select_proxy
from yarl import URL

from totango_api.config import CONNECT_TIMEOUT
from totango_api.errors import SettingsError
from totango_api.http.responses import KEPT_BYTES, Response
from totango_api.http.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_api.config import Connection
    from totango_api.http.client import Request

IDLE_SECONDS: Final = 2.0
"""A connection is not used again after it was idle for this long.

Should the server be closing it at that moment, nobody could say whether an activity was counted."""

_INFORMATIONAL: Final = frozenset({100, *range(102, 200)})
"""What comes before a response."""


class Connections:
    """Posts bodies to one URL, over connections that are kept. Used in the thread of a loop.

    aiohttp connects, verifies, goes through proxies and parses. Its session is left out: calls
    differ in nothing but the body, and a session takes three times as long for each
    (benchmarks/floors/tracking.py has one). So nothing is taken from the environment, no cookie
    stored, no redirect followed, and nothing sent again. How long a call takes is for the caller
    to watch.

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
        self._head = b""

    async def open(self) -> None:
        """Get ready, in the thread of the loop."""
        self._connector = _Connector(limit=0, keepalive_timeout=IDLE_SECONDS, ssl=self._context)
        self._request = aiohttp.ClientRequest(
            "POST",
            self._url,
            headers=self._headers,
            loop=asyncio.get_running_loop(),
            proxy=URL(self._proxy) if self._proxy else None,
        )

    async def post(self, body: bytes) -> Response:
        """Post a body, and return the response.

        Only as much of its body is read as is looked at; the rest of a longer one never is.
        """
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


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where it is installed, which takes a quarter less time."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …).

    Raises:
        SettingsError: If it is of a kind that cannot be used.
    """
    proxy: str | None = select_proxy(url, get_environ_proxies(url))
    if proxy is None:
        return None
    scheme, separator, _ = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"
    if scheme not in {"http", "https"}:
        msg = f"The environment names a {scheme} proxy, which tracking calls cannot use."
        raise SettingsError(msg, remedy="Set HTTPS_PROXY to an HTTP proxy, or use delivery: hub.")
    return proxy


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
