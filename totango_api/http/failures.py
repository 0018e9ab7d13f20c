"""Names the reasons why no whole response came, whichever library says so."""

from __future__ import annotations

import enum
from typing import Any, Final

from totango_api.errors import ApiError, RefusedError, UnavailableError

PROXY_REMEDY: Final = "Check HTTPS_PROXY, with its user and password, and NO_PROXY."

_SERVER_FAULT: Final = 500


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
        "If this repeats, lower page_size or raise request_timeout.",
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
