"""The event loop of the async client: which it is, and how late it is."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_SECONDS: Final = 0.005


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where it is installed, which takes a quarter less time."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


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
