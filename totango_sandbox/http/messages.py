"""One HTTP request and its response, and the envelopes of answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

JSON: Final = (b"content-type", b"application/json")
TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
HTML: Final = (b"content-type", b"text/html; charset=utf-8")
GIF: Final = (b"content-type", b"image/gif")
NDJSON: Final = (b"content-type", b"application/x-ndjson")
_VERSION: Final = 1.0
_REVISION: Final = "r12692"  # Totango: List API, sample

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class Request:
    """What arrived.

    Attributes:
        surface: which part of Totango is called.
        faults: names of faults that the handler itself plays, such as ``short-page``.
        path_values: parts of the path that the route leaves open.
        offset: paging as asked for, noted by the handler for the record of calls.
        count: likewise.
        rows: rows given back or taken in, likewise.
        search: number of this search call on its object, counted from 1.
        arrived: when it arrived, on the clock of ``time.perf_counter``.
    """

    method: str
    path: str
    raw_path: str
    query_string: bytes
    headers: list[Header]
    body: bytes
    surface: str = ""
    faults: tuple[str, ...] = ()
    path_values: tuple[str, ...] = ()
    offset: int | None = None
    count: int | None = None
    rows: int | None = None
    search: int | None = None
    arrived: float = field(default_factory=time.perf_counter)

    def header(self, name: bytes) -> str:
        """Return a header's value without surrounding blanks, or an empty text."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1").strip()
        return ""

    def query(self) -> dict[str, str]:
        """Return parameters of the query string; the last of a name wins.

        Raises:
            UnicodeDecodeError: something is not UTF-8.
        """
        fields: dict[str, str] = {}
        if self.query_string:
            read_form(self.query_string, fields)
        return fields

    def form(self) -> dict[str, str]:
        """Return parameters of the query string and of a form body; the last of a name wins.

        Raises:
            UnicodeDecodeError: something is not UTF-8.
        """
        fields = self.query()
        if self.body:
            read_form(self.body, fields)
        return fields

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


@dataclass(slots=True)
class Response:
    """A response. A body of several pieces is streamed."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: list[Header] = field(default_factory=lambda: [JSON])


def reply(document: object, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(status, json.dumps(document).encode())


def success(service: str, took_ms: int, response: dict[str, Any]) -> dict[str, Any]:
    """``status: success`` around the response to a search; the service is named by its number."""
    return {
        "status": "success",
        **_common(service, "search"),
        "took": took_ms,
        "response": response,
    }


def failed(service: str, kind: str, message: str, status: int) -> Response:
    """``status: failed`` of a service, which is named by its number."""
    return reply({"status": "failed", "_error": message, **_common(service, kind)}, status)


def unauthorized(message: str) -> Response:
    """Return a 401 as Totango's own Zendesk app reads it."""
    return reply({"error": {"type": "authentication_failed", "message": message}}, 401)


def _common(service: str, kind: str) -> dict[str, Any]:
    return {"service_id": service, "_type": kind, "_version": _VERSION, "_revision": _REVISION}


def read_form(raw: bytes, fields: dict[str, str]) -> None:
    """Decode ``a=b&c=d`` into fields.

    Raises:
        UnicodeDecodeError: something is not UTF-8.
    """
    for pair in raw.decode("utf-8").split("&"):
        name, equals, value = pair.partition("=")
        if name or equals:
            fields[_decoded_name(name)] = _decoded(value)


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


# Names come back call after call; values do not.
_decoded_name = lru_cache(maxsize=4096)(_decoded)
