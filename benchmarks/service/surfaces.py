"""Which call is answered with what."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from benchmarks.service.accounts import RefusedError
from benchmarks.service.attributes import DEFINITIONS
from benchmarks.service.protocol import Answer, encoded

if TYPE_CHECKING:
    from typing import BinaryIO

    from benchmarks.service.accounts import Accounts
    from benchmarks.service.limit import Limit

_GIF: Final = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_PIXEL: Final = encoded(200, _GIF, content_type="image/gif")
_ROW: Final = b'{"id":'
_BATCH: Final = encoded(
    202,
    b'{"status":"success","time_received":"2026-01-01T00:00:00.000Z","batch_id":"b-1"}',
)
_NO_USERS: Final = b'{"status":"success","response":{"users":{"total_hits":0,"hits":[]}}}'


class Surfaces:
    """Search, attribute definitions, tracking and hub over one URL, and what arrived on each.

    Args:
        accounts: What searches find.
        limit: How many calls of the REST API a minute are taken.
        delay: Seconds until an answer.
        record: Where to write what was delivered: a body a line.
    """

    def __init__(
        self, accounts: Accounts, limit: Limit, *, delay: float, record: BinaryIO | None
    ) -> None:
        self._accounts = accounts
        self._limit = limit
        self._delay = delay
        self._record = record
        self._counts: Counter[str] = Counter()

    def respond(self, path: bytes, body: bytes) -> Answer:
        """Answer one call."""
        if path.startswith(b"/pixel.gif"):
            return self._tracked(body)
        if path == b"/counts":
            return Answer(encoded(200, json.dumps(self._counts).encode()))
        if path == b"/forget":
            self._counts.clear()
            return Answer(encoded(200, b"{}"))
        if path.startswith((b"/api/v1/search/", b"/api/v1/attributes.json")):
            return self._rest(path, body)
        return self._batch(body)

    def _tracked(self, body: bytes) -> Answer:
        self._counts["tracking"] += 1
        self._keep(body)
        return Answer(_PIXEL, self._delay)

    def _batch(self, body: bytes) -> Answer:
        self._counts["hub"] += 1
        self._counts["rows"] += body.count(_ROW)
        self._keep(body)
        return Answer(_BATCH, self._delay)

    def _keep(self, body: bytes) -> None:
        self._counts["bytes"] += len(body)
        if self._record is not None:
            self._record.write(body + b"\n")

    def _rest(self, path: bytes, body: bytes) -> Answer:
        surface = "attributes" if path.endswith(b".json") else "search"
        self._counts[surface] += 1
        allowed, headers = self._limit.spend()
        if not allowed:
            self._counts["too many"] += 1
            return Answer(encoded(429, b'"Too many requests"', headers=headers))
        status, content = self._found(path, body)
        return Answer(encoded(status, content, headers=headers), self._delay)

    def _found(self, path: bytes, body: bytes) -> tuple[int, bytes]:
        if path.endswith(b".json"):
            return 200, DEFINITIONS
        if path.endswith(b"/users"):
            return 200, _NO_USERS
        try:
            return 200, self._accounts.page(_query_in(body))
        except RefusedError as error:
            self._counts["refused"] += 1
            return 400, json.dumps({"status": "failed", "_error": str(error)}).encode()


def _query_in(body: bytes) -> dict[str, Any]:
    """Return the query of a form or, as some clients send it, of a JSON body."""
    text = json.loads(body)["query"] if body[:1] == b"{" else parse_qs(body.decode())["query"][0]
    query: dict[str, Any] = json.loads(text)
    return query
