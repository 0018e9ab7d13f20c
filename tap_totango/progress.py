"""How far a read is, said every few seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging

EVERY_SECONDS: Final = 5.0
BAR_SECONDS: Final = 0.5
_BAR_LENGTH: Final = 24


class Progress:
    """Says how many rows were read, of how many, with how many calls, and how long it takes.

    A line in the log every few seconds; a bar instead where stderr is a terminal.
    """

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._bar = sys.stderr.isatty()
        self._started = self._said = time.monotonic()
        self.rows = 0

    def advance(self, rows: int, total: int | None, calls: int) -> None:
        """Count rows, and say so if it is time."""
        self.rows += rows
        now = time.monotonic()
        if now - self._said < (BAR_SECONDS if self._bar else EVERY_SECONDS):
            return
        self._said = now
        text = self._text(total, calls, now - self._started)
        if self._bar:
            sys.stderr.write(f"\r{self._drawn(total)} {text}\x1b[K")
            sys.stderr.flush()
        else:
            self._logger.info("%s", text)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _text(self, total: int | None, calls: int, seconds: float) -> str:
        parts = [f"{self._what}: {self.rows:,} rows"]
        if total:
            parts.append(f"{min(self.rows / total, 1):.0%} of {total:,}")
        parts.append(f"{calls} calls")
        if total and 0 < self.rows < total:
            left = seconds / self.rows * (total - self.rows)
            parts.append(f"about {left:.0f} s left")
        return ", ".join(parts)

    def _drawn(self, total: int | None) -> str:
        done = round(_BAR_LENGTH * min(self.rows / total, 1)) if total else 0
        return f"[{'#' * done}{'.' * (_BAR_LENGTH - done)}]"
