"""A line that says how far a program is: in the log every few seconds, or on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging

LOG_SECONDS: Final = 5.0
TERMINAL_SECONDS: Final = 0.5
_CLEAR: Final = "\r\x1b[K"


class ProgressLine:
    """Writes a line to the log, or over the last one where stderr is a terminal.

    Args:
        logger: Takes the lines that go to the log.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.is_terminal = sys.stderr.isatty()
        self._shown_at = time.monotonic()

    def is_due(self) -> bool:
        """Return whether it is time for another line."""
        pause = TERMINAL_SECONDS if self.is_terminal else LOG_SECONDS
        return time.monotonic() - self._shown_at >= pause

    def show(self, text: str) -> None:
        """Write a line."""
        self._shown_at = time.monotonic()
        if not self.is_terminal:
            self._logger.info("%s", text)
            return
        sys.stderr.write(f"{_CLEAR}{text}")
        sys.stderr.flush()

    def close(self) -> None:
        """Take the line away from a terminal."""
        if self.is_terminal:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
