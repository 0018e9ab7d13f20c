"""Calls from an event loop: every way in which a server may answer, or fail to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from raw_server import CLOSE, OK, RESET, RawServer, speaking

from totango_api.config import Connection
from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    RefusedError,
    ResponseError,
    SettingsError,
    UnavailableError,
)
from totango_api.http import http_pool
from totango_api.http import retry as retries
from totango_api.http.call_loop import CallLoop
from totango_api.http.client import ApiClient
from totango_api.http.http_connection import KEPT_BYTES
from totango_api.writing.tracking import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from raw_server import Script


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are counted elsewhere: here they are none."""
    monkeypatch.setattr(retries.random, "uniform", lambda *_: 0.0)


class Posting:
    """A poster, and what was answered: an error or None, by job."""

    def __init__(self, url: str, *, limit: int = 1, **settings: Any) -> None:
        config = {"service_id": "SP-1-01", "tracking_url": url, "max_retry_seconds": 0, **settings}
        self.transport = ApiClient(Connection.from_config(config, user_agent="test/1"))
        self.loop = CallLoop()
        self.answered: dict[Any, ApiError | None] = {}
        tracker = Tracker(self.transport)
        try:
            self.poster = tracker.poster(self.loop, self._over, limit=limit)
        except BaseException:
            self.loop.close()
            self.transport.close()
            raise

    def _over(self, job: Any, error: ApiError | None, _: None) -> None:
        self.answered[job] = error

    @property
    def usage(self) -> tuple[int, int, dict[str, int]]:
        """Calls, retries, and failures by status."""
        usage = self.transport.usage["tracking"]
        return usage.calls, usage.retries, dict(usage.failures)

    def post(self, job: Any, *, idempotent: bool = True) -> None:
        self.poster.post(b"job=%r" % job, job, idempotent=idempotent)

    def wait(self, answers: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.answered) < answers:
            assert time.monotonic() < deadline, "no answer"
            self.loop.step()

    def outcome(self, *, idempotent: bool = True) -> ApiError | None:
        """Post one job and return what became of it."""
        job = len(self.answered)
        self.post(job, idempotent=idempotent)
        self.wait(job + 1)
        return self.answered[job]

    def close(self) -> None:
        self.poster.close()
        self.loop.close()
        self.transport.close()


Start = "Callable[..., tuple[RawServer, Posting]]"


@pytest.fixture
def posting() -> Iterator[Callable[..., Posting]]:
    """`posting(url, …)`: a poster that is closed in the end."""
    with contextlib.ExitStack() as stack:

        def make(url: str, **settings: Any) -> Posting:
            made = Posting(url, **settings)
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


# What goes out -----------------------------------------------------------------------------


def test_a_request_is_whole_and_says_who_we_are(served: Start) -> None:
    server, posting = served(always(OK))
    assert posting.outcome() is None
    (request,) = [request for _, request in server.asked]
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /pixel.gif HTTP/1.1"
    assert set(head.split(b"\r\n")[1:]) == {
        b"Host: " + server.url.removeprefix("http://").encode(),
        b"Accept-Encoding: identity",
        b"User-Agent: test/1",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: 5",
    }
    assert body == b"job=0"


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


# What comes in -----------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param([OK], True, id="with a length"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], True, id="empty"),
        pytest.param([CHUNKED], True, id="chunked"),
        pytest.param([bytes([byte]) for byte in CHUNKED], True, id="byte by byte"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], True, id="announced"),
        pytest.param([b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02, OK], True, id="with hints"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\nok", CLOSE], False, id="until it closes"),
        pytest.param([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], False, id="HTTP/1.0"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
            False,
            id="the last one",
        ),
        pytest.param([OK + OK], False, id="twice"),
        pytest.param([OK + b"junk"], False, id="with junk behind it"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", *[bytes(1 << 20)] * 3],
            None,
            id="very long",
        ),
    ],
)
def test_answers_that_are_a_delivery(
    served: Start, said: list[bytes | float | str], kept: bool | None
) -> None:
    server, posting = served(always(*said))
    if said[-1] == bytes(1 << 20):
        said[-1] = bytes(3_000_000 - (2 << 20))
    assert posting.outcome() is None
    assert posting.outcome() is None
    if kept is not None:
        assert server.connections == ([0, 0] if kept else [0, 1])
    assert posting.usage == (2, 0, {})


def test_what_nobody_asked_for_ends_a_connection(served: Start) -> None:
    server, posting = served(lambda connection, place: [OK, 0.05, OK] if not connection else [OK])
    assert posting.outcome() is None
    time.sleep(0.2)
    posting.loop.poll()
    assert posting.outcome() is None
    assert server.connections == [0, 1]


MOVED = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "kind", "words", "may_have_succeeded"),
    [
        ([b"SSH-2.0-server\r\n"], UnavailableError, "cut short", True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", CLOSE], UnavailableError, "cut", True),
        ([b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE], UnavailableError, "cut short", True),
        ([SWITCHING], UnavailableError, "cut", True),
        ([CLOSE], UnavailableError, "dropped", True),
        ([RESET], UnavailableError, "dropped", True),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], ResponseError, "neither 200 nor 201", False),
        ([MOVED], ResponseError, "redirect", False),
        ([b"HTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n"], AuthenticationError, "401", False),
        ([b"HTTP/1.1 503 S\r\n\r\ndown", CLOSE], UnavailableError, "503: down", True),
    ],
)  # fmt: skip
def test_answers_that_are_none(
    served: Start, said: list[Any], kind: type[ApiError], words: str, may_have_succeeded: bool
) -> None:
    server, posting = served(always(*said))
    error = posting.outcome(idempotent=False)
    assert type(error) is kind
    assert words in str(error)
    assert error.may_have_succeeded is may_have_succeeded
    assert len(server.asked) == 1
    assert posting.usage == (1, 0, {str(error.status or "no answer"): 1})


def test_a_refusal_is_told_with_reason_and_request_id(served: Start) -> None:
    body = b'{"error":{"message":"jane@example.com is not known"}}'
    head = b"HTTP/1.1 422 U\r\nx-request-id: r-1\r\nContent-Length: %d\r\n\r\n" % len(body)
    _, posting = served(always(head + body))
    error = posting.outcome()
    assert isinstance(error, RefusedError)
    assert "[e-mail] is not known (request id r-1)" in str(error)


def test_of_a_long_refusal_only_the_beginning_is_kept(served: Start) -> None:
    head = b"HTTP/1.1 400 B\r\nContent-Length: 3000000\r\n\r\nno: "
    _, posting = served(always(head, b"x" * 2_999_996))
    kept: list[int] = []
    over = posting.poster._over
    posting.poster._over = lambda exchange: (kept.append(len(exchange.raw)), over(exchange))[1]
    assert "no: xxx" in str(posting.outcome())
    assert kept[0] < 3 * KEPT_BYTES


def test_a_compressed_refusal_is_not_quoted(served: Start) -> None:
    head = b"HTTP/1.1 400 B\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bxx"
    _, posting = served(always(head))
    assert posting.outcome().reason == ""


# Trying again ------------------------------------------------------------------------------

DOWN = b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 429 Busy\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("bad", [[DOWN], [CLOSE], [RESET], [BUSY % 0]])
def test_what_passes_is_tried_again(served: Start, bad: list[Any]) -> None:
    calls: list[int] = []

    def script(connection: int, place: int) -> list[Any]:
        calls.append(connection)
        return bad if len(calls) < 3 else [OK]

    _, posting = served(script, max_retry_seconds=20)
    assert posting.outcome() is None
    assert posting.usage == (3, 2, {})


def test_an_activity_is_tried_again_only_when_it_certainly_did_not_arrive(served: Start) -> None:
    answers = [[BUSY % 0], [OK], [DOWN]]
    server, posting = served(lambda *_: answers.pop(0), max_retry_seconds=20)
    assert posting.outcome(idempotent=False) is None
    error = posting.outcome(idempotent=False)
    assert error is not None
    assert error.may_have_succeeded
    assert len(server.asked) == 3


def test_a_wait_that_is_too_long_is_not_waited_for(served: Start) -> None:
    server, posting = served(always(BUSY % 99), max_retry_seconds=20)
    error = posting.outcome()
    assert isinstance(error, RateLimitError)
    assert error.wait == 99
    assert len(server.asked) == 1


def test_retries_come_to_an_end(served: Start) -> None:
    server, posting = served(always(DOWN), max_retry_seconds=0.3)
    assert isinstance(posting.outcome(), UnavailableError)
    calls, again, failures = posting.usage
    assert calls == again + 1 == len(server.asked) > 1
    assert failures == {"503": 1}


def test_a_429_holds_back_calls_of_the_api_as_well(served: Start) -> None:
    _, posting = served(always(BUSY % 9), max_retry_seconds=5)
    posting.outcome()
    assert posting.transport.budget._seconds_to_hold(time.monotonic()) > 0


def test_other_calls_go_on_while_one_waits(served: Start) -> None:
    answers = [[BUSY % 1]]
    _, posting = served(lambda *_: answers.pop() if answers else [OK], max_retry_seconds=20)
    posting.post("first")
    posting.post("second")
    posting.wait(2)
    assert list(posting.answered) == ["second", "first"]
    assert set(posting.answered.values()) == {None}


# Time --------------------------------------------------------------------------------------


def test_an_answer_that_does_not_come_is_given_up(served: Start) -> None:
    server, posting = served(
        lambda connection, place: [OK] if connection else [5.0], request_timeout=0.3
    )
    error = posting.outcome()
    assert "no answer in time" in str(error)
    assert error.may_have_succeeded
    assert posting.outcome() is None
    assert server.connections == [0, 1]


def test_an_answer_that_trickles_is_given_up(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_pool, "SLOWEST_ANSWER", 2)
    trickle = [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n", 0.1] * 40]
    _, posting = served(always(*trickle), request_timeout=0.3)
    assert "no answer in time" in str(posting.outcome())


def test_time_in_which_nobody_listens_does_not_count(served: Start) -> None:
    _, posting = served(always(0.1, OK), request_timeout=0.3)
    posting.post("job")
    posting.loop.poll()
    time.sleep(1)
    posting.wait(1)
    assert posting.answered == {"job": None}


def test_nobody_there(posting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = posting(f"http://127.0.0.1:{port}").outcome(idempotent=False)
    assert "no connection could be made" in str(error)
    assert not error.may_have_succeeded


def test_a_connection_that_is_not_taken_is_given_up(posting, monkeypatch) -> None:
    async def forever(*_: Any, **__: Any) -> None:
        await posting.loop.inner.create_future()

    posting = posting("http://127.0.0.1:9", request_timeout=0.3)
    monkeypatch.setattr(posting.loop.inner, "create_connection", forever)
    error = posting.outcome(idempotent=False)
    assert "no connection in time" in str(error)
    assert not error.may_have_succeeded


# Connections that the server has closed ------------------------------------------------------


def closing_after_one(connection: int, place: int) -> list[Any]:
    """The first connection is closed when its second request comes."""
    return [OK] if connection or not place else [CLOSE]


def test_over_a_closed_connection_is_sent_again_at_once(served: Start) -> None:
    server, posting = served(closing_after_one)
    assert [posting.outcome(), posting.outcome()] == [None, None]
    assert server.connections == [0, 0, 1]
    assert posting.usage == (3, 1, {})


def test_an_activity_over_a_closed_connection_is_uncertain(served: Start) -> None:
    server, posting = served(closing_after_one)
    assert posting.outcome(idempotent=False) is None
    error = posting.outcome(idempotent=False)
    assert error is not None
    assert error.may_have_succeeded
    assert server.connections == [0, 0]


def test_an_activity_takes_no_connection_that_was_idle_for_long(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_pool, "FRESH_SECONDS", 0.0)
    server, posting = served(closing_after_one)
    assert posting.outcome() is None
    assert posting.outcome(idempotent=False) is None
    assert server.connections == [0, 1]


@pytest.mark.parametrize("polled", [True, False])
def test_an_activity_takes_no_connection_that_was_closed(served: Start, polled: bool) -> None:
    server, posting = served(lambda connection, place: [OK, CLOSE] if not connection else [OK])
    assert posting.outcome(idempotent=False) is None
    while 0 not in server.closed:
        time.sleep(0.01)
    if polled:
        posting.loop.poll()
    assert posting.outcome(idempotent=False) is None
    assert server.connections == [0, 1]


def test_activities_that_wait_take_no_connection_that_was_closed(served: Start) -> None:
    server, posting = served(always(OK, CLOSE), limit=1)
    for job in range(5):
        posting.post(job, idempotent=False)
    while len(posting.answered) < 5:
        time.sleep(0.02)  # so that each answer comes together with the end
        posting.loop.poll()
    assert set(posting.answered.values()) == {None}
    assert server.connections == [0, 1, 2, 3, 4]


def test_connections_without_work_are_closed(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_pool, "IDLE_SECONDS", 0.0)
    server, posting = served(always(OK))
    assert posting.outcome() is None
    deadline = time.monotonic() + 20
    while 0 not in server.closed:
        assert time.monotonic() < deadline
        posting.loop.step()
    assert posting.outcome() is None


def test_closing_leaves_nothing_behind(served: Start) -> None:
    server, posting = served(always(5.0), limit=3, request_timeout=60)
    for job in range(5):
        posting.post(job)
    deadline = time.monotonic() + 20
    while len(server.asked) < 3:
        assert time.monotonic() < deadline
        posting.loop.step()
    posting.close()  # what is left open warns, and warnings are errors
    assert posting.answered == {}


# TLS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_the_environment_are_trusted(
    authority, bundle: str, variable: str, monkeypatch: pytest.MonkeyPatch, posting
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, bundle)
    with speaking(always(OK), context_of(authority, "127.0.0.1")) as server:
        posting = posting(server.url)
        outcomes = [posting.outcome(idempotent=idempotent) for idempotent in (False, True)]
        assert outcomes == [None, None]
        assert server.connections == [0, 0]
        posting.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_who_is_not_the_host_gets_nothing(
    authority, bundle: str, trusted: bool, monkeypatch: pytest.MonkeyPatch, posting
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    name = "another.example" if trusted else "127.0.0.1"
    with speaking(always(OK), context_of(authority, name)) as server:
        error = posting(server.url, max_retry_seconds=20).outcome()
    assert isinstance(error, RefusedError)
    assert "could not be verified" in str(error)
    assert server.asked == []
