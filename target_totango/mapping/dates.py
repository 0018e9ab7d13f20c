"""Converts dates and moments to ISO 8601 in UTC.

Facts: "Attributes and data types" (dates).
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from target_totango.mapping.convert import Conversion, UnfitValueError, moment_text, shown

EPOCH_SECONDS: Final = "epoch_s"
EPOCH_MILLISECONDS: Final = "epoch_ms"

_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_UTC_ISO: Final = re.compile(r".{10}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z", re.ASCII)
_DATE_LENGTH: Final = len("2024-07-01")
_MOMENT_LENGTH: Final = len("2024-07-01T10:00:00.000000Z")
_TIME_DIRECTIVE: Final = re.compile(r"%[HIMSfXcsp]")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_from_iso: Final = dt.datetime.fromisoformat


def date_reader(pattern: str) -> Conversion[str]:
    """Return a conversion for dates of one format.

    Args:
        pattern: `epoch_ms`, `epoch_s`, or a `strptime` format such as `%d/%m/%Y`.

    Raises:
        ValueError: If the format is none.
    """
    if pattern in {EPOCH_SECONDS, EPOCH_MILLISECONDS}:
        divisor = 1 if pattern == EPOCH_SECONDS else 1000
        return Conversion({object: functools.partial(_from_epoch, divisor)})
    sample = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    if "%" not in pattern or not pattern.strip():
        msg = "not a date format"
        raise ValueError(msg)
    dt.datetime.strptime(sample.strftime(pattern), pattern)  # noqa: DTZ007 (a trial)
    return Conversion({object: functools.partial(_from_format, pattern)})


def _from_format(pattern: str, value: Any) -> str:
    text = str(value).strip()
    try:
        moment = dt.datetime.strptime(text, pattern)  # noqa: DTZ007 (no zone means UTC)
    except ValueError:
        code = "not a date"
        raise UnfitValueError(code, f"{shown(value)} is not a date like {pattern}") from None
    if _TIME_DIRECTIVE.search(pattern):
        return moment_text(moment)
    return moment.date().isoformat()


def _from_epoch(divisor: int, value: Any) -> str:
    try:
        seconds = Decimal(str(value)) / divisor
        moment = _EPOCH + dt.timedelta(microseconds=int(seconds * 1_000_000))
    except (InvalidOperation, ValueError, OverflowError):
        code = "not a date"
        raise UnfitValueError(code, f"{shown(value)} is not a count of epoch seconds") from None
    return moment_text(moment)


def _iso_text(text: str) -> str:
    """Return an ISO date or moment as Totango takes it.

    Most taps write moments like `2024-07-01T10:00:00.123000Z`. Where these characters stand in
    these places, `fromisoformat` accepts nothing but digits in the others, so that the slower
    `_any_iso_text` is not needed.
    """
    if (
        len(text) == _MOMENT_LENGTH
        and text[23:] == "000Z"
        and text[10] == "T"
        and text[4] == text[7] == "-"
        and text[19] == "."
        and text[11:13] <= "23"
    ):
        try:
            _from_iso(text)
        except ValueError:
            return _not_iso(text)
        return text[: 19 if text[20:23] == "000" else 23] + "Z"
    return _any_iso_text(text)


@functools.lru_cache(maxsize=4096)
def _any_iso_text(text: str) -> str:
    stripped = text.strip()
    if not _ISO.fullmatch(stripped):
        return _not_iso(text)
    try:
        if len(stripped) == _DATE_LENGTH:
            return dt.date.fromisoformat(stripped).isoformat()
        moment = _from_iso(stripped)
        return stripped if _UTC_ISO.fullmatch(stripped) else moment_text(moment)
    except (ValueError, OverflowError):
        return _not_iso(text)


def _not_iso(text: str) -> str:
    code = "not a date"
    raise UnfitValueError(code, f"{shown(text)} is not an ISO date") from None


def _not_a_date(value: Any) -> str:
    code = "not a date"
    raise UnfitValueError(
        code,
        f"{shown(value)} is not an ISO date; give the mapping a date_format "
        f"({EPOCH_MILLISECONDS}, {EPOCH_SECONDS}, or one like %d/%m/%Y)",
    )


to_date: Final[Conversion[str]] = Conversion(
    {
        str: _iso_text,
        dt.datetime: moment_text,
        dt.date: dt.date.isoformat,
        object: _not_a_date,
    }
)
"""A date or a moment in UTC as ISO 8601; a moment without zone counts as UTC."""
