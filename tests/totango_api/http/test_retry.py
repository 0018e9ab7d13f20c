"""When calls are sent again, and what is said about it."""

from __future__ import annotations

import logging

import pytest

from totango_api.errors import RateLimitError, RefusedError, UnavailableError
from totango_api.http import retry
from totango_api.http.retry import RetryLog, is_worth_retrying, retried

DOWN = UnavailableError("POST /x", status=503)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, as the log counts them."""
    now = [1000.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])
    return now


def test_an_outage_is_a_few_lines(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    log = RetryLog()
    with caplog.at_level(logging.WARNING):
        for call in range(300):
            clock[0] = 1000.0 + call / 10
            log.note(DOWN, 0.5)
    lines = [record.message for record in caplog.records]
    assert lines == [
        "POST /x answered 503. Trying again in 0.5 s.",
        "POST /x answered 503. So did 99 other calls in the last seconds. Trying again in 0.5 s.",
        "POST /x answered 503. So did 99 other calls in the last seconds. Trying again in 0.5 s.",
    ]


def test_each_kind_of_failure_is_said(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    log = RetryLog()
    with caplog.at_level(logging.WARNING):
        for error in (DOWN, RateLimitError("POST /x", wait=3), DOWN, UnavailableError("POST /y")):
            log.note(error, 1.0)
    assert [record.message.split(".")[0] for record in caplog.records] == [
        "POST /x answered 503",
        "POST /x answered 429: too many requests",
        "POST /y failed",
    ]


@pytest.mark.parametrize(
    ("error", "tries", "idempotent", "is_worth_it"),
    [
        (DOWN, 1, True, True),
        (DOWN, 99, True, True),
        (DOWN, 1, False, False),
        (UnavailableError("x", may_have_succeeded=False), 1, False, True),
        (RefusedError("x", status=400), 1, True, False),
        (RefusedError("x", retriable=True, max_tries=2), 1, True, True),
        (RefusedError("x", retriable=True, max_tries=2), 2, True, False),
        (RateLimitError("x", wait=10), 1, False, True),
        (RateLimitError("x", wait=11), 1, False, False),
        (RateLimitError("x", wait=None), 1, False, True),
        (KeyError(), 1, True, False),
    ],
)
def test_what_is_sent_again(
    error: Exception, tries: int, idempotent: bool, is_worth_it: bool
) -> None:
    assert is_worth_retrying(error, 10, idempotent=idempotent, tries=tries) is is_worth_it


def test_waits_grow_or_are_what_the_server_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: high)
    monkeypatch.setattr("backoff._sync.time.sleep", lambda seconds: None)
    busy = [RateLimitError("x", wait=seconds) for seconds in (7, None, 0)]
    errors = [DOWN, DOWN, *busy, DOWN]
    waits: list[float] = []

    def attempt() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    again = retried(
        attempt, seconds=99, idempotent=True, note=lambda error, wait: waits.append(wait)
    )
    assert again() == "done"
    assert waits == [1, 2, 7, 4, 8, 16]
