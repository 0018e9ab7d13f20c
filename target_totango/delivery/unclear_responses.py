"""Reads rows back whose response was no receipt."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from target_totango.objects import OBJECTS
from target_totango.verify import Sent, editable, pauses
from totango_api.errors import ApiError, IncompleteReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row
    from target_totango.verify import Verifier

logger = logging.getLogger("target-totango")

LOOK_SECONDS: Final = 30.0
"""How long rows may take to become visible; they are sent again by a later run if they are not."""


class UnclearResponses:
    """Finds out which rows are in Totango as they were sent. Safe to share between threads.

    Args:
        verifier: Returns what compares them.
        seconds: How long they may take to become visible.
    """

    def __init__(self, verifier: Callable[[], Verifier], *, seconds: float) -> None:
        self._verifier = verifier
        self._seconds = min(seconds, LOOK_SECONDS)

    def there(self, rows: Sequence[Row]) -> set[int]:
        """Return the numbers (`seq`) of the rows that are in Totango as they were sent."""
        waiting = [row for row in rows if OBJECTS[row.object].display_name is not None]
        found: set[int] = set()
        for pause in pauses(self._seconds):
            if not waiting:
                break
            time.sleep(pause)
            try:
                sent = [Sent(row.request.key, editable(row.request.attributes)) for row in waiting]
                verdicts = self._verifier().check(sent)
            except (ApiError, IncompleteReadError) as error:
                logger.warning("Rows that were answered oddly cannot be read back: %s", error)
                break
            are_there = [verdict.result == "confirmed" for verdict in verdicts]
            found.update(
                row.seq for row, is_there in zip(waiting, are_there, strict=True) if is_there
            )
            waiting = [
                row for row, is_there in zip(waiting, are_there, strict=True) if not is_there
            ]
        if not found and rows:
            self._seconds = 0.0  # Rows do not arrive: waiting for each batch would take hours.
        return found
