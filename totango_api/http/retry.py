"""When a call is sent again, and how long it waits: one policy for every way of sending."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any, Final, TypeVar

import backoff

from totango_api.errors import ApiError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from backoff.types import Details

logger = logging.getLogger(__name__)

F = TypeVar("F", bound="Callable[..., Any]")

LONGEST_BACKOFF: Final = 60.0


def retried(
    attempt: F,
    *,
    seconds: float,
    idempotent: bool,
    note: Callable[[], None],
    spent: float = 0.0,
) -> F:
    """Return an attempt, a plain function or a coroutine function, that is repeated for a while.

    Args:
        attempt: Raises an :class:`ApiError` when it failed.
        seconds: How long it may be retried.
        idempotent: Whether a second delivery does no harm.
        note: Called before each wait.
        spent: Seconds that are over already.
    """
    tries = 0

    def gives_up(error: Exception) -> bool:
        nonlocal tries
        tries += 1
        return not worth_another_try(error, seconds, idempotent=idempotent, tries=tries)

    def noted(details: Details) -> None:
        note()
        logger.warning(
            "%s Trying again in %.1f s (try %d).",
            details.get("exception"),
            details.get("wait", 0.0),
            details["tries"] + 1,
        )

    decorate = backoff.on_exception(
        _waits,
        ApiError,
        max_time=max(seconds - spent, 0.0),
        giveup=gives_up,
        on_backoff=noted,
        jitter=None,
        logger=None,
    )
    return decorate(attempt)


def worth_another_try(
    error: Exception, seconds: float, *, idempotent: bool, tries: int = 1
) -> bool:
    """Tell whether a call that failed so many times may succeed later, and does no harm then."""
    if not isinstance(error, ApiError) or not error.retriable:
        return False
    if error.max_tries is not None and tries >= error.max_tries:
        return False
    if error.may_have_succeeded and not idempotent:
        return False
    return not isinstance(error, RateLimitError) or error.wait <= seconds


def _waits() -> Generator[float, Any, None]:
    """Waits for backoff: what a 429 says, else exponential with full jitter from half."""
    error = yield 0.0
    doubling = 0.5
    while True:
        if isinstance(error, RateLimitError):
            error = yield error.wait
            continue
        doubling = min(doubling * 2, LONGEST_BACKOFF)
        error = yield doubling * random.uniform(0.5, 1.0)  # noqa: S311 (not cryptography)
