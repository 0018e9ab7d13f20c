"""A clock on which whoever waits has waited already."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Stands for the module `time`: `sleep` moves it on at once, and otherwise it goes as always.

    Attributes:
        on_wait: Called after each wait with the seconds that have been waited altogether.
    """

    def __init__(self) -> None:
        self._waited = 0.0
        self.on_wait: Callable[[float], None] = lambda seconds: None

    def monotonic(self) -> float:
        """Return seconds, with those that nobody waited for."""
        return time.monotonic() + self._waited

    def sleep(self, seconds: float) -> None:
        """Let seconds have passed."""
        self._waited += seconds
        self.on_wait(self._waited)

    def __getattr__(self, name: str) -> Any:
        """Return what else the module has."""
        return getattr(time, name)
