"""Decides when a call is sent again, and how long it waits: one policy for both clients."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import backoff

from totango_api.errors import ApiError, RateLimitError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

logger = logging.getLogger(__name__)

F = TypeVar("F", bound="Callable[..., Any]")

LONGEST_BACKOFF: Final = 60.0
LEAST_ASKED: Final = 0.5
LOG_SECONDS: Final = 10.0
"""Retries for the same reason are logged this often: an outage fails hundreds of calls a second."""


def retried(
    attempt: F,
    *,
    seconds: float,
    idempotent: bool,
    note: Callable[[ApiError, float], None],
    spent: float = 0.0,
) -> F:
    """Return an attempt, a plain function or a coroutine function, that is repeated for a while.

    Args:
        attempt: Raises an :class:`ApiError` when it failed.
        seconds: How long it may be retried.
        idempotent: Whether a second delivery does no harm.
        note: Called before each wait, with the error and the seconds.
        spent: Seconds that are over already.
    """
    tries = 0

    def gives_up(error: Exception) -> bool:
        nonlocal tries
        tries += 1
        return not is_worth_retrying(error, seconds, idempotent=idempotent, tries=tries)

    decorate = backoff.on_exception(
        _waits,
        ApiError,
        max_time=max(seconds - spent, 0.0),
        giveup=gives_up,
        on_backoff=lambda details: note(cast("ApiError", details["exception"]), details["wait"]),
        jitter=None,
        logger=None,
    )
    return decorate(attempt)


def is_worth_retrying(
    error: Exception, seconds: float, *, idempotent: bool, tries: int = 1
) -> bool:
    """Return whether a call that failed so many times may succeed later, and does no harm then."""
    if not isinstance(error, ApiError) or not error.retriable:
        return False
    if error.max_tries is not None and tries >= error.max_tries:
        return False
    if error.may_have_succeeded and not idempotent:
        return False
    return not isinstance(error, RateLimitError) or (error.wait or 0.0) <= seconds


def _waits() -> Generator[float, Any, None]:
    """Yield waits for backoff: what a 429 says, else exponential with full jitter from half.

    A 429 that says less than a moment is no leave to call without pause: it may name a time that is
    past by this machine's clock.
    """
    error = yield 0.0
    doubling = 0.5
    while True:
        asked = error.wait if isinstance(error, RateLimitError) else None
        if asked is not None and asked >= LEAST_ASKED:
            error = yield asked
            continue
        doubling = min(doubling * 2, LONGEST_BACKOFF)
        error = yield doubling * random.uniform(0.5, 1.0)  # noqa: S311 (not cryptography)


@dataclass
class _Logged:
    """When a kind of failure was logged last, and how many were not since."""

    last: float
    unsaid: int = 0


class RetryLog:
    """Logs the first failure of a kind at once, then how many there were every few seconds.

    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, int | None], _Logged] = {}

    def note(self, error: ApiError, wait: float) -> None:
        """Take note of a call that failed and will be sent again after a wait."""
        kind = (type(error).__name__, error.status)
        now = time.monotonic()
        with self._lock:
            logged = self._kinds.get(kind)
            if logged is not None and now - logged.last < LOG_SECONDS:
                logged.unsaid += 1
                return
            others = logged.unsaid if logged is not None else 0
            self._kinds[kind] = _Logged(now)
        also = f" So did {counted(others, 'other call')} in the last seconds." if others else ""
        logger.warning("%s%s Trying again in %.1f s.", error, also, wait)
