"""Shows how far a program is: in the log every few seconds, or in a line on a terminal."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from totango_api.text import calls

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_SECONDS: Final = 5.0
TERMINAL_SECONDS: Final = 0.5
IDLE_LOG_SECONDS: Final = 30.0
IDLE_TERMINAL_SECONDS: Final = 1.0
"""After so long without a line, :meth:`ProgressLine.keep` shows one."""

_CLEAR: Final = "\r\x1b[K"


class ProgressLine:
    """Writes a line to the log, or over the last one where stderr is a terminal.

    What others log to that terminal takes the place of the line, which comes again
    below it.

    Args:
        logger: Takes the lines that go to the log.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.is_terminal = sys.stderr.isatty()
        self._is_shown = False
        self._shown_at = time.monotonic()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._handlers = [
            handler
            for handler in (logging.getLogger().handlers if self.is_terminal else ())
            if getattr(handler, "stream", None) is sys.stderr
        ]
        for handler in self._handlers:
            handler.addFilter(self._make_room)

    def is_due(self) -> bool:
        """Return whether it is time for another line."""
        pause = TERMINAL_SECONDS if self.is_terminal else LOG_SECONDS
        return time.monotonic() - self._shown_at >= pause

    def keep(self, text: Callable[[], str]) -> None:
        """Show a line from time to time until closed, while nothing else happens.

        Args:
            text: Returns the line; called in a thread.
        """
        threading.Thread(target=self._keep, args=(text,), daemon=True).start()

    def _keep(self, text: Callable[[], str]) -> None:
        pause = IDLE_TERMINAL_SECONDS if self.is_terminal else IDLE_LOG_SECONDS
        while not self._closed.wait(pause):
            with self._lock:
                if self._closed.is_set() or time.monotonic() - self._shown_at < pause:
                    continue
                with suppress(RuntimeError):  # what is counted changed meanwhile: the next time
                    self.show(text())

    def show(self, text: str) -> None:
        """Write a line."""
        self._shown_at = time.monotonic()
        if not self.is_terminal:
            self._logger.info("%s", text)
            return
        # A line that is wrapped could not be taken away.
        with self._lock:
            _write(f"{_CLEAR}{text[: _columns() - 1]}")
            self._is_shown = True

    def close(self) -> None:
        """Take the line away from a terminal."""
        self._closed.set()
        self._clear()
        for handler in self._handlers:
            handler.removeFilter(self._make_room)

    def _make_room(self, _record: logging.LogRecord) -> bool:
        self._clear()
        return True

    def _clear(self) -> None:
        with self._lock:
            if self._is_shown:
                _write(_CLEAR)
                self._is_shown = False


def _write(text: str) -> None:
    with suppress(OSError):  # the terminal is closed
        sys.stderr.write(text)
        sys.stderr.flush()


def _columns() -> int:
    """Return the width of the terminal on standard error: standard output is a pipe."""
    if os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def pace(*, rows: int, seconds: float, left: int | None, share: float | None) -> list[str]:
    """Return how fast it goes, how long it will take, and how many calls may be made.

    Args:
        rows: Rows so far.
        seconds: Since the first one.
        left: Calls left in this minute; None where nothing limits them.
        share: How much of the whole is done; None where nobody knows.
    """
    said = [f"{rows / max(seconds, 1e-9):,.0f} rows/s"]
    if share is not None and 0 < share < 1:
        said.append(f"about {_duration(seconds / share * (1 - share))} left")
    if left is not None:
        said.append(f"{calls(left)} left in this minute")
    return said


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
