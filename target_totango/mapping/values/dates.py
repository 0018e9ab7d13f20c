"""Converts dates and moments to ISO 8601: days as they are, moments in UTC.

Facts: "Attributes and data types" (dates).
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from target_totango.mapping.values.convert import Conversion, moment_text, refuse, shown
from totango_api.text import EPOCH as EPOCH_MOMENT
from totango_api.text import parse_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Parser = Callable[[Any], dt.date]

ISO: Final = "iso"
EPOCH: Final = "epoch"
EPOCH_SECONDS: Final = "epoch_s"
EPOCH_MILLISECONDS: Final = "epoch_ms"


class Precision(enum.Enum):
    """The precision of an attribute's dates.

    A moment has the day of its own zone: 2024-07-01T00:00+02:00 is the first of July, although it
    is the last of June in UTC.

    Attributes:
        MOMENT: The moment.
        DATE: The moment, or its day alone where the moment in UTC would be on another day.
        DAY: Its day.
    """

    MOMENT = enum.auto()
    DATE = enum.auto()
    DAY = enum.auto()


_COMMON_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?!00:00:00\.000)(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}000Z", re.ASCII
).fullmatch
"""Finds what is no day: these come again and again."""

_DATE_LENGTH: Final = len("2024-07-01")
_TIME_DIRECTIVE: Final = re.compile(r"%[HIMSfXcsp]")
_MOST_DIGITS: Final = 15
"""A number with more digits is no second of any year, and slow to calculate with."""

_EPOCHS: Final = {EPOCH: None, EPOCH_SECONDS: 1, EPOCH_MILLISECONDS: 1000}
_FIRST_MILLISECONDS: Final = 100_000_000_000
"""As seconds in the year 5138, as milliseconds in 1973."""

_from_iso: Final = dt.datetime.fromisoformat


def date_conversion(
    formats: Sequence[str] = (ISO,),
    *,
    zone: dt.tzinfo = dt.UTC,
    precision: Precision = Precision.MOMENT,
) -> Conversion[str]:
    """Return a conversion for dates.

    Args:
        formats: `iso`, `epoch_ms`, `epoch_s`, `epoch` (either, by its size), or `strptime` formats
            such as `%d/%m/%Y`. The first that fits a value counts.
        zone: Zone of moments that name none. One that comes twice there, when clocks go back, is
            the first of the two; one that clocks skip counts in the offset before the change.
        precision: What is kept of a moment.

    Raises:
        ValueError: If a format is none.
    """
    parsers = [_parser(pattern) for pattern in formats]
    render = functools.partial(_render, zone=zone, precision=precision)

    def convert(value: Any) -> str:
        for parse in parsers:
            try:
                return render(parse(value))
            except (ValueError, ArithmeticError):
                continue
        return _not_a_date(value, formats)

    conversion: Conversion[str] = Conversion({object: convert})
    if ISO in formats:
        conversion[dt.datetime] = conversion[dt.date] = render
    if formats[0] == ISO:
        conversion[str] = _iso_conversion(functools.lru_cache(maxsize=4096)(convert), precision)
    return conversion


def zone_named(name: Any) -> dt.tzinfo:
    """Return a time zone by its name in the IANA database.

    Raises:
        ValueError: If there is none.
    """
    try:
        return dt.UTC if name == "UTC" else ZoneInfo(name)
    except (ValueError, TypeError, OSError, ZoneInfoNotFoundError):
        msg = f"time_zone {name!r} is none: one is called Europe/Berlin"
        raise ValueError(msg) from None


def _iso_conversion(convert: Callable[[str], str], precision: Precision) -> Callable[[str], str]:
    """Return a conversion that is quick for what most taps write; `convert` remembers days."""
    is_day = precision is Precision.DAY

    def convert_iso(text: str) -> str:
        if _COMMON_MOMENT(text) is None:
            return convert(text)
        try:
            _from_iso(text)
        except ValueError:
            return convert(text)
        if is_day:
            return text[:_DATE_LENGTH]
        return text[: 19 if text[20:23] == "000" else 23] + "Z"

    return convert_iso


def _parser(pattern: str) -> Parser:
    """Return a parser of dates in one format.

    Raises:
        ValueError: If it is none.
    """
    if pattern == ISO:
        return _parse_iso
    if pattern in _EPOCHS:
        return functools.partial(_parse_epoch, _EPOCHS[pattern])
    sample = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    if "%" not in pattern or not pattern.strip():
        msg = "not a date format"
        raise ValueError(msg)
    dt.datetime.strptime(sample.strftime(pattern), pattern)  # noqa: DTZ007 (a trial)
    return functools.partial(_parse_format, pattern)


def _parse_iso(value: Any) -> dt.date:
    return parse_iso(value if isinstance(value, str) else "")


def _parse_format(pattern: str, value: Any) -> dt.date:
    moment = dt.datetime.strptime(str(value).strip(), pattern)  # noqa: DTZ007 (see _render)
    return moment if _TIME_DIRECTIVE.search(pattern) else moment.date()


def _parse_epoch(divisor: int | None, value: Any) -> dt.date:
    number = Decimal(str(value))
    if divisor is None:
        divisor = 1000 if abs(number) >= _FIRST_MILLISECONDS else 1
    seconds = number / divisor
    if seconds.adjusted() > _MOST_DIGITS:
        raise ValueError
    return EPOCH_MOMENT + dt.timedelta(microseconds=int(seconds * 1_000_000))


def _render(date: dt.date, *, zone: dt.tzinfo, precision: Precision) -> str:
    if not isinstance(date, dt.datetime):
        return date.isoformat()
    if date.tzinfo is None:
        date = date.replace(tzinfo=zone)
    moment = date.astimezone(dt.UTC)
    if precision is Precision.DAY or (precision is Precision.DATE and moment.date() != date.date()):
        return date.date().isoformat()
    return moment_text(moment)


def _not_a_date(value: Any, formats: Sequence[str]) -> NoReturn:
    if tuple(formats) == (ISO,):
        message = "is not an ISO date"
        if not isinstance(value, str):
            message += (
                f"; give the mapping a date_format ({EPOCH_MILLISECONDS}, {EPOCH_SECONDS}, or one "
                "like %d/%m/%Y)"
            )
    else:
        message = f"is not a date like {' or '.join(formats)}"
    refuse("not a date", f"{shown(value)} {message}")


to_date: Final = date_conversion()
"""A date or a moment in UTC as ISO 8601; a moment without zone counts as UTC."""
