"""Reads dates in ISO 8601, as Totango answers them, taps write them and states hold them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_ISO: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:[.,](?P<fraction>\d+))?)?)"
    r" *(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?(zone)(?: UTC)?))?",
    re.ASCII | re.IGNORECASE,
)
_UTC_NAMES: Final = frozenset({"Z", "UTC", "GMT"})
_MICROSECOND_DIGITS: Final = 6


def parse_iso(text: str) -> dt.date:
    """Return a date, or a moment, naive where it names no zone. Cuts what is below a microsecond.

    Raises:
        ValueError: If it is neither.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        msg = "not an ISO date"
        raise ValueError(msg)
    day, time, zone = match.group("day", "time", "zone")
    if time is None:
        return dt.date.fromisoformat(day)
    if zone is not None and zone.upper() in _UTC_NAMES:
        zone = "Z"
    return dt.datetime.fromisoformat(f"{day}T{time}{zone or ''}")


def parse_moment(text: str) -> dt.datetime:
    """Return a date as its midnight, or a moment, in UTC where it names no zone.

    Raises:
        ValueError: If it is neither.
    """
    moment = parse_iso(text)
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def is_exact(text: str) -> bool:
    """Return whether a moment has nothing below a microsecond."""
    match = _ISO.fullmatch(text.strip())
    return match is None or not (match["fraction"] or "")[_MICROSECOND_DIGITS:].strip("0")


def epoch_milliseconds(moment: dt.datetime) -> int:
    """Return a moment as epoch milliseconds, rounded down: the precision of Totango's dates."""
    return (moment - EPOCH) // dt.timedelta(milliseconds=1)
