"""Posts many small bodies to one URL at once, from a thread of its own that runs an event loop.

With the loop in another thread, calls go on and dropped connections are noticed whatever the
caller does meanwhile; and it may be called from within another event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from totango_api.errors import ApiError, RateLimitError, UnavailableError
from totango_api.http.adaptive_limit import AdaptiveLimit
from totango_api.http.aiohttp_connections import Connections
from totango_api.http.event_loop import LoopLag, new_loop
from totango_api.http.responses import OK
from totango_api.http.retry import is_worth_retrying, retried

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from totango_api.http.client import ApiClient, Request
    from totango_api.http.responses import Response

T = TypeVar("T")

CLOSE_SECONDS: Final = 5.0

_SERVER_FAULT: Final = 500


class _Job(NamedTuple, Generic[T]):
    """A body to post.

    Attributes:
        done: Called with the result, or with the exception that it ended in.
    """

    body: bytes
    done: Callable[[T | Exception], None]
    idempotent: bool


class AsyncPoster(Generic[T]):
    """Posts bodies, as many at once as the server bears, and retries what may be sent again.

    Used by one thread; what is done with a result is called in another one.

    Args:
        client: Whose settings, usage and retry log it shares; not its connections.
        request: What every call has in common: all but the body.
        read: Makes a result of the endpoint's name and a 2xx response, or raises an
            :class:`ApiError`.
        max_in_flight: Most calls at once.

    Raises:
        SettingsError: If a header cannot be sent, or the environment names a proxy or certificates
            that cannot be used.
    """

    def __init__(
        self,
        client: ApiClient,
        request: Request,
        read: Callable[[str, Response], T],
        *,
        max_in_flight: int,
    ) -> None:
        self._client = client
        self._request = request
        self._read = read
        self._usage = client.usage[request.surface]
        self._running = 0
        self._inbox: deque[_Job[T]] = deque()
        self._turns: deque[asyncio.Future[None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._is_woken = False
        self._is_cancelled = False
        self._connections = Connections(request, client.connection)
        self._loop = new_loop()
        self._clock = self._loop.time
        self._lag = LoopLag(self._loop, lambda: self._running > 0)
        self._limit = AdaptiveLimit(max_in_flight, clock=self._clock, lag=self._lag.take)
        self._thread = threading.Thread(target=self._run, daemon=True, name="totango-calls")
        self._thread.start()
        self._in_loop(self._connections.open())

    @property
    def room(self) -> int:
        """How many bodies may be posted now, for calls to follow one another; 0 if many wait."""
        waiting, limit = len(self._inbox), self._limit.current
        return limit - waiting if waiting <= limit // 2 else 0

    def post(self, body: bytes, done: Callable[[T | Exception], None], *, idempotent: bool) -> None:
        """Send a body.

        Args:
            body: What to send.
            done: Called in another thread with the result; with an :class:`ApiError` if the call
                failed.
            idempotent: Whether a second delivery does no harm. Otherwise it is sent again only
                when it certainly did not arrive.
        """
        self._inbox.append(_Job(body, done, idempotent))
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._wake)

    def cancel(self) -> None:
        """Send nothing new, and nothing again: what is not under way fails."""
        self._is_cancelled = True
        self._loop.call_soon_threadsafe(self._cancel_waiting)

    def close(self) -> None:
        """Close all connections. Calls under way get no callback."""
        if self._loop.is_closed():
            return
        self._is_cancelled = True
        with suppress(TimeoutError):
            self._in_loop(self._close(), seconds=CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _in_loop(self, work: Any, *, seconds: float | None = None) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    # In the thread of the loop -----------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connections.close()

    def _cancel_waiting(self) -> None:
        reason = "the run was stopped before it was sent"
        error = UnavailableError(self._request.endpoint, reason=reason, may_have_succeeded=False)
        while self._inbox:
            self._inbox.popleft().done(error)
        for task in self._waiting:
            task.cancel()

    def _wake(self) -> None:
        self._is_woken = False
        if self._is_cancelled:
            self._cancel_waiting()
        else:
            self._fill()

    def _fill(self) -> None:
        """Start calls up to the limit: first those that are sent again."""
        while self._running < self._limit.current and not self._is_cancelled:
            if self._turns:
                turn = self._turns.popleft()
                if turn.done():
                    continue
                turn.set_result(None)
            elif self._inbox:
                self._start(self._send_all())
            else:
                return
            self._running += 1
            self._lag.start()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_all(self) -> None:
        """Send one body after another, until there are none or others have the turn."""
        while (
            self._inbox
            and not self._turns
            and not self._is_cancelled
            and self._running <= self._limit.current
        ):
            job = self._inbox.popleft()
            started = self._clock()
            try:
                result: T | Exception = await self._attempt(job)
            except ApiError as error:
                # The ordinary call needs none of the machinery of retries.
                self._start(self._retry(job, error, spent=self._clock() - started))
                continue
            except Exception as error:  # noqa: BLE001 (handed to whoever posted the job)
                result = error
            job.done(result)
        self._running -= 1
        self._fill()

    async def _retry(self, job: _Job[T], error: ApiError, *, spent: float) -> None:
        """Send a body again whose first attempt failed with an error, if that makes sense."""
        result: T | Exception
        try:
            result = await self._again(job, error, spent)
        except ApiError as last:
            self._usage.count_failure(last)
            result = last
        except Exception as other:  # noqa: BLE001 (handed to whoever posted the job)
            result = other
        job.done(result)

    async def _again(self, job: _Job[T], error: ApiError, spent: float) -> T:
        seconds = self._client.connection.max_retry_seconds
        is_worth_it = is_worth_retrying(error, seconds, idempotent=job.idempotent)
        if self._is_cancelled or not is_worth_it:
            raise error
        task: Any = asyncio.current_task()
        last, first = error, [error]

        async def attempt() -> T:
            if first:
                raise first.pop()
            return await self._in_turn(job)

        def note(failed: ApiError, wait: float) -> None:
            nonlocal last
            last = failed
            self._waiting.add(task)
            self._usage.count_retry()
            self._client.retry_log.note(failed, wait)

        again = retried(attempt, seconds=seconds, idempotent=job.idempotent, note=note, spent=spent)
        try:
            return await again()
        except asyncio.CancelledError:
            if task in self._waiting:  # by _cancel_waiting
                raise last from None
            raise
        finally:
            self._waiting.discard(task)

    async def _in_turn(self, job: _Job[T]) -> T:
        """Send a body when it is its turn among all calls."""
        turn = self._loop.create_future()
        self._turns.append(turn)
        self._fill()
        await turn
        self._waiting.discard(asyncio.current_task())
        try:
            return await self._attempt(job)
        finally:
            self._running -= 1
            self._fill()

    async def _attempt(self, job: _Job[T]) -> T:
        """Send a body once, and read the response.

        Raises:
            ApiError: If the call failed.
        """
        self._usage.count_call()
        started = self._clock()
        try:
            response = await self._connections.post(job.body)
        except ApiError:
            self._limit.note_response(started, is_failure=True)
            raise
        error = None if response.status in OK else self._client.error_for(self._request, response)
        if isinstance(error, RateLimitError):
            self._limit.note_429(started)
        else:
            self._limit.note_response(started, is_failure=response.status >= _SERVER_FAULT)
        if error is not None:
            raise error
        return self._read(self._request.endpoint, response)
