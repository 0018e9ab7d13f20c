"""Bytes out, bytes in: kept-alive connections, verified TLS, timeouts, no redirects.

`requests` finds the proxies and certificates that the environment asks for and sets the pools up
accordingly; the calls themselves go to its urllib3 pools. That way no redirect is followed, no
credential is added from a .netrc file, no cookie is kept, and a small call costs a third.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Timeout, exceptions

from totango_api.config import CONNECT_TIMEOUT
from totango_api.http import failures
from totango_api.http.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from totango_api.errors import ApiError

SLOWEST_ANSWER: Final = 10
"""An answer that trickles is given up after this many times the timeout."""

_CHUNK: Final = 1 << 16


@dataclass(frozen=True)
class _Route:
    """The connections to a host; whether a proxy wants to be told the whole URL."""

    pool: HTTPConnectionPool
    whole_url: bool


class Wire:
    """Sends requests; safe to share between threads.

    Args:
        pool_size: Connections kept alive for each host.
        timeout: Seconds without a byte.
    """

    def __init__(self, *, pool_size: int, timeout: float) -> None:
        self._session = requests.Session()
        self._adapter = HTTPAdapter(pool_connections=4, pool_maxsize=pool_size, max_retries=0)
        self._timeout = Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout)
        self._longest = SLOWEST_ANSWER * timeout
        self._routes: dict[str, _Route] = {}

    def close(self) -> None:
        """Close every kept connection."""
        self._routes.clear()  # a pool closes its connections when nothing refers to it any more
        self._adapter.close()
        self._session.close()

    def exchange(
        self, endpoint: str, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Response:
        """Send one request and read its answer whole.

        Args:
            endpoint: What to call the request in errors.
            method: HTTP method.
            url: Absolute, percent-encoded.
            body: Encoded body, or None.
            headers: All headers but Host and Content-Length.

        Raises:
            UnavailableError: If no whole answer came.
            RefusedError: If the request cannot be made at all.
        """
        try:
            route = self._route(url)
            parts = urlsplit(url)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            response = route.pool.urlopen(
                method,
                url if route.whole_url else target,
                body=body,
                headers=headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
            return Response(response.status, response.headers, self._read(response))
        except (exceptions.HTTPError, requests.RequestException, OSError, ValueError) as error:
            raise _failure(endpoint, error) from None

    def _read(self, response: BaseHTTPResponse) -> bytes:
        deadline = time.monotonic() + self._longest
        chunks = []
        for chunk in response.stream(_CHUNK):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                response.close()
                raise exceptions.TimeoutError
        return b"".join(chunks)

    def _route(self, url: str) -> _Route:
        """Return the way to a host; found out once."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._routes:
            prepared = requests.Request("GET", f"{host}/").prepare()
            found = self._session.merge_environment_settings(prepared.url, {}, None, None, None)
            proxies, verify, cert = found["proxies"], found["verify"], found["cert"]
            adapter: Any = self._adapter  # in part without types
            pool = adapter.get_connection_with_tls_context(
                prepared, verify, proxies=proxies, cert=cert
            )
            adapter.cert_verify(pool, prepared.url, verify, cert)
            whole_url = adapter.request_url(prepared, proxies) != prepared.path_url
            self._routes[host] = _Route(pool, whole_url)
        return self._routes[host]


def _failure(endpoint: str, error: Exception) -> ApiError:
    """Return what an exception of the libraries means."""
    if isinstance(error, exceptions.ProxyError) and isinstance(error.original_error, Exception):
        error = error.original_error
    if isinstance(error, exceptions.SSLError):
        return failures.not_verified(endpoint)
    if isinstance(error, exceptions.NewConnectionError):  # refused, or no such host
        return failures.no_connection(endpoint)
    if isinstance(error, exceptions.ConnectTimeoutError):
        return failures.no_connection_in_time(endpoint)
    if isinstance(error, exceptions.TimeoutError):
        return failures.no_answer_in_time(endpoint)
    if isinstance(error, (exceptions.IncompleteRead, exceptions.DecodeError)):
        return failures.cut_short(endpoint)
    if isinstance(error, (exceptions.ProtocolError, ConnectionError)):
        return failures.dropped(endpoint)
    return failures.not_made(endpoint, error)
