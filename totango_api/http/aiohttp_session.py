"""What the async client needs of aiohttp: a session, its connections, loop and proxy."""

from __future__ import annotations

import asyncio
import functools
import importlib
import select
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import aiohttp
from requests.utils import get_environ_proxies, select_proxy

from totango_api.config import CONNECT_TIMEOUT
from totango_api.errors import SettingsError
from totango_api.http.responses import KEPT_BYTES, Response

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from yarl import URL

    from totango_api.config import Connection
    from totango_api.http.client import Request

IDLE_SECONDS: Final = 2.0
"""A connection is not used again after it was idle for this long.

Should the server be closing it at that moment, nobody could say whether an activity was counted."""


async def open_session(
    connection: Connection, headers: dict[str, str], context: ssl.SSLContext | None
) -> aiohttp.ClientSession:
    """Return a session that stores no cookie and takes nothing from the environment.

    With `trust_env` aiohttp would send passwords of a `.netrc` file along. How long a call may take
    is for the caller to watch: a timer for each would take a tenth of the time that a call takes.

    Args:
        connection: The shared settings.
        headers: Of every request.
        context: For https.
    """
    return aiohttp.ClientSession(
        connector=_Connector(
            limit=0, keepalive_timeout=IDLE_SECONDS, ssl=True if context is None else context
        ),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=min(CONNECT_TIMEOUT, connection.timeout)
        ),
        trust_env=False,
    )


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


async def exchange(
    session: aiohttp.ClientSession, url: URL, body: bytes, *, proxy: str | None
) -> Response:
    """Post a body, and return the response.

    Only as much of its body is read as is looked at; the rest of a longer one never is.
    """
    response = await session.post(url, data=body, allow_redirects=False, proxy=proxy)
    try:
        content = response.content
        kept = await content.read(KEPT_BYTES)
        while not content.at_eof() and len(kept) < KEPT_BYTES:
            kept += await content.read(KEPT_BYTES - len(kept))
    finally:
        response.release()
    return Response(response.status, response.headers, kept)


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
