"""Dates and times: epoch milliseconds inside, ISO 8601 text outside."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

DAY: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
# Totango: Attributes and data types. Zone-less times are what some clients send: read as UTC.
_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?"
)


def now() -> int:
    """Return the present, in epoch milliseconds."""
    return int(time.time() * 1000)


class Clock:
    """The present, never the same millisecond twice."""

    def __init__(self) -> None:
        self._latest = 0

    def now(self) -> int:
        """Return epoch milliseconds, at least one later than those given before."""
        self._latest = max(now(), self._latest + 1)
        return self._latest


@lru_cache(maxsize=65_536)
def parse(text: str) -> int | None:
    """Return epoch milliseconds of an ISO 8601 date or date-time, or None when it is neither."""
    if _ISO.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


@lru_cache(maxsize=65_536)
def day_text(milliseconds: int) -> str:
    """``YYYY-MM-DD`` in UTC."""
    return _moment(milliseconds).date().isoformat()


@lru_cache(maxsize=65_536)
def time_text(milliseconds: int) -> str:
    """``YYYY-MM-DDThh:mm:ss.sssZ`` in UTC."""
    text = _moment(milliseconds).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text + "Z"


def shortest_text(milliseconds: int) -> str:
    """Return a date when it is midnight UTC, a date-time otherwise."""
    return day_text(milliseconds) if milliseconds % DAY == 0 else time_text(milliseconds)


def day_start() -> int:
    """Return epoch milliseconds of the midnight (UTC) that starts today."""
    return now() // DAY * DAY
