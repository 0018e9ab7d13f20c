"""One kept connection: a request out, its answer in, then the next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from urllib3.util import wait_for_read

from totango_api.http.http_answer import answer_in, ended_by_closing

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_api.errors import ApiError
    from totango_api.http.responses import Response

KEPT_BYTES: Final = 1 << 16
"""So much of an answer is kept where only its status counts: errors are quoted from it."""

_FINAL: Final = 200


class Exchange:
    """A request, and what came of it.

    Attributes:
        request: Every byte of it.
        idempotent: Whether sending it twice does no harm.
        done: Called when it is over.
        job: For whoever started it.
        status: Of the answer; 0 if none came.
        raw: The answer, or its beginning.
        failure: Why none came.
        resent: Whether it was sent again, as its connection had been closed before.
        started: When, by the loop's clock.
    """

    __slots__ = (
        "done",
        "failure",
        "idempotent",
        "job",
        "raw",
        "request",
        "resent",
        "started",
        "status"
    )  # fmt: skip

    def __init__(
        self,
        request: bytes,
        done: Callable[[Exchange], None],
        *,
        idempotent: bool,
        job: Any = None,
        started: float = 0.0,
    ) -> None:
        self.request = request
        self.done = done
        self.idempotent = idempotent
        self.job = job
        self.started = started
        self.status = 0
        self.raw = b""
        self.failure: ApiError | None = None
        self.resent = False

    @property
    def answer(self) -> Response:
        """The answer, read whole."""
        return answer_in(self.raw)


class Owner(Protocol):
    """Where connections belong to."""

    buffer: memoryview
    kept_bytes: int

    def made(self, connection: HttpConnection) -> None:
        """Take a new connection."""

    def free(self, connection: HttpConnection) -> None:
        """Take back a connection whose exchange is over."""

    def lost(self, connection: HttpConnection, exchange: Exchange | None) -> None:
        """Forget a connection; its exchange, if one was under way, came to nothing."""


class HttpConnection(asyncio.BufferedProtocol):
    """Carries one exchange at a time.

    Args:
        owner: Where it belongs to. Its buffer is shared: what arrives is read at once.

    Attributes:
        exchange: The one that is under way.
        reused: Whether it is not the first one.
        silent: Ticks since the last byte, counted by the owner.
        waited: Ticks since the request, counted by the owner.
        idle_since: When the last one was over, by the loop's clock.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._buffer = owner.buffer
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._raw = b""
        self._messages = 0
        self._status = 0
        self._keep = False
        self.exchange: Exchange | None = None
        self.reused = False
        self.silent = 0
        self.waited = 0
        self.idle_since = 0.0

    @property
    def begun(self) -> bool:
        """Whether a byte of its answer has come."""
        return bool(self._raw)

    @property
    def usable(self) -> bool:
        """Whether it can take a request."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def ended(self) -> bool:
        """Whether its end, or what nobody asked for, waits to be read. Costs a system call."""
        return self._transport is not None and wait_for_read(
            self._transport.get_extra_info("socket"), 0.0
        )

    def send(self, exchange: Exchange) -> None:
        """Send a request."""
        self.exchange = exchange
        self.silent = self.waited = 0
        self._transport.write(exchange.request)  # type: ignore[union-attr]

    def abort(self) -> None:
        """End the connection; the owner is told nothing."""
        self.exchange = None
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to belong to the owner."""
        self._transport = transport  # type: ignore[assignment]
        self._owner.made(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Say where bytes go."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes of an answer."""
        if self.exchange is None:  # nobody asked
            self._lose()
            return
        data = self._buffer[:nbytes]
        self.silent = 0
        if len(self._raw) < self._owner.kept_bytes:
            self._raw += data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._keep = False
            if not self._status:
                self._lose()
                return
        if self._status:
            self._finish(self.exchange)

    def eof_received(self) -> None:
        """Take note that no more bytes come."""
        if self.exchange is not None and (status := ended_by_closing(self._raw)):
            self._status, self._keep = status, False
            self._finish(self.exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to belong to the owner."""
        del exc
        self._lose()

    # What the parser calls ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Count the answers."""
        self._messages += 1

    def on_message_complete(self) -> None:
        """Note what the answer was."""
        status = self._parser.get_status_code()
        if status < _FINAL:  # informational: the answer is still to come
            self._messages -= 1
        elif not self._status:
            self._status, self._keep = status, self._parser.should_keep_alive()

    # What follows ------------------------------------------------------------------------------

    def _finish(self, exchange: Exchange) -> None:
        """Hand over an answer. Whoever says more than that is not asked again."""
        exchange.status, exchange.raw = self._status, self._raw
        keep = self._keep and self._messages == 1
        self.exchange = None
        self.reused = True
        self._raw, self._status, self._messages = b"", 0, 0
        if keep:
            self._owner.free(self)
        else:
            self._lose()
        exchange.done(exchange)

    def _lose(self) -> None:
        exchange = self.exchange
        self.abort()
        self._owner.lost(self, exchange)
