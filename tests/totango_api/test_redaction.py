"""What must not be seen is not seen, in any spelling."""

from __future__ import annotations

import io
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api import redaction
from totango_api.redaction import excerpt, register_secret, scrub, scrub_logs

TOKEN = "{bcrypt}$2a$10$ab/cd.ef@gh+ij"


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets of one test mean nothing to another."""
    monkeypatch.setattr(redaction, "_secrets", set())


@pytest.mark.parametrize(
    "spelled",
    [TOKEN, quote(TOKEN, safe=""), quote_plus(TOKEN), json.dumps(TOKEN), f"x{TOKEN}y"],
    ids=range(5),
)
def test_a_registered_secret(spelled: str) -> None:
    register_secret(TOKEN)
    cleaned = scrub(f"before {spelled} after")
    assert "2a$10" not in cleaned
    assert "%242a" not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@given(token=st.text("{}$/.@+abc019-_", min_size=8, max_size=40), where=st.text(max_size=20))
def test_any_token(token: str, where: str) -> None:
    register_secret(token)
    assert token not in scrub(f"{where} {token} {where}".replace("secret", ""))


@pytest.mark.parametrize(
    "mail",
    [
        "jane.doe@example.com",
        "jane+x@mail.example.co.uk",
        "jane%40example.com",
        "søren.ødegård@example.dk",
        "o'hara@example.com",
        "JANE@EXAMPLE.COM",
    ],
)
def test_mail_addresses(mail: str) -> None:
    assert scrub(f"user {mail} is gone") == "user [e-mail] is gone"


@pytest.mark.parametrize(
    "text",
    [
        "app-token: abcdef-1234567",
        "app_token=abcdef-1234567&x=1",
        '{"api-token": "abcdef-1234567"}',
        "Authorization: app-token abcdef-1234567",
        "Authorization: Bearer abcdef-1234567",
        "sdr_token = 'abcdef-1234567'",
        "API-TOKEN:abcdef-1234567",
    ],
)
def test_headers_that_carry_tokens_nobody_registered(text: str) -> None:
    assert "abcdef-1234567" not in scrub(text)


def test_harmless_text_is_left_alone() -> None:
    text = "POST https://api.totango.com/api/v1/search/accounts answered 400: no @ here, 5 > 3."
    assert scrub(text) == text


def test_an_excerpt_is_short_and_on_one_line() -> None:
    made = excerpt("a\n b\t" * 500)
    assert len(made) <= redaction.EXCERPT_LENGTH
    assert "\n" not in made


def test_logs_and_tracebacks_are_scrubbed() -> None:
    register_secret(TOKEN)
    stream = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(stream)
    before = [(one, one.formatter) for one in root.handlers]
    root.addHandler(handler)
    try:
        scrub_logs()
        scrub_logs()
        try:
            int(TOKEN)
        except ValueError:
            logging.getLogger("anything").exception("for %s", "jane@example.com")
    finally:
        root.removeHandler(handler)
        for one, formatter in before:
            one.setFormatter(formatter)
    said = stream.getvalue()
    assert "ValueError" in said
    assert TOKEN not in said
    assert "jane@example.com" not in said
