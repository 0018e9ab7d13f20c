"""An HTTP answer read from its bytes: only errors are read whole, so only they cost it."""

from __future__ import annotations

from contextlib import suppress

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from urllib3 import HTTPHeaderDict

from totango_api.http.responses import Response

_INFORMATIONAL = range(100, 200)


class _Reading:
    """Collects what the parser finds; the final answer, not the informational ones before."""

    def __init__(self, raw: bytes) -> None:
        self.headers = HTTPHeaderDict()
        self.body: list[bytes] = []
        self.begun = False
        self.status = 0
        parser = HttpResponseParser(self)
        self._parser = parser
        with suppress(HttpParserError, HttpParserUpgrade):  # what comes before is kept
            parser.feed_data(raw)

    def on_message_begin(self) -> None:
        self.headers.clear()
        self.body.clear()
        self.begun = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.begun = self.status not in _INFORMATIONAL

    def on_body(self, body: bytes) -> None:
        self.body.append(body)


def answer_in(raw: bytes) -> Response:
    """Return the answer that these bytes are, or begin with when they were cut."""
    reading = _Reading(raw)
    encoded = reading.headers.get("Content-Encoding", "identity") != "identity"
    # Nothing was asked to be compressed. Whoever does so all the same is not quoted.
    body = b"" if encoded else b"".join(reading.body)
    return Response(reading.status, reading.headers, body)


def ended_by_closing(raw: bytes) -> int | None:
    """Return the status of an answer that is whole once its connection ends, if it is one."""
    reading = _Reading(raw)
    sized = "Content-Length" in reading.headers or "Transfer-Encoding" in reading.headers
    return reading.status if reading.begun and not sized else None
