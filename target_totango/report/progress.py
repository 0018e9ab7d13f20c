"""Logs every few seconds how far a run is."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from totango_api.command import ProgressLine, pace
from totango_api.text import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_totango.report.counts import Report
    from target_totango.singer import StateCheckpointer

logger = logging.getLogger("target-totango")


class Progress:
    """Says every few seconds how far a run is; on a terminal, in a line that changes.

    Args:
        report: The counts.
        states: Knows how many rows are under way.
        left: How many calls may still be made in this minute; None where nothing limits them.
    """

    def __init__(
        self, report: Report, states: StateCheckpointer, left: Callable[[], int | None]
    ) -> None:
        self._left = left
        self._report = report
        self._states = states
        self._line = ProgressLine(logger)
        self._is_kept = False

    def pulse(self) -> None:
        """Say something, if it is time; from then on also while the run waits."""
        if not self._line.is_due():
            return
        self._line.show(self._text())
        if not self._is_kept:
            self._is_kept = True
            self._line.keep(self._text)

    def _text(self) -> str:
        report = self._report
        received = report.total("received")
        said = pace(
            rows=received, seconds=report.seconds, left=self._left(), share=_share_of_input()
        )
        return (
            f"{rows(received)} read, {report.total('sent')} sent, "
            f"{report.total('rejected')} rejected, {self._states.incomplete} under way, "
            + ", ".join(said)
        )

    def end(self) -> None:
        """Take the line away."""
        self._line.close()


def _share_of_input() -> float | None:
    """Return how much of standard input is read; None where it is no file, as with a pipe."""
    try:
        descriptor = sys.stdin.fileno()
        return os.lseek(descriptor, 0, os.SEEK_CUR) / os.fstat(descriptor).st_size
    except (OSError, ValueError, AttributeError, ZeroDivisionError):  # closed, empty, or no file
        return None
