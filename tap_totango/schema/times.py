"""Writes times as records have them: RFC 3339 in UTC, days."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta

from totango_api.text import EPOCH, epoch_milliseconds, is_exact, parse_moment


class ConversionError(ValueError):
    """A value cannot be converted without losing something."""


def timestamp(moment: datetime) -> str:
    """Return the one form in which all times are written: RFC 3339, UTC, microseconds, `Z`.

    Bookmarks are compared as text, so there may be only one.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def from_milliseconds(milliseconds: int) -> str:
    """Return an epoch in milliseconds as a timestamp.

    Raises:
        ConversionError: If it lies outside the years 1 to 9999.
    """
    days, rest = divmod(milliseconds, 86_400_000)
    clock, second = _CLOCK[rest // 60_000], rest // 1000 % 60
    return "%sT%s:%02d.%03d000Z" % (_day(days), clock, second, rest % 1000)  # noqa: UP031 (faster)


_CLOCK = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440))
"""Every minute of a day, such as `12:30`."""


@functools.lru_cache(maxsize=4096)
def _day(days: int) -> str:
    """Return a day since the epoch, such as `2024-07-01`."""
    try:
        return (EPOCH + timedelta(days=days)).date().isoformat()
    except OverflowError:
        raise ConversionError from None


def moment_of(text: str) -> datetime:
    """Return the moment that an ISO 8601 text stands for; UTC where it names no zone.

    Raises:
        ConversionError: If it is not ISO 8601, or finer than a microsecond.
    """
    try:
        moment = parse_moment(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConversionError from None
    if not is_exact(text):
        raise ConversionError
    return moment


def milliseconds_of(text: str) -> int:
    """Return a timestamp as epoch milliseconds, rounded down."""
    return epoch_milliseconds(moment_of(text))


@functools.lru_cache(maxsize=4096)
def checked_day(text: str) -> str:
    """Return a day that is spelled `2024-07-01`.

    Raises:
        ConversionError: If it is spelled otherwise, or does not exist.
    """
    try:
        day = date.fromisoformat(text).isoformat()
    except ValueError:
        raise ConversionError from None
    if day != text:
        raise ConversionError
    return day
