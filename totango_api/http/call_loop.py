"""An event loop that its thread runs in steps, when it has nothing better to do.

Calls are then under way beside everything else without a second thread: no lock, and no two
threads that fight for the interpreter.
"""

from __future__ import annotations

import asyncio
import logging
import select
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.1
"""No step is longer, so that whoever waits can look up; and how finely time is measured."""


class CallLoop:
    """Used by one thread, and not from within another event loop of that thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._note)
        self._crash: BaseException | None = None
        self._ticking: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._readable = False
        self._loop.call_later(TICK_SECONDS, self._tick)

    @staticmethod
    def fits_here() -> bool:
        """Whether this thread can run one: it is not within another event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        return False

    @property
    def inner(self) -> asyncio.AbstractEventLoop:
        """The loop of asyncio."""
        return self._loop

    # Steps -------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Take in what has arrived, without waiting."""
        self._loop.stop()
        self.step()

    def step(self) -> None:
        """Run until :meth:`stop` is called, but not for longer than a tick.

        Raises:
            Exception: What a callback raised that it should not have.
        """
        self._loop.run_forever()
        if self._crash is not None:
            crash, self._crash = self._crash, None
            raise crash

    def stop(self) -> None:
        """End the step that is being run, once everything that has arrived is taken in."""
        self._loop.stop()

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        """Run until a descriptor has something to read, or for some time; tell which."""
        # Looking first is cheaper than signing up. It also leaves regular files alone, which
        # are always readable, and which the loop cannot take.
        if select.select([descriptor], [], [], 0)[0]:
            return True
        self._readable = False
        until = self._loop.time() + seconds
        self._loop.add_reader(descriptor, self._note_readable)
        try:
            while not self._readable and self._loop.time() < until:
                self.step()
        finally:
            self._loop.remove_reader(descriptor)
        return self._readable

    def _note_readable(self) -> None:
        self._readable = True
        self._loop.stop()

    # What is run -------------------------------------------------------------------------------

    def soon(self, callback: Callable[[], None]) -> None:
        """Have something called once what has arrived by now is taken in."""
        self._loop.call_soon(callback)

    def every_tick(self, callback: Callable[[], None]) -> None:
        """Have something called again and again, while the loop is run.

        Time in which it is not run does not count: answers may have come meanwhile that nobody
        took in.
        """
        self._ticking.append(callback)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have a coroutine run; it is cancelled when the loop is closed."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def close(self) -> None:
        """Cancel what still runs, and close. Closing twice does no harm."""
        if self._loop.is_closed():
            return
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            self._run_until(asyncio.gather(*self._tasks, return_exceptions=True))
        self._run_until(self._loop.create_task(self._loop.shutdown_asyncgens()))
        self._loop.stop()
        self._loop.run_forever()  # connections that were given up are closed here
        self._loop.close()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crash = self._crash or error

    def _run_until(self, future: asyncio.Future[Any]) -> None:
        future.add_done_callback(lambda _: self._loop.stop())
        while not future.done():
            self._loop.run_forever()

    def _tick(self) -> None:
        self._loop.call_later(TICK_SECONDS, self._tick)
        for callback in self._ticking:
            callback()
        self._loop.stop()

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what a callback raised. What the network did is told to whoever called."""
        del loop
        error = context.get("exception")
        if error is None or isinstance(error, OSError):
            logger.debug("%s (%s)", context.get("message"), type(error).__name__)
        elif self._crash is None:
            self._crash = error
