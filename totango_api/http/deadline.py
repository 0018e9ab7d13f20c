"""Ends calls that take too long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


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
