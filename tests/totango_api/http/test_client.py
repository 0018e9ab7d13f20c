"""What is sent, how often, and what never is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stub_totango import Asked, Reply, ok, serving

from totango_api.config import Connection
from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RefusedError,
    ResponseError,
    SettingsError,
    UnavailableError,
)
from totango_api.http import retry as retries
from totango_api.http.client import ApiClient, Request
from totango_api.http.json_bodies import json_of
from totango_api.region import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "{v2}a/b.c@d+e$"


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are counted elsewhere: here they are none."""
    monkeypatch.setattr(retries.random, "uniform", lambda *_: 0.0)


@pytest.fixture
def served() -> Iterator[Callable[..., tuple[Any, ApiClient]]]:
    """`served(reply, …)`: a server that gives these answers in turn, and a way to it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(*replies: Reply, **settings: Any) -> tuple[Any, ApiClient]:
            left = list(replies)

            def answer(_: Asked) -> Reply:
                return left.pop(0) if len(left) > 1 else left[0]

            server = stack.enter_context(serving(answer))
            config = {
                "app_token": TOKEN,
                "api_url": server.url,
                "rate_limit_per_minute": 0,
                "max_retry_seconds": 20,
                **settings,
            }
            connection = Connection.from_config(config, user_agent="test/1")
            return server, stack.enter_context(ApiClient(connection))

        yield start


BAD = (503, {}, b"down")


def test_the_token_travels_untouched_and_with_it_who_we_are(served) -> None:
    server, transport = served(ok({"fine": True}))
    assert transport.post_form("/x", b"a=1") == {"fine": True}
    (asked,) = server.asked
    assert asked.headers["app-token"] == TOKEN
    assert asked.headers["User-Agent"] == "test/1"
    assert asked.form == {"a": "1"}
    assert not {"Authorization", "Cookie"} & set(asked.headers)


def test_blanks_around_the_token_are_stripped(served) -> None:
    server, transport = served(ok({}), app_token=f"  {TOKEN}\n")
    transport.api("GET", "/x")
    assert server.asked[0].headers["app-token"] == TOKEN


def test_no_password_of_the_machine_is_sent(
    served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server, transport = served(ok({}))
    transport.api("GET", "/x")
    assert "Authorization" not in server.asked[0].headers


def test_a_redirect_is_never_followed(served) -> None:
    other, _ = served(ok({}))
    server, transport = served((302, {"Location": other.url}, b""))
    with pytest.raises(ResponseError, match="redirect"):
        transport.api("GET", "/x")
    assert len(server.asked) == 1
    assert not other.asked


def test_no_cookie_is_kept(served) -> None:
    server, transport = served(ok({}, Set_Cookie="a=b"))
    transport.api("GET", "/x")
    transport.api("GET", "/x")
    assert "Cookie" not in server.asked[1].headers


@pytest.mark.parametrize(
    "bad", [BAD, (500, {}, b"{}"), ok("<html>"), (429, {"Retry-After": "0"}, b""), (504, {}, b"")]
)
def test_what_passes_is_tried_again(served, bad: Reply) -> None:
    server, transport = served(bad, bad, ok({"fine": 1}))
    assert transport.api("GET", "/x") == {"fine": 1}
    assert len(server.asked) == 3
    assert (transport.usage["api"].calls, transport.usage["api"].retries) == (3, 2)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((400, {}, b"no"), RefusedError),
        ((401, {}, b"no"), AuthenticationError),
        ((404, {}, b"no"), RefusedError),
        (ok({"status": "failed", "_error": "no such term"}), RefusedError),
    ],
)
def test_what_stays_is_not(served, reply: Reply, kind: type[ApiError]) -> None:
    server, transport = served(reply)
    with pytest.raises(kind):
        transport.api("GET", "/x")
    assert len(server.asked) == 1
    assert sum(transport.usage["api"].failures.values()) == 1


def test_a_call_that_never_came_is_sent_again_even_where_twice_would_do_harm(served) -> None:
    server, transport = served((408, {}, b"too late"), ok({"fine": 1}))
    request = Request("api", "POST", f"{server.url}/x", idempotent=False)
    assert transport.send(request, json_of) == {"fine": 1}
    assert len(server.asked) == 2


def test_no_time_for_retries_means_one_try(served) -> None:
    server, transport = served(BAD, max_retry_seconds=0)
    with pytest.raises(UnavailableError):
        transport.api("GET", "/x")
    assert len(server.asked) == 1
    with pytest.raises(UnavailableError):
        transport.post_form("/x", b"", max_retry_seconds=0)
    assert len(server.asked) == 2


def test_a_call_is_never_retried_for_longer_than_the_user_said(served) -> None:
    server, transport = served(BAD, max_retry_seconds=0)
    with pytest.raises(ApiError):
        transport.post_form("/x", b"", max_retry_seconds=60)
    assert len(server.asked) == 1


def test_what_may_not_be_done_twice_is_sent_once(served) -> None:
    server, transport = served(BAD)
    request = Request("api", "POST", f"{server.url}/x", idempotent=False)
    with pytest.raises(UnavailableError) as error:
        transport.send(request, json_of)
    assert error.value.may_have_succeeded
    assert len(server.asked) == 1


def test_a_429_was_not_done_and_may_be_sent_again(served) -> None:
    server, transport = served((429, {"Retry-After": "0"}, b""), ok({}))
    request = Request("api", "POST", f"{server.url}/x", idempotent=False)
    assert transport.send(request, json_of) == {}
    assert len(server.asked) == 2


def test_nobody_there() -> None:
    connection = Connection.from_config(
        {"app_token": TOKEN, "api_url": "http://127.0.0.1:9", "max_retry_seconds": 0},
        user_agent="t",
    )
    with ApiClient(connection) as transport, pytest.raises(UnavailableError) as error:
        transport.api("GET", "/x")
    assert not error.value.may_have_succeeded
    assert "127.0.0.1:9/x" in str(error.value)


def test_no_call_without_a_token() -> None:
    connection = Connection.from_config({"app_token": "  "}, user_agent="t")
    with ApiClient(connection) as transport, pytest.raises(SettingsError, match="app_token"):
        transport.api("GET", "/x")


@pytest.mark.parametrize("token", ["a\nb", "a\x00b", "a\u20acb"])
def test_a_token_that_cannot_travel(token: str) -> None:
    with pytest.raises(SettingsError, match="app_token") as error:
        Connection.from_config({"app_token": token}, user_agent="t")
    assert token not in str(error.value)


@pytest.mark.parametrize(("site", "region"), [("t11", "eu"), ("t1", "us"), ("other", "us")])
def test_the_region_of_a_service(served, site: str, region: str) -> None:
    settings = {"region": "auto", "service_id": "SP-12345-01"}
    server, transport = served(ok({"site": site}), **settings)
    found = resolved(transport.connection, {"api_url": server.url})
    assert found.region == region
    assert found.hosts.api == server.url, "an override still wins"
    assert found.hosts.hub.endswith("int-hub-eu1.totango.com" if region == "eu" else ".com")
    (asked,) = server.asked
    assert asked.path.endswith("?service_id=12345")
    assert "app-token" not in asked.headers


@pytest.mark.parametrize("reply", [ok([]), ok({}), ok({"site": 5}), ok("<html>"), (404, {}, b"")])
def test_a_region_that_is_not_told(served, reply: Reply) -> None:
    server, transport = served(reply, region="auto", service_id="SP-12345-01", max_retry_seconds=0)
    with pytest.raises(SettingsError, match=r"[Ss]et region"):
        resolved(transport.connection, {"api_url": server.url})
