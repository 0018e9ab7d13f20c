"""Many bodies to one URL at once, retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from totango_api.errors import ApiError, SettingsError
from totango_api.http.http_address import Address
from totango_api.http.http_connection import KEPT_BYTES, Exchange
from totango_api.http.http_pool import HttpPool
from totango_api.http.retry import retried, worth_another_try

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Container

    from totango_api.http.call_loop import CallLoop
    from totango_api.http.client import ApiClient, Request
    from totango_api.http.responses import Response

R = TypeVar("R")


class Poster(Generic[R]):
    """Posts bodies from an event loop. Used by one thread, the one that runs the loop.

    Args:
        transport: Whose settings and usage it shares; not its connections.
        loop: Runs it.
        request: What every call has in common: all but the body.
        limit: Calls at once.
        fine: Statuses after which nothing is left to read.
        read: Reads any other answer of 2xx; raises an :class:`ApiError` if it is none.
        answered: Called with the job of each call that is over, the error if it failed, and else
            what was read.
        kept_bytes: So much of an answer is kept.

    Raises:
        SettingsError: If a header cannot be sent.
    """

    def __init__(
        self,
        transport: ApiClient,
        loop: CallLoop,
        request: Request,
        *,
        limit: int,
        fine: Container[int],
        read: Callable[[str, Response], R],
        answered: Callable[[Any, ApiError | None, R | None], None],
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._connection = transport.connection
        self._error_for = transport.error_for
        self._usage = transport.usage[request.surface]
        self._endpoint = request.endpoint
        address = Address.of(request.url)
        self._head = _head(request, address, transport.connection.user_agent)
        self._loop = loop
        self._clock = loop.inner.time
        self._pool = HttpPool(
            loop,
            address,
            request.endpoint,
            limit=limit,
            timeout=self._connection.timeout,
            kept_bytes=kept_bytes,
        )
        self._fine = fine
        self._read = read
        self._answered = answered

    def post(self, body: bytes, job: Any, *, idempotent: bool) -> None:
        """Send a body; `answered` is called from within the loop when that is over.

        Args:
            body: What to send.
            job: Handed on to `answered`.
            idempotent: Whether a second delivery does no harm. Otherwise it is sent again only
                when it certainly did not arrive.
        """
        self._usage.calls += 1
        request = b"%s%d\r\n\r\n%s" % (self._head, len(body), body)
        self._pool.send(
            Exchange(request, self._over, idempotent=idempotent, job=job, started=self._clock())
        )

    def close(self) -> None:
        """Close every connection; calls under way are not told."""
        self._pool.close()

    def _over(self, exchange: Exchange) -> None:
        """Take the outcome of a first attempt: the ordinary call needs no other."""
        if exchange.status in self._fine and not exchange.resent:
            self._answered(exchange.job, None, None)
            return
        try:
            result = self._result(exchange)
        except ApiError as error:
            seconds = self._connection.max_retry_seconds
            if worth_another_try(error, seconds, idempotent=exchange.idempotent):
                self._loop.spawn(self._try_again(exchange, error))
            else:
                self._fail(exchange, error)
        else:
            self._answered(exchange.job, None, result)

    def _result(self, exchange: Exchange) -> R | None:
        """Return what an answer says, if anything is left to read.

        Raises:
            ApiError: If the call failed.
        """
        if exchange.resent:
            self._usage.calls += 1
            self._usage.retries += 1
        if exchange.failure is not None:
            raise exchange.failure
        if exchange.status in self._fine:
            return None
        answer = exchange.answer
        error = self._error_for(self._endpoint, answer)
        if error is not None:
            raise error
        return self._read(self._endpoint, answer)

    def _fail(self, exchange: Exchange, error: ApiError) -> None:
        self._usage.failures[str(error.status or "no answer")] += 1
        self._answered(exchange.job, error, None)

    async def _try_again(self, exchange: Exchange, error: ApiError) -> None:
        """Retry a call whose first attempt failed."""
        first: ApiError | None = error

        async def attempt() -> R | None:
            nonlocal first
            if first is not None:
                failed, first = first, None
                raise failed
            return await self._attempt(exchange)

        tried = retried(
            attempt,
            seconds=self._connection.max_retry_seconds,
            idempotent=exchange.idempotent,
            note=self._note_retry,
            spent=self._clock() - exchange.started,
        )
        try:
            result = await tried()
        except ApiError as last:
            self._fail(exchange, last)
        else:
            self._answered(exchange.job, None, result)

    async def _attempt(self, exchange: Exchange) -> R | None:
        over: asyncio.Future[None] = self._loop.inner.create_future()

        def done(_: Exchange) -> None:
            if not over.done():
                over.set_result(None)

        self._usage.calls += 1
        again = Exchange(exchange.request, done, idempotent=exchange.idempotent)
        self._pool.send(again)
        await over
        return self._result(again)

    def _note_retry(self) -> None:
        self._usage.retries += 1


def _head(request: Request, address: Address, user_agent: str) -> bytes:
    """Return the first lines of every request, up to the length of its body."""
    headers = {
        "Host": address.header,
        "Accept-Encoding": "identity",
        "User-Agent": user_agent,
        **request.headers,
    }
    lines = [f"{request.method} {address.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    for line in lines:
        if any(ord(character) < 0x20 or ord(character) > 0xFF for character in line):
            msg = "user_agent holds a character that cannot travel in a header."
            raise SettingsError(msg, remedy="Leave it out.")
    return "\r\n".join([*lines, "Content-Length: "]).encode("latin-1")
