"""Maps exceptions of requests and urllib3 to our errors."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING, Final

import requests
from urllib3 import exceptions

from totango_api.http.failures import Failure, failed_tunnel, unsendable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.errors import ApiError

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
    ((exceptions.ProtocolError, ConnectionError), Failure.DROPPED),
)
"""The first line counts that fits an exception, or one that it wraps."""


def error_of(endpoint: str, exception: Exception) -> ApiError:
    """Return the error of a call that ended in an exception. Its own words may hold anything."""
    causes = list(_causes(exception))
    for cause in causes:
        if isinstance(cause, OSError) and (refused := _TUNNEL.search(str(cause))):
            return failed_tunnel(endpoint, int(refused.group(1)))
    for kinds, failure in _FAILURES:
        if any(isinstance(cause, kinds) for cause in causes):
            return failure.error(endpoint)
    return unsendable(endpoint, exception)


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it wraps, from the outside in."""
    yield exception
    wrapped = (getattr(exception, name, None) for name in ("reason", "original_error"))
    for inner in (*wrapped, *exception.args):
        if isinstance(inner, BaseException) and inner is not exception:
            yield from _causes(inner)
