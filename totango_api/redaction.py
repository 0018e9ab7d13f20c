"""Removes secrets and e-mail addresses from logs and messages: here, and only here."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus, urlsplit

from totango_api.errors import TotangoError, temporary_file_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXCERPT_LENGTH: Final = 200
EXCERPT_BYTES: Final = 500

SHORTEST_TOKEN: Final = 10
"""What follows the name of a token and is shorter is a word of our own sentence."""

_EMAIL = re.compile(r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.UNICODE)
_TOKEN_HEADER = re.compile(
    rf"""(?ix) ( (?:app|api)[-_]token | authorization | sdr_token ) (["']? \s* [:=]? \s* ["']?)
        (?: app-token \s+ | bearer \s+ )? [^\s"',;&]{{{SHORTEST_TOKEN},}}"""
)
_TOKEN = re.compile(
    r"""(?x)
    \{\w+\} [^\s{}]{16,}                    # {v2}<uuid>, {bcrypt}<hash>
    | [0-9a-fA-F]{32,} (?:\S+@\S+)?         # an older token ends in an address
    | eyJ[\w-]+ (?:\.[\w-]+){2}             # a JSON Web Token
    | (?=\D*\d) (?=[^a-z]*[a-z]) (?=[^A-Z]*[A-Z]) [A-Za-z0-9+/=]{24,}
    """
)
"""What is so likely a token that no error shows it, whatever it was set as."""

_secrets: set[str] = set()


def register_secret(secret: str | None) -> None:
    """Add a value that no log line and no error may show, in any of its spellings."""
    if not secret:
        return
    spellings = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    _secrets.update(spelling for spelling in spellings if spelling)


def register_secrets(config: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Register the settings that are secrets: of a URL, also the parts that libraries log.

    So are texts within other settings that look like tokens: one that was pasted in the wrong
    place is quoted by the error that says so.

    Args:
        config: The settings, not checked yet.
        properties: JSON Schema of each setting; that of a secret has `secret`.
    """
    for name, schema in properties.items():
        text = str(config.get(name) or "").strip() if schema.get("secret") else ""
        register_secret(text)
        with suppress(ValueError):
            url = urlsplit(text)
            if url.scheme and url.netloc:
                register_secret(url.path.rstrip("/") and url.path)
                register_secret(url.query)
    for text in filter(_TOKEN.fullmatch, map(str.strip, _texts_in(config))):
        register_secret(text)


def _texts_in(value: object) -> Iterator[str]:
    """Yield the texts within a value of JSON, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts_in(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (str(name), *_texts_in(item))


def scrub(text: object) -> str:
    """Return a text without secrets and e-mail addresses."""
    clean = str(text)
    for secret in sorted(_secrets, key=len, reverse=True):
        clean = clean.replace(secret, "[secret]")
    clean = _TOKEN_HEADER.sub(r"\1\2[secret]", clean)
    return _EMAIL.sub("[e-mail]", clean)


def sentence_of(error: BaseException) -> str:
    """Return what an error says, for those who only see the end of a run."""
    if isinstance(error, TotangoError):
        return scrub(error)
    if (known := temporary_file_error(error)) is not None:
        return scrub(known)
    return f"Unexpected failure ({type(error).__name__}): see the log."


def excerpt(text: object) -> str:
    """Return the first 200 scrubbed characters of a server's words, on one line; bytes as UTF-8."""
    if isinstance(text, bytes):
        text = text[:EXCERPT_BYTES].decode("utf-8", "replace")
    return " ".join(scrub(text).split())[:EXCERPT_LENGTH]


class _ScrubbingFormatter(logging.Formatter):
    """Formats as the wrapped formatter does, then scrubs: tracebacks are covered as well."""

    def __init__(self, wrapped: logging.Formatter) -> None:
        super().__init__()
        self._wrapped = wrapped

    def format(self, record: logging.LogRecord) -> str:
        return scrub(self._wrapped.format(record))


def scrub_logs() -> None:
    """Make every handler of the root logger scrub what it writes."""
    # Its warnings are tracebacks; what they are about is an error of ours, which says it.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, _ScrubbingFormatter):
            handler.setFormatter(_ScrubbingFormatter(handler.formatter or logging.Formatter()))
