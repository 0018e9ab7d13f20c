"""Kept connections to one host, driven by an event loop: as many exchanges at once."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.config import CONNECT_TIMEOUT
from totango_api.http import failures
from totango_api.http.call_loop import TICK_SECONDS
from totango_api.http.environment import tls_context
from totango_api.http.http_connection import KEPT_BYTES, Exchange, HttpConnection
from totango_api.http.wire import SLOWEST_ANSWER

if TYPE_CHECKING:
    from totango_api.errors import ApiError
    from totango_api.http.call_loop import CallLoop
    from totango_api.http.http_address import Address

IDLE_SECONDS: Final = 15.0
"""A connection without work is closed after this time, before most servers would."""

FRESH_SECONDS: Final = 2.0
"""What may not be sent twice goes over no connection that was idle for longer: should the server
be closing it at that moment, nobody could say whether the call was carried out."""

_BUFFER_BYTES: Final = 1 << 16


@dataclass(eq=False)
class _Opening:
    """A connection that is being made; `waited` counts ticks."""

    task: asyncio.Task[None] | None = None
    waited: int = 0


class HttpPool:
    """Sends requests to one host. Used by one thread, the one that runs the loop.

    Args:
        loop: Runs it.
        address: Where it is.
        endpoint: What to call it in errors.
        limit: Connections at once.
        timeout: Seconds without a byte.
        kept_bytes: So much of an answer is kept.
    """

    def __init__(
        self,
        loop: CallLoop,
        address: Address,
        endpoint: str,
        *,
        limit: int,
        timeout: float,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._address = address
        self._tls = tls_context(address.url) if address.tls else None
        self._endpoint = endpoint
        self._loop = loop
        self._clock = loop.inner.time
        self._limit = limit
        self._most_silent = _ticks(timeout)
        self._most_waited = _ticks(SLOWEST_ANSWER * timeout)
        self._most_opening = _ticks(min(CONNECT_TIMEOUT, timeout))
        self._connections: set[HttpConnection] = set()
        self._free: list[HttpConnection] = []
        self._waiting: deque[Exchange] = deque()
        self._openings: set[_Opening] = set()
        self._closed = False
        self.kept_bytes = kept_bytes
        self.buffer = memoryview(bytearray(_BUFFER_BYTES))
        loop.every_tick(self._sweep)

    def send(self, exchange: Exchange) -> None:
        """Send a request as soon as there is a connection for it."""
        while self._free:
            # The one that was used last: the others get idle, and are closed in the end.
            connection = self._free.pop()
            if connection.usable and (exchange.idempotent or self._is_safe(connection)):
                connection.send(exchange)
                return
            self._drop(connection)
        self._waiting.append(exchange)
        self._open()

    def close(self) -> None:
        """Close every connection; exchanges under way are not told."""
        self._closed = True
        self._waiting.clear()
        for opening in self._openings:
            if opening.task is not None:
                opening.task.cancel()
        for connection in list(self._connections):
            self._drop(connection)
        self._free.clear()

    # What connections call ---------------------------------------------------------------------

    def made(self, connection: HttpConnection) -> None:
        """Take a new connection."""
        self._connections.add(connection)
        if self._closed:
            self._drop(connection)
        else:
            self.free(connection)

    def free(self, connection: HttpConnection) -> None:
        """Take back a connection whose exchange is over."""
        connection.idle_since = self._clock()
        if not self._waiting:
            self._free.append(connection)
        elif self._waiting[0].idempotent or self._is_safe(connection):
            connection.send(self._waiting.popleft())
        else:
            self._drop(connection)
            self._open()

    def lost(self, connection: HttpConnection, exchange: Exchange | None) -> None:
        """Forget a connection; its exchange, if one was under way, came to nothing."""
        self._forget(connection)
        if exchange is None:
            pass
        elif connection.begun:
            self._fail(exchange, failures.cut_short(self._endpoint))
        elif connection.reused and exchange.idempotent and not exchange.resent:
            # The server had closed it, as it may at any time. So it has those of the same age.
            exchange.resent = True
            for other in [each for each in self._free if each.idle_since <= connection.idle_since]:
                self._drop(other)
            self.send(exchange)
        else:
            self._fail(exchange, failures.dropped(self._endpoint))
        self._open()

    # -------------------------------------------------------------------------------------------

    def _is_safe(self, connection: HttpConnection) -> bool:
        """Tell whether a server is not likely to have closed a connection, or to be closing it."""
        if not connection.reused:
            return True
        return self._clock() - connection.idle_since < FRESH_SECONDS and not connection.ended

    def _open(self) -> None:
        """Make as many connections as requests wait for, within the limit."""
        while (
            len(self._openings) < len(self._waiting)
            and len(self._connections) + len(self._openings) < self._limit
        ):
            opening = _Opening()
            self._openings.add(opening)
            opening.task = self._loop.spawn(self._connect(opening))

    async def _connect(self, opening: _Opening) -> None:
        try:
            await self._loop.inner.create_connection(
                lambda: HttpConnection(self),
                self._address.host,
                self._address.port,
                ssl=self._tls,
            )
        except asyncio.CancelledError:
            if self._closed:
                raise
            failure: ApiError = failures.no_connection_in_time(self._endpoint)
        except ssl.SSLError:
            failure = failures.not_verified(self._endpoint)
        except OSError:
            failure = failures.no_connection(self._endpoint)
        except ValueError as error:  # a host name that cannot be one
            failure = failures.not_made(self._endpoint, error)
        else:
            self._openings.discard(opening)
            return
        self._openings.discard(opening)
        if self._waiting:
            self._fail(self._waiting.popleft(), failure)
        self._open()

    def _sweep(self) -> None:
        """Give up what takes too long, and close what has nothing to do."""
        for opening in self._openings:
            opening.waited += 1
            if opening.waited > self._most_opening and opening.task is not None:
                opening.task.cancel()
        for connection in list(self._connections):
            exchange = connection.exchange
            if exchange is None:
                if self._clock() - connection.idle_since > IDLE_SECONDS:
                    self._drop(connection)
                continue
            connection.silent += 1
            connection.waited += 1
            if connection.silent > self._most_silent or connection.waited > self._most_waited:
                self._drop(connection)
                self._fail(exchange, failures.no_answer_in_time(self._endpoint))
        self._open()

    def _fail(self, exchange: Exchange, failure: ApiError) -> None:
        exchange.failure = failure
        exchange.done(exchange)

    def _drop(self, connection: HttpConnection) -> None:
        connection.abort()
        self._forget(connection)

    def _forget(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        if connection in self._free:
            self._free.remove(connection)


def _ticks(seconds: float) -> int:
    return max(round(seconds / TICK_SECONDS), 1)
