"""What it means when no whole answer came, whichever library noticed it."""

from __future__ import annotations

from typing import Final

from totango_api.errors import RefusedError, UnavailableError

_SLOW: Final = "If this repeats, lower page_size or raise request_timeout."


def no_connection(endpoint: str) -> UnavailableError:
    """Refused, or no such host: nothing was sent."""
    return UnavailableError(
        endpoint, reason="no connection could be made", may_have_succeeded=False
    )


def no_connection_in_time(endpoint: str) -> UnavailableError:
    """Nobody took the connection: nothing was sent."""
    return UnavailableError(endpoint, reason="no connection in time", may_have_succeeded=False)


def no_answer_in_time(endpoint: str) -> UnavailableError:
    """The request went out, and then nothing came, or too slowly."""
    return UnavailableError(endpoint, reason="no answer in time", remedy=_SLOW)


def dropped(endpoint: str) -> UnavailableError:
    """The connection ended before an answer began."""
    return UnavailableError(endpoint, reason="the connection was dropped")


def cut_short(endpoint: str) -> UnavailableError:
    """The connection ended within the answer."""
    return UnavailableError(endpoint, reason="the answer was cut short")


def not_verified(endpoint: str) -> RefusedError:
    """Who answers cannot show that it is the host."""
    return RefusedError(
        endpoint,
        reason="the TLS connection could not be verified",
        remedy="Check the URL, and REQUESTS_CA_BUNDLE if a proxy re-signs traffic.",
    )


def not_made(endpoint: str, error: Exception) -> RefusedError:
    """The request itself is at fault; the error's own words may hold anything."""
    return RefusedError(endpoint, reason=f"the request could not be made ({type(error).__name__})")
