"""When a probe looks for a write: not before an earlier one would have been seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from target_totango.verify import pauses

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_PAUSE: Final = 0.2
"""Seconds between the first two looks for a write."""


def looks(seconds: float, usual: float) -> Iterator[None]:
    """Sleep before each look for a write, the first time for as long as an earlier one took.

    Looking sooner would spend calls.

    Args:
        seconds: How long to go on.
        usual: How long an earlier write took to be seen; 0 = not known.
    """
    time.sleep(min(usual, seconds))
    for pause in pauses(seconds - min(usual, seconds), FIRST_PAUSE):
        time.sleep(pause)
        yield
