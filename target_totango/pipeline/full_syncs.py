"""Decides when unchanged rows are sent, to put right what was altered or lost in Totango."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from target_totango.storage import Ledger

logger = logging.getLogger("target-totango")

_LAST: Final = ("full syncs", "last")
"""Where the ledger keeps their times: no object of Totango has such a name."""


class FullSyncs:
    """Decides for each stream whether this run sends everything (`full_sync_every_hours`).

    Args:
        ledger: Knows when that was done last.
        hours: How often; None for never.
    """

    def __init__(self, ledger: Ledger, hours: float | None) -> None:
        self._ledger = ledger
        self._hours = hours
        self._started = time.time()
        self._due: dict[str, bool] = {}

    def is_due(self, stream: str) -> bool:
        """Return whether rows of a stream are sent though they did not change."""
        if self._hours is None:
            return False
        if stream not in self._due:
            noted = self._ledger.noted((*_LAST, stream))
            seconds = self._started - float(noted or 0)
            self._due[stream] = noted is None or not 0 <= seconds < self._hours * 3600
            if self._due[stream] and noted is not None:
                logger.info(
                    "Stream %r: unchanged rows are sent, too, since that was last done %.1f hours "
                    "ago (full_sync_every_hours).",
                    stream,
                    seconds / 3600,
                )
        return self._due[stream]

    def complete(self) -> None:
        """Note that everything was sent and confirmed."""
        for stream, is_due in self._due.items():
            if is_due:
                self._ledger.note((*_LAST, stream), repr(self._started).encode())
