"""Logs every few seconds how far a read is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from totango_api.command import ProgressLine, pace
from totango_api.text import counted

if TYPE_CHECKING:
    import logging
    from typing import Self

    from totango_api.http import ApiClient

_BAR_LENGTH: Final = 12


class Progress:
    """Says how many rows were read, of how many, with how many calls, and how long it takes.

    A line in the log every few seconds; a bar instead where stderr is a terminal.

    Args:
        logger: Takes the lines that go to the log.
        what: What is read.
        client: Knows how many calls may still be made.
    """

    def __init__(self, logger: logging.Logger, what: str, client: ApiClient) -> None:
        self._limiter = client.rate_limiter
        self._line = ProgressLine(logger)
        self._what = what
        self._started = time.monotonic()
        self._total: int | None = None
        self._calls = 0
        self.rows = 0

    def __enter__(self) -> Self:
        """Say how far it is also while it waits."""
        self._line.keep(self._shown)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._line.close()

    def advance(self, rows: int, total: int | None, calls: int) -> None:
        """Count rows, and say so if it is time."""
        self.rows += rows
        self._total, self._calls = total, calls
        if self._line.is_due():
            self._line.show(self._shown())

    def _shown(self) -> str:
        text = self._text(self._total, self._calls, time.monotonic() - self._started)
        return f"{self._drawn(self._total)} {text}" if self._line.is_terminal else text

    def _text(self, total: int | None, calls: int, seconds: float) -> str:
        parts = [f"{self._what}: {counted(self.rows, 'row', form=',')}"]
        if total:
            parts.append(f"{min(self.rows / total, 1):.0%} of {total:,}")
        parts.append(counted(calls, "call"))
        share = self.rows / total if total else None
        left = self._limiter.left
        parts += pace(rows=self.rows, seconds=seconds, left=left, share=share)
        return ", ".join(parts)

    def _drawn(self, total: int | None) -> str:
        done = round(_BAR_LENGTH * min(self.rows / total, 1)) if total else 0
        return f"[{'#' * done}{'.' * (_BAR_LENGTH - done)}]"
