"""Responses, and the table from a status, or from no response at all, to one of our errors."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    RefusedError,
    ResponseError,
    UnavailableError,
)
from totango_api.http.headers import request_id_of, wait_asked
from totango_api.limits import RATE_WINDOW_SECONDS
from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

OK: Final = range(200, 300)
"""Statuses (2xx) of what was done."""

_REDIRECTS: Final = range(300, 400)
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_PROXY_AUTHENTICATION: Final = 407
_REQUEST_TIMEOUT: Final = 408
_TOO_MANY: Final = 429
_SERVER_FAULT: Final = 500

PROXY_REMEDY: Final = "Check HTTPS_PROXY, with its user and password, and NO_PROXY."

KEPT_BYTES: Final = 1 << 16
"""So much is read of a body that is only quoted, or that can only be a receipt."""


@dataclass(frozen=True)
class Response:
    """A response that arrived whole.

    Attributes:
        headers: Case-insensitive.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def error_for(
    endpoint: str, response: Response, *, region: str, surface: str = "api"
) -> ApiError | None:
    """Return the error that a status stands for; None for 2xx.

    Args:
        endpoint: Method and URL, for the message.
        response: The response.
        region: `us` or `eu`.
        surface: `api`, `tracking` or `hub`: they take different tokens, and limit calls
            differently.
    """
    status = response.status
    if status in OK:
        return None
    said: dict[str, Any] = {
        "status": status,
        "reason": reason_in(response.body),
        "request_id": request_id_of(response.headers),
    }
    if status == _TOO_MANY:
        return _rate_limited(endpoint, response.headers, surface)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        remedy = authentication_remedy(region, surface)
        return AuthenticationError(endpoint, remedy=remedy, **said)
    if status == _PROXY_AUTHENTICATION:
        return RefusedError(endpoint, remedy=PROXY_REMEDY, **said)
    if status == _REQUEST_TIMEOUT:
        # So a kept connection is ended that was idle for too long: the call had not come.
        return UnavailableError(endpoint, may_have_succeeded=False, **said)
    if status >= _SERVER_FAULT:
        return UnavailableError(endpoint, **said)
    if status in _REDIRECTS:
        said["reason"] = _REDIRECT
        return ResponseError(endpoint, remedy="Check region and the URL settings.", **said)
    if status < OK.start:
        return Failure.NOT_HTTP.error(endpoint)
    return RefusedError(endpoint, **said)


_REDIRECT: Final = "a redirect, which is never followed because it would carry the token along"


def authentication_remedy(region: str, surface: str = "api") -> str:
    """Return what to do when a token is not accepted."""
    other = "US? set region: us" if region == "eu" else "EU? set region: eu"
    if surface == "tracking":
        check = "Check sdr_token (Settings, SDR tokens) and service_id."
    else:
        check = (
            "Check app_token: it may be mistyped, expired or revoked, or its owner may have left."
        )
    return f"{check} Is your service in the {other}."


def _rate_limited(endpoint: str, headers: Mapping[str, str], surface: str) -> RateLimitError:
    """Return the error for a 429.

    The REST API counts calls a minute, so without a word it asks for one. Tracking calls are not
    limited: a gateway before them is briefly busy.
    """
    wait = wait_asked(headers)
    if surface == "tracking":
        remedy = "If this repeats, lower max_in_flight."
        return RateLimitError(endpoint, wait=wait, remedy=remedy)
    return RateLimitError(
        endpoint,
        wait=float(RATE_WINDOW_SECONDS) if wait is None else wait,
        remedy="Another program may use the same token: lower rate_limit_per_minute.",
    )


def reason_in(body: bytes) -> str:
    """Return the reason that a body gives, scrubbed and cut."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return excerpt(body)
    return reason_of(decoded) if isinstance(decoded, dict) else excerpt(decoded)


def reason_of(decoded: dict[str, Any]) -> str:
    """Return the reason that an object gives, scrubbed and cut; empty if it gives none."""
    for key in ("_error", "error", "errors", "message"):
        value = decoded.get(key)
        if isinstance(value, dict):
            value = value.get("message") or value
        if value:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            return excerpt(text)
    return ""


# No response -----------------------------------------------------------------------------------


class Failure(enum.Enum):
    """Why no whole response came: words, whether the call may have been carried out, a remedy.

    What cannot be repaired by sending the call again is a refusal.
    """

    NO_CONNECTION = ("no connection could be made", False)
    NO_CONNECTION_IN_TIME = ("no connection in time", False)
    NO_PROXY = ("the proxy could not be reached", False, "Check HTTPS_PROXY and NO_PROXY.")
    NO_RESPONSE_IN_TIME = (
        "no answer in time",
        True,
        "If this repeats, raise request_timeout.",
    )
    DROPPED = ("the connection was dropped", True)
    CUT_SHORT = ("the response was cut short", True)
    NOT_HTTP = ("the response is not HTTP", True)
    NOT_VERIFIED = (
        "the certificate of the host could not be verified",
        None,
        "Check the URL, and REQUESTS_CA_BUNDLE or SSL_CERT_FILE if a proxy re-signs traffic.",
    )
    NO_TLS = ("no TLS connection could be made", None, "Check the URL: is it really https?")

    def __init__(self, reason: str, may_have_succeeded: bool | None, remedy: str = "") -> None:
        self.reason = reason
        self.may_have_succeeded = may_have_succeeded
        self.remedy = remedy

    def error(self, endpoint: str) -> ApiError:
        """Return the error of a call that failed so."""
        if self.may_have_succeeded is None:
            return RefusedError(endpoint, reason=self.reason, remedy=self.remedy)
        return UnavailableError(
            endpoint,
            reason=self.reason,
            remedy=self.remedy,
            may_have_succeeded=self.may_have_succeeded,
        )


def failed_tunnel(endpoint: str, status: int) -> ApiError:
    """Return the error for a status with which a proxy refuses to connect to a host."""
    said: dict[str, Any] = {"status": status, "reason": "the proxy did not connect to the host"}
    if status >= _SERVER_FAULT:
        return UnavailableError(endpoint, may_have_succeeded=False, **said)
    return RefusedError(endpoint, remedy=PROXY_REMEDY, **said)


def unsendable(endpoint: str, exception: Exception) -> RefusedError:
    """Return the error for a request that is itself at fault."""
    kind = type(exception).__name__
    return RefusedError(endpoint, reason=f"the request could not be made ({kind})")
