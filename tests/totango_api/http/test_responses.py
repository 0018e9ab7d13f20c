"""What an answer means, whatever it looks like."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from decimal import Decimal
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    RefusedError,
    ResponseError,
    UnavailableError,
)
from totango_api.http.headers import request_id_of, wait_asked
from totango_api.http.json_bodies import json_of
from totango_api.http.responses import Response, error_for


def answer(status: int, body: bytes = b"{}", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, CaseInsensitiveDict(named), body)


@pytest.mark.parametrize(
    ("status", "kind", "retriable"),
    [
        (301, ResponseError, False),
        (400, RefusedError, False),
        (401, AuthenticationError, False),
        (403, AuthenticationError, False),
        (404, RefusedError, False),
        (429, RateLimitError, True),
        (500, UnavailableError, True),
        (503, UnavailableError, True),
    ],
)
def test_statuses(status: int, kind: type[ApiError], retriable: bool) -> None:
    error = error_for("POST /x", answer(status), region="us")
    assert type(error) is kind
    assert error.retriable is retriable
    assert "POST /x" in str(error)
    assert status == error.status


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success(status: int) -> None:
    assert error_for("POST /x", answer(status), region="us") is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_tracking_call_does_not_make_one_think_of_the_app_token(status: int) -> None:
    said = str(error_for("x", answer(status), region="us", surface="tracking"))
    assert "sdr_token" in said
    assert "app_token" not in said


@pytest.mark.parametrize(("region", "other"), [("us", "region: eu"), ("eu", "region: us")])
def test_a_refused_token_makes_one_think_of_the_other_region(region: str, other: str) -> None:
    assert other in str(error_for("x", answer(401), region=region))


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ({"status": "failed", "_error": "no such term"}, RefusedError, "no such term"),
        ({"status": "FAILED"}, RefusedError, "no reason"),
        ({"error": {"type": "x", "message": "why not"}}, RefusedError, "why not"),
        ({"error": {"type": "authentication_failed", "message": "m"}}, AuthenticationError, "m"),
        ({"error": "plain"}, RefusedError, "plain"),
        ({"errors": [{"a": "b"}]}, RefusedError, '"a":"b"'),
        ({"errors": {"x": ["y"]}}, RefusedError, '"y"'),
        ({"_error": "odd"}, RefusedError, "odd"),
    ],
)
def test_failures_inside_a_200(body: Any, kind: type[ApiError], said: str) -> None:
    with pytest.raises(kind) as error:
        json_of("POST /x", answer(200, json.dumps(body).encode()))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("reason", "passing"),
    [
        ("no such term", False),
        ("Unsupported field type health_reason", False),
        ("Result window is too large", False),
        ("not permitted", False),
        ("internal hiccup", True),
        ("Internal error while parsing the query", True),
        ("timed out, try again later", True),
        ("", True),
    ],
)
def test_a_failure_that_blames_the_query_is_believed_at_once(reason: str, passing: bool) -> None:
    with pytest.raises(RefusedError) as error:
        json_of("x", answer(200, json.dumps({"status": "failed", "_error": reason}).encode()))
    assert error.value.retriable is passing
    assert error.value.max_tries == 4


@pytest.mark.parametrize("body", [{"status": "success"}, {"error": None}, {"errors": []}, [], 7])
def test_what_is_no_failure(body: Any) -> None:
    assert json_of("x", answer(200, json.dumps(body).encode())) == body


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff\xfe", b'{"a": ', b"OK", b'{"a": "b', b'{"a": "b\\u00', b'[{"a": tr'],
)
def test_what_is_not_json_may_be_so_next_time(body: bytes) -> None:
    with pytest.raises(ResponseError, match="not JSON") as error:
        json_of("x", answer(200, body))
    assert error.value.retriable
    assert error.value.max_tries is None


@pytest.mark.parametrize(
    "body", [b'{"a": {"b": 1} "c": "and so on, further"}', b"[" * 100_000 + b"]" * 100_000]
)
def test_what_is_broken_in_the_middle_hardly_changes(body: bytes) -> None:
    with pytest.raises(ResponseError, match=r"not JSON: .* at character") as error:
        json_of("x", answer(200, body))
    assert error.value.max_tries == 2


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": Infinity}', math.inf),
        (b'{"a": -Infinity}', -math.inf),
        (b'{"a": "b\nc\x00"}', "b\nc\x00"),
        (b'{"a": "b\xff"}', "b\ufffd"),
        (b'{"a": "\\ud83d", "b": NaN}', "\ufffd"),
        (b'{"a": ' + b"9" * 5000 + b"}", Decimal("9" * 5000)),
    ],
)
def test_what_json_does_not_allow_is_read_and_said(body: bytes, value: Any, caplog) -> None:
    assert json_of("x", answer(200, body))["a"] == value
    assert caplog.messages


@pytest.mark.parametrize(
    ("text", "sent_in", "named"),
    [
        ("Müller", "iso-8859-1", "application/json; charset=iso-8859-1"),
        ("Müller", "iso-8859-1", 'application/json;Charset="ISO-8859-1"'),
        ("Miller\N{EURO SIGN}", "windows-1252", "application/json; charset=windows-1252"),
        ("日本", "shift_jis", "text/plain; charset=Shift_JIS"),
        ("Müller", "utf-16", "application/json; charset=utf-16"),
        ("Müller", "utf-8", "application/json; charset=iso-8859-1"),
    ],
)
def test_text_is_read_in_the_charset_of_the_response(text, sent_in, named, caplog) -> None:
    """UTF-8 goes first: it is what JSON is written in, whatever a server calls it."""
    body = json.dumps({"a": text, "b": 7}, ensure_ascii=False).encode(sent_in)
    assert json_of("x", answer(200, body, Content_Type=named)) == {"a": text, "b": 7}
    assert not caplog.messages


@pytest.mark.parametrize("charset", ["", "x-unknown", "ascii", "hex", "undefined", "utf-16", '"'])
def test_text_of_no_known_charset_is_damaged_and_that_is_said(charset, caplog) -> None:
    response = answer(200, b'{"a": "b\xff"}', Content_Type=f"application/json; charset={charset}")
    assert json_of("x", response) == {"a": "b\ufffd"}
    assert "damaged" in caplog.text


def test_a_byte_order_mark_is_no_fault_of_the_response(caplog) -> None:
    assert json_of("x", answer(200, b'\xef\xbb\xbf{"a": 1.50}')) == {"a": Decimal("1.50")}
    assert not caplog.messages


@given(body=st.binary(max_size=40) | st.binary(max_size=20).map(lambda some: b'{"a":"' + some))
def test_any_bytes_are_json_or_an_error_of_ours(body: bytes) -> None:
    with suppress(ApiError):
        json_of("x", answer(200, body))


numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)


@given(value=st.recursive(numbers | st.text() | st.none(), st.lists, max_leaves=5))
def test_json_is_read_as_it_was_written(value: Any) -> None:
    read = json_of("x", answer(200, json.dumps({"a": value}).encode()))
    assert read == {"a": value} or str(read) == str({"a": value}) or float_equal(read["a"], value)


def float_equal(read: Any, value: Any) -> bool:
    if isinstance(value, list):
        return all(float_equal(one, other) for one, other in zip(read, value, strict=True))
    return read == value or float(read) == value


text_in_json = st.text(st.characters(exclude_categories=[]), max_size=10)


@given(value=text_in_json)
def test_halves_of_characters_are_replaced_and_nothing_else(value: str) -> None:
    body = json.dumps({"a": value}).encode("ascii")
    joined = json.loads(body)["a"]
    expected = "".join("\ufffd" if 0xD800 <= ord(one) <= 0xDFFF else one for one in joined)
    assert json_of("x", answer(200, body)) == {"a": expected}


def test_an_error_shows_neither_mail_nor_a_long_body() -> None:
    body = ("jane@example.com " + "x" * 5000).encode()
    said = str(error_for("x", answer(400, body), region="us"))
    assert "jane@example.com" not in said
    assert len(said) < 600


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 0),
        ({"Retry_After": "-3"}, 0),
        ({"Retry_After": "nonsense", "RateLimit_Reset": "9"}, 9),
        ({"RateLimit_Reset": "9"}, 9),
        ({"X_RateLimit_Reset": "9"}, 9),
        ({"Retry_After": "4", "RateLimit_Reset": "9"}, 4),
        ({}, None),
        ({"Retry_After": ""}, None),
        ({"RateLimit_Reset": "soon"}, None),
        ({"Retry_After": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0),
    ],
)
def test_the_wait_that_a_429_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    refused = answer(429, **headers)
    assert wait_asked(refused.headers) == seconds
    error = error_for("x", refused, region="us")
    assert isinstance(error, RateLimitError)
    assert error.wait == (60 if seconds is None else seconds), "the API counts calls a minute"
    error = error_for("x", refused, region="us", surface="tracking")
    assert isinstance(error, RateLimitError)
    assert error.wait == seconds


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400"])
def test_a_wait_that_is_no_number_of_seconds(text: str) -> None:
    assert wait_asked(answer(429, Retry_After=text).headers) is None
    assert wait_asked(answer(429, RateLimit_Reset=text).headers) is None


def test_a_date_to_wait_for() -> None:
    asked = wait_asked(answer(429, Retry_After=formatdate(time() + 100, usegmt=True)).headers)
    assert asked is not None
    assert 90 < asked <= 100


def test_a_date_to_wait_for_is_taken_by_the_clock_of_the_service() -> None:
    sent = "Thu, 01 Jan 2099 00:00:00 GMT"
    until = "Thu, 01 Jan 2099 00:00:07 GMT"
    assert wait_asked(answer(429, Date=sent, Retry_After=until).headers) == 7
    assert wait_asked(answer(429, Date=sent, RateLimit_Reset="4070908809").headers) == 9


def test_request_ids() -> None:
    assert request_id_of(answer(500, X_Request_Id="abc").headers) == "abc"
    assert request_id_of(answer(500).headers) == ""
    assert "abc" in str(error_for("x", answer(500, X_Request_Id="abc"), region="us"))
