"""Ends waits when a signal asks the run to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_SECONDS: Final = 0.2
"""How often a wait looks up."""


@dataclass
class Interruption:
    """Whether the run is asked to stop.

    Attributes:
        signal: The signal that asks for it.
    """

    signal: int | None = None

    def is_requested(self) -> bool:
        """Return whether the run is asked to stop."""
        return self.signal is not None

    def check(self) -> None:
        """Check that the run is to go on.

        Raises:
            InterruptedError: If it is not.
        """
        if self.signal is not None:
            raise InterruptedError

    def wait(self, seconds: float, pulse: Callable[[], None]) -> None:
        """Wait, and call something now and then.

        Raises:
            InterruptedError: If the run is asked to stop.
        """
        until = time.monotonic() + seconds
        while True:
            self.check()
            pulse()
            if (left := until - time.monotonic()) <= 0:
                return
            time.sleep(min(left, TICK_SECONDS))
