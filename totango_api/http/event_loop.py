"""The event loop of the async client: which it is, how late it is, which calls take too long."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

TICK_SECONDS: Final = 0.005


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where it is installed, which takes a quarter less time."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class Deadline:
    """Limits how long each of many calls may take. Used in the thread of the loop.

    All take the same time at most, so one timer does for all of them; a timer for each would take
    a tenth of the time that a tracking call takes.

    Args:
        loop: Runs the calls.
        seconds: How long one may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._under_way: dict[asyncio.Task[Any], float] = {}
        self._overdue: set[asyncio.Task[Any]] = set()
        self._has_timer = False

    async def wait_for(self, call: Awaitable[T]) -> T:
        """Return the result of a call.

        Raises:
            TimeoutError: If it took too long.
        """
        task: Any = asyncio.current_task()
        self._under_way[task] = self._loop.time()
        if not self._has_timer:
            self._has_timer = True
            self._loop.call_later(self._seconds, self._end_overdue)
        try:
            return await call
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            self._overdue.remove(task)
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._under_way.pop(task, None)

    def _end_overdue(self) -> None:
        """Cancel what takes too long, and look again when the next one may."""
        now = self._loop.time()
        for task, started in list(self._under_way.items()):
            if started + self._seconds <= now:
                del self._under_way[task]
                self._overdue.add(task)
                task.cancel()
        self._has_timer = bool(self._under_way)
        if self._under_way:
            first = min(self._under_way.values())
            self._loop.call_at(first + self._seconds, self._end_overdue)


class LoopLag:
    """Has a timer called many times a second, and sees how late that happens.

    A response that came while the loop was late seems to have taken longer than it did. Used in the
    thread of the loop.

    Args:
        loop: The loop.
        is_wanted: Asked at each tick: whether to go on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, is_wanted: Callable[[], bool]) -> None:
        self._loop = loop
        self._is_wanted = is_wanted
        self._is_running = False
        self._due = 0.0
        self._seconds = 0.0
        self._ticks = 0

    def start(self) -> None:
        """Begin to measure, unless that is done already."""
        if not self._is_running:
            self._is_running = True
            self._schedule()

    def take(self) -> float:
        """Return the mean since the last time, in seconds."""
        mean = self._seconds / self._ticks if self._ticks else 0.0
        self._seconds, self._ticks = 0.0, 0
        return mean

    def _schedule(self) -> None:
        self._due = self._loop.time() + TICK_SECONDS
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        late = self._loop.time() - self._due
        # Ticks that were due meanwhile were late, too, each by less.
        ticks = 1 + int(late / TICK_SECONDS)
        self._seconds += ticks * late - TICK_SECONDS * ticks * (ticks - 1) / 2
        self._ticks += ticks
        if self._is_wanted():
            self._schedule()
        else:
            self._is_running = False
