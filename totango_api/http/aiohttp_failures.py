"""Maps exceptions of aiohttp to our errors."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http import HttpProcessingError

from totango_api.http.failures import Failure, failed_tunnel, unsendable

if TYPE_CHECKING:
    from totango_api.errors import ApiError

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

EXCEPTIONS: Final = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)
"""What a call may end in."""


def error_of(endpoint: str, exception: Exception) -> ApiError:
    """Return the error of a call that ended in an exception. Its own words may hold anything."""
    if isinstance(exception, aiohttp.ClientHttpProxyError):
        return failed_tunnel(endpoint, exception.status)
    for kinds, failure in _FAILURES:
        if isinstance(exception, kinds):
            return failure.error(endpoint)
    return unsendable(endpoint, exception)
