"""Sends single calls by an adapter of requests; its exceptions become our errors."""

from __future__ import annotations

import re
import ssl
import time
import traceback
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import exceptions

from totango_api.config import CONNECT_TIMEOUT
from totango_api.http.environment import ca_bundle
from totango_api.http.responses import (
    KEPT_BYTES,
    OK,
    Failure,
    Response,
    failed_tunnel,
    unsendable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import urllib3

    from totango_api.errors import ApiError

SLOWEST_RESPONSE: Final = 10
"""A response that trickles is given up after this many times the timeout."""

_CHUNK: Final = 1 << 16
_EXCEPTIONS: Final = (requests.RequestException, exceptions.HTTPError, OSError, ValueError)
"""Exceptions in which a call may end."""

_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")

_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], Failure], ...]] = (
    ((ssl.SSLCertVerificationError,), Failure.NOT_VERIFIED),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), Failure.DROPPED),
    ((exceptions.SSLError, requests.exceptions.SSLError, ssl.SSLError), Failure.NO_TLS),
    ((exceptions.ProxyError, requests.exceptions.ProxyError), Failure.NO_PROXY),
    ((exceptions.NewConnectionError,), Failure.NO_CONNECTION),
    ((exceptions.ConnectTimeoutError,), Failure.NO_CONNECTION_IN_TIME),
    ((exceptions.TimeoutError, TimeoutError), Failure.NO_RESPONSE_IN_TIME),
    ((exceptions.IncompleteRead, exceptions.DecodeError), Failure.CUT_SHORT),
    ((exceptions.InvalidHeader,), Failure.NOT_HTTP),
    ((exceptions.ProtocolError, ConnectionError), Failure.DROPPED),
)
"""The first line counts that fits an exception, or one that it wraps."""

_UNSENT: Final = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)
"""Exceptions of a request that cannot be sent."""


class Adapter(HTTPAdapter):
    """Keeps connections. Follows no redirect, stores no cookie, reads no `.netrc`.

    A session would do all of that if it were not told otherwise, and read the environment for every
    call. It does nothing else that is needed here, and takes a quarter of the time of a call.

    Args:
        timeout: Seconds without a byte.
        pool_size: Connections kept alive for each host.
    """

    def __init__(self, timeout: float, pool_size: int) -> None:
        # Not one retry, not even where a kept connection was dropped: see retry.py.
        super().__init__(4, pool_size, max_retries=0)
        self._timeout = timeout
        self._environment: dict[str, dict[str, Any]] = {}

    def exchange(
        self, endpoint: str, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Response:
        """Send a request once and read its response.

        Args:
            endpoint: Method and URL, for errors.
            method: HTTP method.
            url: Where.
            body: Encoded body, or None.
            headers: All that are sent, but for those that say how.

        Raises:
            ApiError: If no whole response came.
            SettingsError: If the environment names certificates that do not exist.
        """
        timeout = (min(CONNECT_TIMEOUT, self._timeout), self._timeout)
        try:
            request = requests.PreparedRequest()
            request.prepare(method, url, headers, data=body)
            environment = self._environment_of(url)
        except _EXCEPTIONS as error:
            raise unsendable(endpoint, error) from None
        try:
            with self.send(request, stream=True, timeout=timeout, **environment) as response:
                return Response(response.status_code, response.headers, self._read(response.raw))
        except _EXCEPTIONS as error:
            # urllib3 leaves a connection open whose headers it does not understand.
            for cause in _causes(error):
                traceback.clear_frames(cause.__traceback__)
            raise _error_of(endpoint, error) from None

    def _read(self, raw: urllib3.BaseHTTPResponse) -> bytes:
        """Read a body: all of it where it is the result, else as much as may be quoted."""
        if raw.status < 200:
            raise exceptions.ProtocolError
        limit = float("inf") if raw.status in OK else KEPT_BYTES
        deadline = time.monotonic() + SLOWEST_RESPONSE * self._timeout
        chunks, size = [], 0
        # Not stream(), which returns nothing before a chunk is full, however long that takes.
        while size < limit and (chunk := raw.read1(_CHUNK, decode_content=True)):
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise exceptions.TimeoutError
        return b"".join(chunks)

    def _environment_of(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates for a URL; looked up once for each host."""
        host = urlsplit(url)._replace(path="", query="").geturl()
        found = self._environment.get(host)
        if found is None:
            verify = ca_bundle() if host.startswith("https:") else True
            found = {"proxies": get_environ_proxies(host), "verify": verify}
            self._environment[host] = found
        return found


def _error_of(endpoint: str, exception: Exception) -> ApiError:
    """Return the error of a call that ended in an exception. Its own words may hold anything.

    What is not known may have come after the call was carried out.
    """
    causes = list(_causes(exception))
    for cause in causes:
        if isinstance(cause, OSError) and (refused := _TUNNEL.search(str(cause))):
            return failed_tunnel(endpoint, int(refused.group(1)))
    for kinds, failure in _FAILURES:
        if any(isinstance(cause, kinds) for cause in causes):
            return failure.error(endpoint)
    if isinstance(exception, _UNSENT):
        return unsendable(endpoint, exception)
    return Failure.NOT_HTTP.error(endpoint)


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it wraps, from the outside in."""
    yield exception
    wrapped = (getattr(exception, name, None) for name in ("reason", "original_error"))
    for inner in (*wrapped, *exception.args):
        if isinstance(inner, BaseException) and inner is not exception:
            yield from _causes(inner)
