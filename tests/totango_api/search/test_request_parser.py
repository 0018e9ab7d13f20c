"""Requests as people copy them: where they go and what they send, without host and token."""

from __future__ import annotations

import contextlib
import json

import copied_requests as copied
import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.errors import QueryError
from totango_api.redaction import scrub
from totango_api.search import PastedRequest, request_from


def read(value: object) -> PastedRequest:
    return request_from(value, setting="streams.mine")


GET = "https://api.totango.com/api/v3/things?count=5&state=open"


@pytest.mark.parametrize(
    "value",
    [
        GET,
        f"GET {GET} HTTP/1.1\r\nHost: api.totango.com\r\napp-token: {copied.TOKEN}\r\n\r\n",
        f"curl '{GET}' -H 'app-token: {copied.TOKEN}'",
        "curl -G https://api.totango.com/api/v3/things -d count=5 -d state=open",
        "curl --get https://api.totango.com/api/v3/things -d count=5 -d state=open",
        f"irm '{GET}'\nirm 'https://api.totango.com/api/v3/others'",
        f"fetch('{GET}', {{'headers': {{'app-token': '{copied.TOKEN}'}}}})",
        f"Invoke-WebRequest -UseBasicParsing -Uri '{GET}'",
        {"method": "GET", "url": GET},
        {"request": {"method": "GET", "url": GET, "headers": []}},
        json.dumps(
            {"path": "/api/v3/things", "method": "GET", "form": {"count": 5, "state": "open"}}
        ),
        f"{GET}&app_token={copied.TOKEN}",
    ],
)
def test_a_request_without_a_body(value: object) -> None:
    expected = PastedRequest("GET", "/api/v3/things", form=(("count", "5"), ("state", "open")))
    assert read(value) == expected
    assert expected.parameter("count") == "5"
    assert expected.with_parameters({"count": 9}).parameter("count") == "9"


def test_a_form_below_its_address_and_a_body_of_json() -> None:
    form = read("POST https://x.example/api/v3/things?view=2\n\nstate=open&list=1&list=2")
    assert form.parameters == (("view", "2"),)
    assert form.form == (("state", "open"), ("list", "1"), ("list", "2"))
    body = {"filter": {"state": "open"}, "limit": 5, "app_token": copied.TOKEN}
    posted = read(
        {"method": "POST", "url": "/api/v3/things", "postData": {"text": json.dumps(body)}}
    )
    assert posted.body == {"filter": {"state": "open"}, "limit": 5}
    assert posted.with_parameters({"limit": 2, "offset": 2}).body == {
        "filter": {"state": "open"},
        "limit": 2,
        "offset": 2,
    }


def test_a_token_of_a_paste_is_never_shown() -> None:
    token = "a token that nobody registered before"
    read({"url": "/api/v3/things", "form": {"token": token}})
    assert token not in scrub(f"seen: {token}")


PIECES = st.sampled_from(
    [
        *("curl ", "fetch(", "Invoke-WebRequest ", "-Uri ", " -d ", " -G ", "GET ", "POST ", "\n"),
        *("https://x/api/v3/y", "/api/v1/", "query=", "offset=0", "?", "&", "%7B", "%2e%2e", "//"),
        *('{"url":', '"method":', '"terms":[]', "{", "}", "[", "]", "(", ")", ",", "@{", "$'"),
        *("'", '"', '^"', "`", "\\", "\u201c", "\x00"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_any_text_is_a_request_that_reads_or_refused(text: str) -> None:
    with contextlib.suppress(QueryError):
        request = read(text)
        assert request.path.startswith("/api/")
        assert request.method in {"GET", "POST"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, "no object that names a url"),
        ({"method": "GET"}, "no object that names a url"),
        ("", "names no address"),
        ("curl -d a=1", "names no address"),
        ("PUT https://api.totango.com/api/v3/things", "a PUT"),
        ("curl -X DELETE https://api.totango.com/api/v3/things", "a DELETE"),
        ("https://api.totango.com/apis/things", "does not begin with /api/"),
        ("https://api.totango.com/api/v3/%2e%2e/things", "does not begin with /api/"),
        ("GET https://api.totango.com/api/v3/things and more", "behind the address"),
        ("GET //[x/api/v3/things", "address cannot be read"),
        ("POST /api/v3/tasks/\n\ntitle=x", "POST /api/v3/tasks/ writes"),
        ({"url": "/api/v3/things", "body": "{"}, "not JSON"),
    ],
)
def test_what_may_not_be_sent_is_refused(value: object, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        read(value)
    assert said in str(caught.value)
    assert "streams.mine: " in str(caught.value)


class Sent:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def api(self, method: str, path: str, *, body: bytes = b"", content_type: str = "") -> None:
        self.calls.append((method, path, body, content_type))

    def post_form(self, path: str, form: bytes) -> None:
        self.calls.append(("POST", path, form))


PATH = "/api/v3/things"


@pytest.mark.parametrize(
    ("value", "call"),
    [
        (f"{PATH}?count=5&offset=0", ("GET", f"{PATH}?count=5&offset=20", b"", "")),
        (f"POST {PATH}\n\ncount=5&offset=0", ("POST", PATH, b"count=5&offset=20")),
        (f"POST {PATH}?offset=0\n\ncount=5", ("POST", f"{PATH}?offset=20", b"count=5")),
        (f"POST {PATH}\n\ncount=5", ("POST", PATH, b"count=5&offset=20")),
        (
            f'POST {PATH}?view=1\n\n{{"offset": 0}}',
            ("POST", f"{PATH}?view=1", b'{"offset": 20}', "application/json"),
        ),
        (
            f'POST {PATH}?offset=0\n\n{{"state": "open"}}',
            ("POST", f"{PATH}?offset=20", b'{"state": "open"}', "application/json"),
        ),
    ],
)
def test_a_page_is_asked_for_where_the_paste_asks_for_it(value: str, call: tuple) -> None:
    sent = Sent()
    read(value).with_parameters({"offset": 20}).send(sent)
    assert sent.calls == [call]
