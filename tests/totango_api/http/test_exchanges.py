"""One request and its response, by either client: every way in which a server may answer."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from posting import asking
from raw_server import CLOSE, OK, RESET, RawServer, speaking

from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RefusedError,
    ResponseError,
    UnavailableError,
)
from totango_api.http import requests_adapter
from totango_api.http import retry as retries
from totango_api.http.responses import KEPT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from posting import Asking
    from raw_server import Script

    Start = Callable[..., tuple[RawServer, Asking]]


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are counted elsewhere: here they are none."""
    monkeypatch.setattr(retries.random, "uniform", lambda *_: 0.0)


@pytest.fixture(params=["single", "many"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(kind: str) -> Iterator[Start]:
    """`served(script, …)`: a server that follows a script, and a client of it."""
    with contextlib.ExitStack() as stack:

        def start(script: Script, **settings: Any) -> tuple[RawServer, Asking]:
            server = stack.enter_context(speaking(script))
            return server, stack.enter_context(asking(kind, server.url, **settings))

        yield start


def always(*said: bytes | float | str) -> Script:
    return lambda connection, place: said


# What goes out -----------------------------------------------------------------------------


def test_a_request_is_whole_and_says_who_we_are(served: Start) -> None:
    server, asking = served(always(OK))
    assert asking.outcome() is None
    (request,) = [request for _, request in server.asked]
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /x HTTP/1.1"
    assert set(lines[1:]) - {b"Accept: */*"} == {
        b"Host: " + server.url.removeprefix("http://").encode(),
        b"Accept-Encoding: identity",
        b"User-Agent: test/1",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: 5",
    }
    assert body == b"job=0"


def test_no_password_of_the_machine_is_sent(
    served: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server, asking = served(always(OK))
    assert asking.outcome() is None
    assert b"authorization" not in server.asked[0][1].lower()


def test_no_cookie_is_kept(served: Start) -> None:
    baking = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    server, asking = served(always(baking))
    assert [asking.outcome(), asking.outcome()] == [None, None]
    assert b"cookie" not in server.asked[1][1].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(served: Start, status: int) -> None:
    other, _ = served(always(OK))
    moved = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
    server, asking = served(always(moved.encode()), max_retry_seconds=20)
    error = asking.outcome()
    assert isinstance(error, ResponseError)
    assert "redirect" in str(error)
    assert len(server.asked) == 1
    assert not other.asked


def test_a_redirect_to_nowhere_is_one_too(served: Start) -> None:
    _, asking = served(
        always(b"HTTP/1.1 302 F\r\nLocation: http://[x\r\nContent-Length: 0\r\n\r\n")
    )
    assert "redirect" in str(asking.outcome())


# What comes in -----------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param([OK], True, id="with a length"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], True, id="empty"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], True, id="without a body"),
        pytest.param([CHUNKED], True, id="chunked"),
        pytest.param([bytes([byte]) for byte in CHUNKED], True, id="byte by byte"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], True, id="announced"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\nok", CLOSE], False, id="until it closes"),
        pytest.param([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], False, id="HTTP/1.0"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
            False,
            id="the last one",
        ),
        pytest.param([OK + OK], None, id="twice"),
    ],
)
def test_responses_that_are_a_success(
    served: Start, said: list[bytes | float | str], kept: bool | None
) -> None:
    server, asking = served(always(*said))
    assert asking.outcome() is None
    assert asking.outcome() is None
    if kept is not None:
        assert server.connections == ([0, 0] if kept else [0, 1])
    assert asking.usage == (2, 0, {})


CONTRADICTING = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", CLOSE]
SWITCHING = b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "error_kind", "words", "may_have_succeeded"),
    [
        ([b"SSH-2.0-server\r\n", CLOSE], UnavailableError, "", True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", CLOSE], UnavailableError, "cut", True),
        (CONTRADICTING, UnavailableError, "not HTTP", True),
        ([CHUNKED[:-9], CLOSE], UnavailableError, "", True),
        ([SWITCHING], UnavailableError, "", True),
        ([CLOSE], UnavailableError, "dropped", True),
        ([RESET], UnavailableError, "dropped", True),
        ([b"HTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n"], AuthenticationError, "401", False),
        ([b"HTTP/1.1 407 P\r\nContent-Length: 0\r\n\r\n"], RefusedError, "HTTPS_PROXY", False),
        ([b"HTTP/1.1 503 S\r\n\r\ndown", CLOSE], UnavailableError, "503: down", True),
    ],
)  # fmt: skip
def test_responses_that_are_none(
    served: Start, said: list[Any], error_kind: type[ApiError], words: str, may_have_succeeded: bool
) -> None:
    server, asking = served(always(*said), max_retry_seconds=20)
    error = asking.outcome(idempotent=False)
    assert type(error) is error_kind
    assert words in str(error)
    assert error.may_have_succeeded is may_have_succeeded
    assert len(server.asked) == 1
    assert asking.usage == (1, 0, {str(error.status or "no answer"): 1})


def test_an_early_hint_is_not_taken_for_the_next_response(served: Start) -> None:
    early = [b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02, OK]
    late = b"HTTP/1.1 422 U\r\nContent-Length: 4\r\n\r\nlate"
    server, asking = served(lambda connection, place: early if len(server.asked) == 1 else [late])
    asking.outcome()
    assert "late" in str(asking.outcome())


@pytest.mark.parametrize("said", [[OK], [0.02, OK]])
def test_what_nobody_asked_for_is_not_taken_for_the_next_response(
    served: Start, said: list[Any]
) -> None:
    no = b"HTTP/1.1 422 U\r\nContent-Length: 2\r\n\r\nno"
    _, asking = served(lambda connection, place: [no, *said] if not connection else [no])
    assert "422" in str(asking.outcome())
    time.sleep(0.1)
    assert "422" in str(asking.outcome())


def test_a_refusal_is_told_with_reason_and_request_id(served: Start) -> None:
    body = b'{"error":{"message":"jane@example.com is not known"}}'
    head = b"HTTP/1.1 422 U\r\nx-request-id: r-1\r\nContent-Length: %d\r\n\r\n" % len(body)
    _, asking = served(always(head + body))
    error = asking.outcome()
    assert isinstance(error, RefusedError)
    assert "[e-mail] is not known (request id r-1)" in str(error)


def test_of_a_long_refusal_only_the_beginning_is_read(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"HTTP/1.1 400 B\r\nContent-Length: 30000000\r\n\r\nno: "
    _, asking = served(always(head, b"x" * 29_999_996))
    sizes: list[int] = []
    error_for = asking.client.error_for
    monkeypatch.setattr(
        asking.client,
        "error_for",
        lambda request, response: sizes.append(len(response.body)) or error_for(request, response),
    )
    error = asking.outcome()
    assert "no: xxx" in str(error)
    assert len(str(error)) < 400
    assert sizes[0] < 3 * KEPT_BYTES
    assert "no: xxx" in str(asking.outcome())


def test_a_compressed_refusal_is_quoted(served: Start) -> None:
    body = gzip.compress(b"no such thing")
    head = b"HTTP/1.1 400 B\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    _, asking = served(always(head + body))
    assert "no such thing" in str(asking.outcome())


# Trying again ------------------------------------------------------------------------------

DOWN = b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n"
LATE = b"HTTP/1.1 408 Late\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BUSY = b"HTTP/1.1 429 Busy\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("bad", [[DOWN], [CLOSE], [RESET], [BUSY % 0], [LATE]])
def test_what_passes_is_tried_again(served: Start, bad: list[Any]) -> None:
    server, asking = served(lambda *_: bad if len(server.asked) < 3 else [OK], max_retry_seconds=20)
    assert asking.outcome() is None
    assert asking.usage == (3, 2, {})


@pytest.mark.parametrize("first", [BUSY % 0, LATE])
def test_what_may_not_be_done_twice_is_tried_again_only_if_it_was_not_done(
    served: Start, first: bytes
) -> None:
    answers = [[first], [OK], [DOWN]]
    server, asking = served(lambda *_: answers.pop(0), max_retry_seconds=20)
    assert asking.outcome(idempotent=False) is None
    error = asking.outcome(idempotent=False)
    assert error is not None
    assert error.may_have_succeeded
    assert len(server.asked) == 3


def test_retries_come_to_an_end(served: Start) -> None:
    server, asking = served(always(DOWN), max_retry_seconds=0.3)
    assert isinstance(asking.outcome(), UnavailableError)
    calls, again, failures = asking.usage
    assert calls == again + 1 == len(server.asked) > 1
    assert failures == {"503": 1}


# Time --------------------------------------------------------------------------------------


def test_a_response_that_does_not_come_is_given_up(served: Start) -> None:
    server, asking = served(
        lambda connection, place: [OK] if connection else [5.0], request_timeout=0.3
    )
    error = asking.outcome()
    assert "no answer in time" in str(error)
    assert error.may_have_succeeded
    assert asking.outcome() is None
    assert server.connections == [0, 1]


def test_a_response_that_trickles_is_given_up(
    served: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_adapter, "SLOWEST_RESPONSE", 2)
    trickle = [b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n", *[b"x", 0.1] * 40]
    _, asking = served(always(*trickle), request_timeout=0.3)
    assert "no answer in time" in str(asking.outcome())


def test_nobody_there(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with asking(kind, f"http://127.0.0.1:{port}") as client_:
        error = client_.outcome(idempotent=False)
    assert "no connection could be made" in str(error)
    assert not error.may_have_succeeded


def test_a_host_that_is_not_known(kind: str) -> None:
    with asking(kind, "https://totango.invalid") as client_:
        error = client_.outcome(idempotent=False)
    assert "no connection could be made" in str(error)
    assert not error.may_have_succeeded


def test_a_connection_that_is_not_taken_is_given_up(kind: str) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):  # fills its queue, so that the next one is not even refused
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        client_ = stack.enter_context(
            asking(kind, f"http://127.0.0.1:{address[1]}", request_timeout=0.3)
        )
        error = client_.outcome(idempotent=False)
    assert "no connection in time" in str(error)
    assert not error.may_have_succeeded


# Connections that the server has closed ------------------------------------------------------


def closing_after_one(connection: int, place: int) -> list[Any]:
    """The first connection is closed when its second request comes."""
    return [OK] if connection or not place else [CLOSE]


def test_over_a_dropped_connection_is_sent_again(served: Start) -> None:
    server, asking = served(closing_after_one, max_retry_seconds=20)
    assert [asking.outcome(), asking.outcome()] == [None, None]
    assert server.connections == [0, 0, 1]
    assert asking.usage == (3, 1, {})


def test_no_library_sends_anything_again_by_itself(served: Start) -> None:
    server, asking = served(closing_after_one, max_retry_seconds=20)
    assert asking.outcome(idempotent=False) is None
    error = asking.outcome(idempotent=False)
    assert error is not None
    assert error.may_have_succeeded
    assert server.connections == [0, 0]


def test_no_connection_is_used_that_the_server_has_closed(served: Start) -> None:
    server, asking = served(
        always(OK, CLOSE), read=lambda endpoint, response: time.sleep(0.02)
    )  # so that the end is there, whether or not the client came to read it
    for _ in range(5):
        assert asking.outcome(idempotent=False) is None
    assert server.connections == [0, 1, 2, 3, 4]
