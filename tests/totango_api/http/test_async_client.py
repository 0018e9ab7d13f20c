"""Many calls at once: how many, over which connections, and what cancelling and closing leave."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from posting import Posting, any_body
from raw_server import CLOSE, OK, RawServer, speaking

from totango_api.errors import RateLimitError, SettingsError, UnavailableError
from totango_api.http import aiohttp_connections
from totango_api.http import retry as retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from raw_server import Script

    Start = Callable[..., tuple[RawServer, Posting]]

BUSY = b"HTTP/1.1 429 Busy\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"
DOWN = b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are counted elsewhere: here they are none."""
    monkeypatch.setattr(retries.random, "uniform", lambda *_: 0.0)


@pytest.fixture
def posting() -> Iterator[Callable[..., Posting]]:
    """`posting(url, …)`: a poster that is closed in the end."""
    with contextlib.ExitStack() as stack:

        def make(url: str, **settings: Any) -> Posting:
            made = Posting(url, any_body, **settings)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def served(posting: Callable[..., Posting]) -> Iterator[Start]:
    """`served(script, …)`: a server that follows a script, and a poster to it."""
    with contextlib.ExitStack() as stack:

        def start(script: Script, **settings: Any) -> tuple[RawServer, Posting]:
            server = stack.enter_context(speaking(script))
            return server, posting(server.url, **settings)

        yield start


def always(*said: bytes | float | str) -> Script:
    return lambda connection, place: said


@pytest.mark.parametrize("agent", ["a\r\nX: y", "a€"])
def test_a_header_that_cannot_travel_is_refused(agent: str, posting) -> None:
    with pytest.raises(SettingsError, match="user_agent"):
        posting("http://127.0.0.1:9", user_agent=agent)


def test_connections_are_kept_and_no_more_than_allowed(served: Start) -> None:
    server, posting = served(always(0.001, OK), limit=4)
    for job in range(100):
        posting.post(job)
    posting.wait(100)
    assert set(posting.answered.values()) == {None}
    assert len(server.asked) == 100
    assert len(set(server.connections)) <= 4
    assert posting.usage == (100, 0, {})


def test_a_mistake_in_reading_a_response_is_handed_on(posting) -> None:
    def read(endpoint: str, response: Any) -> None:
        raise KeyError(endpoint)

    with speaking(always(OK)) as server, contextlib.closing(Posting(server.url, read)) as mistaken:
        assert isinstance(mistaken.outcome(), KeyError)


# Trying again ------------------------------------------------------------------------------


def test_a_wait_that_is_too_long_is_not_waited_for(served: Start) -> None:
    server, posting = served(always(BUSY % 99), max_retry_seconds=20)
    error = posting.outcome()
    assert isinstance(error, RateLimitError)
    assert error.wait == 99
    assert len(server.asked) == 1


def test_a_429_without_a_word_is_not_waited_out_for_a_minute(served: Start) -> None:
    busy = b"HTTP/1.1 429 Busy\r\nContent-Length: 0\r\n\r\n"
    server, posting = served(
        lambda *_: [busy] if len(server.asked) < 3 else [OK], max_retry_seconds=20
    )
    assert posting.outcome() is None


def test_a_429_does_not_hold_back_calls_of_the_api(served: Start) -> None:
    _, posting = served(always(BUSY % 9), max_retry_seconds=5)
    posting.outcome()
    assert posting.client.rate_limiter._seconds_to_hold(time.monotonic()) <= 0


def test_other_calls_go_on_while_one_waits(served: Start) -> None:
    answers = [[BUSY % 1]]
    _, posting = served(lambda *_: answers.pop() if answers else [OK], max_retry_seconds=20)
    posting.post("first")
    posting.post("second")
    posting.wait(2)
    assert list(posting.answered) == ["second", "first"]
    assert set(posting.answered.values()) == {None}


# Connections that are idle -------------------------------------------------------------------


def test_no_connection_is_used_that_was_idle_for_long(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp_connections, "IDLE_SECONDS", 0.0)
    server, posting = served(always(OK))
    assert posting.outcome() is None
    time.sleep(0.01)
    assert posting.outcome(idempotent=False) is None
    assert server.connections == [0, 1]


def test_connections_without_work_are_closed(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp_connections, "IDLE_SECONDS", 0.05)
    server, posting = served(always(OK))
    assert posting.outcome() is None
    wait_for(lambda: 0 in server.closed)
    assert posting.outcome() is None


def test_what_nobody_asked_for_ends_a_connection(served: Start) -> None:
    server, posting = served(lambda connection, place: [OK, 0.05, OK] if not connection else [OK])
    assert posting.outcome() is None
    wait_for(lambda: 0 in server.closed)
    assert posting.outcome() is None
    assert server.connections == [0, 1]


def test_calls_that_wait_use_no_connection_that_the_server_has_closed(served: Start) -> None:
    read = lambda endpoint, response: time.sleep(0.02)  # noqa: E731 (the end comes meanwhile)
    with (
        speaking(always(OK, CLOSE)) as server,
        contextlib.closing(Posting(server.url, read)) as posting,
    ):
        for job in range(5):
            posting.post(job, idempotent=False)
        posting.wait(5)
    assert set(posting.answered.values()) == {None}
    assert server.connections == [0, 1, 2, 3, 4]


def test_headers_that_are_cut_are_no_response(served: Start) -> None:
    _, posting = served(always(b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE))
    error = posting.outcome(idempotent=False)
    assert isinstance(error, UnavailableError)
    assert error.may_have_succeeded


# The end -----------------------------------------------------------------------------------


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_closing_leaves_nothing_behind(served: Start) -> None:
    server, posting = served(always(5.0), limit=3, request_timeout=60)
    for job in range(5):
        posting.post(job)
    wait_for(lambda: len(server.asked) >= 3)
    posting.close()  # what is left open warns, and warnings are errors
    posting.close()
    assert posting.answered == {}
    assert not [each for each in threading.enumerate() if each.name == "totango-calls"]


def test_cancelling_lets_calls_under_way_go_on_and_sends_no_other(served: Start) -> None:
    server, posting = served(always(0.3, OK), limit=2)
    for job in range(5):
        posting.post(job, idempotent=False)
    wait_for(lambda: len(server.asked) == 2)
    posting.poster.cancel()
    posting.wait(5)
    outcomes = [posting.answered[job] for job in range(5)]
    assert outcomes[:2] == [None, None]
    for error in outcomes[2:]:
        assert isinstance(error, UnavailableError)
        assert not error.may_have_succeeded
    assert len(server.asked) == 2


def test_cancelling_ends_the_wait_before_another_try(served: Start) -> None:
    server, posting = served(always(BUSY % 15), max_retry_seconds=20)
    posting.post("waits", idempotent=False)
    wait_for(lambda: posting.usage[1] == 1)
    posting.poster.cancel()
    posting.wait(1)
    assert isinstance(posting.answered["waits"], RateLimitError)
    assert len(server.asked) == 1


def test_a_call_that_fails_after_cancelling_is_not_sent_again(served: Start) -> None:
    server, posting = served(always(0.2, DOWN), max_retry_seconds=20)
    posting.post("fails")
    wait_for(lambda: len(server.asked) == 1)
    posting.poster.cancel()
    posting.wait(1)
    assert isinstance(posting.answered["fails"], UnavailableError)
    assert len(server.asked) == 1
