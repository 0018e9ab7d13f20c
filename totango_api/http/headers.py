"""Reads headers of responses: the rate limit, how long to wait, the clock, the id of a call."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUEST_IDS: Final = ("X-Request-Id", "X-Amzn-RequestId", "X-Correlation-Id")
_EPOCH_SECONDS: Final = 1_000_000_000
_EPOCH_MILLISECONDS: Final = 1_000_000_000_000

_CUT: Final = 1.0
"""Seconds by which a Date header may be early: it leaves out fractions."""


@dataclass(frozen=True)
class ServerRateLimit:
    """The state of a server's rate limit, as its headers say it.

    Attributes:
        remaining: Calls left in its window.
        reset_in: Seconds until the window ends.
    """

    remaining: int
    reset_in: float

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], *, now: float) -> ServerRateLimit | None:
        """Read `RateLimit-*` or `X-RateLimit-*`; the reset in seconds or as an epoch.

        Args:
            headers: Response headers, case-insensitive.
            now: Wall clock, epoch seconds.

        Returns:
            None when the headers are absent or not numbers.
        """
        remaining = _number(headers, "Remaining")
        reset_in = seconds_to_reset(headers, now=now)
        if remaining is None or reset_in is None:
            return None
        return cls(remaining=int(remaining), reset_in=reset_in)


def seconds_to_reset(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds until the server's window ends, if it says so.

    The header may count seconds, or name an epoch in seconds or milliseconds.
    """
    reset = _number(headers, "Reset")
    if reset is None:
        return None
    if reset >= _EPOCH_MILLISECONDS:
        reset = reset / 1000 - now
    elif reset >= _EPOCH_SECONDS:
        reset -= now
    return max(reset, 0.0)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(f"RateLimit-{name}") or headers.get(f"X-RateLimit-{name}")
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < math.inf else None


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a 429 asks to wait: `Retry-After`, or else the reset header.

    Moments are taken by the clock that named them: that of the response's own date.
    """
    sent = _moment(headers.get("Date"))
    now = time.time() if sent is None else sent
    seconds = _retry_after(headers.get("Retry-After"), now)
    return seconds_to_reset(headers, now=now) if seconds is None else seconds


def _retry_after(text: str | None, now: float) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        moment = _moment(text)
        return None if moment is None else max(moment - now, 0.0)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _moment(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return the id under which the server may have logged the call."""
    return next((excerpt(headers[name]) for name in _REQUEST_IDS if name in headers), "")


def charset_of(headers: Mapping[str, str]) -> str:
    """Return the charset that `Content-Type` names; empty if it names none."""
    message = Message()
    message["Content-Type"] = headers.get("Content-Type", "")
    return message.get_content_charset("")


class ServiceClock:
    """Compares clocks by the Date headers of responses."""

    def __init__(self) -> None:
        self._least: float | None = None

    @property
    def ahead(self) -> float:
        """Seconds by which this machine's clock is ahead; 0 where it is not, or nobody knows."""
        return max(self._least or 0.0, 0.0)

    @property
    def latest(self) -> float:
        """The latest that it can be at the service, in epoch seconds; else this machine says."""
        return time.time() - (self._least or 0.0)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take in when the server says that it answered; the quickest response tells best."""
        said = _moment(headers.get("Date"))
        if said is None:
            return
        ahead = time.time() - said - _CUT
        self._least = ahead if self._least is None else min(self._least, ahead)
