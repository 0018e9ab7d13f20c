"""What a pasted request sends: its form, in any encoding in which programs send one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_URL: Final = re.compile(r"\A\w+://[^\s?]*\?")
_QUERY_FIELD: Final = re.compile(r"(?:^|&)\s*query\s*=\s*")
_PART: Final = re.compile(
    r'Content-Disposition:\s*form-data;[^\r\n]*?\bname="([^"]*)"(?:\r?\n[^\r\n]+)*\r?\n\r?\n(.*?)\r?\n--',
    re.IGNORECASE | re.DOTALL,
)

_BESIDE: Final = {"team_id", "teams_id", "account_id"}
"""Fields beside the query that may stand in the address as well."""


class PasteError(ValueError):
    """A paste cannot be read; the message continues a sentence that begins with the setting."""


@dataclass(frozen=True)
class Payload:
    """Form fields, or a body that is still encoded, or both; and where they are sent.

    Attributes:
        fields: Names and values, decoded.
        body: Text as it would travel: a form, JSON or multipart.
        url: Whole address; empty where the text names none.
        method: In capitals; empty where the text names none.
    """

    fields: tuple[tuple[str, str], ...] = ()
    body: str = ""
    url: str = ""
    method: str = ""


def fields_of(payload: Payload) -> list[tuple[str, str]]:
    """Return names and values; a body that is no form is the value of `query`.

    What stands in the address counts where nothing else is sent; else, only what belongs there.
    """
    in_url = payload.url.partition("?")[2]
    if not (payload.fields or payload.body):
        return _fields_in(in_url)
    fields = [(name.strip(), decoded(value)) for name, value in payload.fields]
    pairs = parse_qsl(in_url, keep_blank_values=True)
    fields += [(name, value) for name, value in pairs if name in _BESIDE]
    return [*fields, *_fields_in(payload.body.strip().lstrip("\ufeff"))]


def pairs_in(text: str) -> list[tuple[str, str]]:
    """Return names and values of any form, as an address or a body has it."""
    if parts := _PART.findall(text):
        return [(name, decoded(value)) for name, value in parts]
    if query := _QUERY_FIELD.search(text):
        return _fields_around(text, query)
    return parse_qsl(text, keep_blank_values=True)


def _fields_in(body: str) -> list[tuple[str, str]]:
    while body:
        if parts := _PART.findall(body):
            return [(name, decoded(value)) for name, value in parts]
        body = _URL.sub("", body)
        if query := _QUERY_FIELD.search(body):
            return _fields_around(body, query)
        if body.startswith("{") or not _PERCENT.search(body):
            break
        body = unquote_plus(body).strip()
    if not body:
        return []
    known = re.match(r"\s*(?:teams?_id|account_id|date_term)\s*=", body)
    return parse_qsl(body, keep_blank_values=True) if known else [("query", body)]


def _fields_around(body: str, query: re.Match[str]) -> list[tuple[str, str]]:
    """Return the field `query` of a form, and the others.

    JSON that is not percent-encoded may hold an `&`: it ends where the object does.
    """
    before, after = body[: query.start()], body[query.end() :]
    others = parse_qsl(before, keep_blank_values=True)
    if not after.startswith("{"):
        rest = parse_qsl(f"query={after}", keep_blank_values=True)
        return [*others, *((name, decoded(value)) for name, value in rest)]
    try:
        _, end = json.JSONDecoder().raw_decode(after)
    except ValueError:
        return [*others, ("query", after)]
    behind = after[end:].strip()
    if re.match(r"&\s*\w+=", behind):
        return [*others, ("query", after[:end]), *parse_qsl(behind, keep_blank_values=True)]
    return [*others, ("query", after)]


def decoded(value: str) -> str:
    """Decode a value that was percent-encoded more often than a form asks for."""
    while re.match(r"\s*%(?:25)*7B", value, re.IGNORECASE):
        value = unquote_plus(value)
    return value
