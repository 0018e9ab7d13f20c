"""Measures how far this machine's clock is ahead of the service's."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_CUT: Final = 1.0
"""Seconds by which a Date header may be early: it leaves out fractions."""


class ServiceClock:
    """Compares clocks by the Date headers of responses."""

    def __init__(self) -> None:
        self._least: float | None = None

    @property
    def ahead(self) -> float:
        """Seconds by which this machine's clock is ahead; 0 where it is not, or nobody knows."""
        return max(self._least or 0.0, 0.0)

    @property
    def latest(self) -> float:
        """The latest that it can be at the service, in epoch seconds; else this machine says."""
        return time.time() - (self._least or 0.0)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take in when the server says that it answered; the quickest response tells best."""
        try:
            said = parsedate_to_datetime(headers.get("Date", ""))
        except (TypeError, ValueError):
            return
        ahead = time.time() - said.timestamp() - _CUT
        self._least = ahead if self._least is None else min(self._least, ahead)
