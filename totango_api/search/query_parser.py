"""Queries as Totango users have them: what "Generate the API endpoint" gives, in any wrapping.

Facts: "FAQ on generated endpoints"; the form field `query` of "Search API".
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from totango_api.errors import QueryError
from totango_api.search.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGING: Final = {"count", "offset", "sort_by", "sort_order"}
"""Keys that are the reader's own business."""

_DATA_OPTIONS: Final = (
    "--data-urlencode",
    "--data-binary",
    "--data-ascii",
    "--data-raw",
    "--data",
    "--form",
    "-d",
    "-F",
)
_LINE_CONTINUATION: Final = re.compile(r"[\\^`][ \t]*\r?\n")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_DECODINGS: Final = 3


def query_from(value: object, *, setting: str) -> Query:
    """Read a query from an object or from pasted text.

    Args:
        value: A JSON object; or text: bare JSON, `query=…`, URL-encoded once or twice, or a
            whole curl command, over several lines, with quotes of either kind.
        setting: Name of the setting, for messages.

    Raises:
        QueryError: If it is none of these, or not a query; the message names the place.
    """
    body = value if isinstance(value, dict) else _object_in(str(value), setting)
    if "terms" not in body and "query" in body:
        inner = body["query"]
        body = inner if isinstance(inner, dict) else _object_in(str(inner), setting)
    known = {"terms", "fields", "parent_account_fields", *_PAGING}
    return Query(
        terms=_objects(body, "terms", setting),
        fields=_objects(body, "fields", setting),
        parent_account_fields=_objects(body, "parent_account_fields", setting),
        extras={name: body[name] for name in body if name not in known},
    )


def _objects(body: dict[str, Any], key: str, setting: str) -> tuple[dict[str, Any], ...]:
    """Return a list of typed objects.

    Raises:
        QueryError: If it is not one.
    """
    listed = body.get(key, [])
    if not isinstance(listed, list):
        msg = f"{setting}: {key} is not a list."
        raise QueryError(msg, remedy=_PASTE_AGAIN)
    for index, entry in enumerate(listed):
        place = f"{setting}: {key}[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            msg = f"{place} is not an object with a type."
            raise QueryError(msg, remedy=_PASTE_AGAIN)
        if entry["type"] == "or" and key == "terms":
            _objects(entry, "or", f"{place} of {setting}")
        if entry["type"] == "parent_account" and key == "terms":
            _objects(entry, "terms", f"{place} of {setting}")
        if entry["type"].endswith("_attribute") and not isinstance(entry.get("attribute"), str):
            msg = f"{place} is of type {entry['type']}, but names no attribute."
            raise QueryError(msg, remedy=_PASTE_AGAIN)
    return tuple(listed)


_PASTE_AGAIN: Final = (
    'Open the list in Totango, press "Generate the API endpoint", and paste all of it.'
)


def _object_in(text: str, setting: str) -> dict[str, Any]:
    stripped = text.strip().lstrip("\ufeff")
    if not stripped:
        msg = f"{setting} is empty."
        raise QueryError(msg, remedy=f"Leave {setting} out, or paste a query.")
    if re.match(r"(\$\s*)?curl(\.exe)?\s", stripped):
        stripped = _form_of_curl(stripped, setting)
    fault = f"{setting} holds no JSON object."
    for candidate in _candidates(stripped):
        if not candidate.startswith("{"):
            continue
        try:
            body, _end = json.JSONDecoder().raw_decode(candidate)
        except ValueError as error:
            at = error if isinstance(error, json.JSONDecodeError) else None
            where = f" at line {at.lineno}, column {at.colno}: {at.msg}" if at else ""
            fault = f"{setting} is not JSON{where}."
            continue
        if isinstance(body, dict):
            return body
    raise QueryError(fault, remedy=_PASTE_AGAIN)


def _candidates(text: str) -> Iterator[str]:
    """Yield what may be the JSON: as it is, or decoded once, twice, thrice."""
    for _ in range(_DECODINGS):
        yield text
        yield from (part.partition("=")[2] for part in _query_fields(text))
        if not _PERCENT.search(text):
            return
        text = unquote_plus(text).strip()


def _query_fields(text: str) -> Iterator[str]:
    """Yield the form field `query`: whole if its JSON holds an `&`, else up to the next one."""
    start = re.search(r"(?:^|[?&])(query\s*=\s*)", text)
    if start is None:
        return
    field = text[start.start(1) :]
    if re.match(r"query\s*=\s*\{", field):
        yield "query=" + field.partition("=")[2].strip()
        return
    encoded = field.partition("=")[2].partition("&")[0]
    for _ in range(_DECODINGS):
        encoded = unquote_plus(encoded).strip()
        yield f"query={encoded}"


def _form_of_curl(command: str, setting: str) -> str:
    """Return the form that a curl command sends; everything else in it is let go unread.

    Raises:
        QueryError: If the quotes do not match, or no data is sent.
    """
    joined = _LINE_CONTINUATION.sub(" ", command)
    joined = re.sub(r"(?<=[\s=])\$'", "'", joined)
    try:
        words = shlex.split(joined)
    except ValueError:
        msg = f"{setting}: the quotes of the curl command do not match."
        raise QueryError(msg, remedy=_PASTE_AGAIN) from None
    data = list(_data_of(iter(words)))
    if not data:
        msg = f"{setting}: the curl command sends no data."
        raise QueryError(msg, remedy=_PASTE_AGAIN)
    if any(part.startswith("@") for part in data):
        msg = f"{setting}: the curl command reads its data from a file."
        raise QueryError(msg, remedy="Paste what is in the file instead.")
    holding = [part for part in data if re.match(r"\s*(query|%7B|\{)", part, re.IGNORECASE)]
    return (holding or data)[0].strip()


def _data_of(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        for option in _DATA_OPTIONS:
            if word == option:
                yield next(words, "")
            elif option.startswith("--") and word.startswith(f"{option}="):
                yield word.partition("=")[2]
            elif not option.startswith("--") and word.startswith(option) and word != option:
                yield word[len(option) :]
            else:
                continue
            break
