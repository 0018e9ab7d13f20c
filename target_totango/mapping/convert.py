"""Values become the text that Totango takes: ISO dates, plain numbers, joined lists.

Facts: "Attributes and data types" (dates, numbers without separators), "HTTP API Quick
Reference" (`yes` and `no` for contacts).
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH_SECONDS: Final = "epoch_s"
EPOCH_MILLISECONDS: Final = "epoch_ms"

_MOST_DIGITS: Final = 400
"""More digits than this before or after the point are no number that anybody keeps."""

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_UTC_ISO: Final = re.compile(r".{10}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z", re.ASCII)
_WHOLE: Final = re.compile(r"\.0*$")
_DATE_LENGTH: Final = len("2024-07-01")
_TIME_DIRECTIVE: Final = re.compile(r"%[HIMSfXcsp]")
_YES: Final = frozenset({"yes", "true", "1"})
_NO: Final = frozenset({"no", "false", "0"})
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


class UnfitValueError(ValueError):
    """A value that cannot be written.

    Attributes:
        code: Short and fixed, without the value.
        message: May quote the value.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def to_text(value: Any) -> str:
    """Return a value as text; lists joined by commas, objects as JSON.

    Raises:
        UnfitValueError: If it cannot travel: NaN, text that is not Unicode, or a list with an
            item that holds a comma.
    """
    if isinstance(value, str):
        return _unicode(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal, float)):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        return _joined(value)
    if isinstance(value, dict):
        return _json(value)
    if isinstance(value, dt.datetime):
        return _moment_text(value)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return _unicode(str(value))


def to_number(value: Any) -> str:
    """Return a number as plain decimal digits.

    Raises:
        UnfitValueError: If it is none, or holds separators or a currency sign.
    """
    if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        return number_text(value)
    if isinstance(value, str) and _NUMBER.fullmatch(stripped := value.strip()):
        return stripped
    code = "not a number"
    raise UnfitValueError(
        code, f"{_shown(value)} is not a plain number (no separators, no currency sign)"
    )


def to_date(value: Any) -> str:
    """Return a date or a moment in UTC as ISO 8601; a moment without zone counts as UTC.

    Raises:
        UnfitValueError: If it is not an ISO date.
    """
    if isinstance(value, str):
        return _iso_text(value)
    if isinstance(value, dt.datetime):
        return _moment_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    code = "not a date"
    raise UnfitValueError(
        code,
        f"{_shown(value)} is not an ISO date; give the mapping a date_format "
        f"({EPOCH_MILLISECONDS}, {EPOCH_SECONDS}, or one like %d/%m/%Y)",
    )


def to_yes_no(value: Any) -> str:
    """Return `yes` or `no`, which `Contact` and `Key Contact` ask for in lower case.

    Raises:
        UnfitValueError: If it is neither.
    """
    said = to_text(value).strip().lower()
    if said in _YES:
        return "yes"
    if said in _NO:
        return "no"
    code = "not yes or no"
    raise UnfitValueError(code, f"{_shown(value)} is neither yes nor no")


def to_id(value: Any, *, whole: bool) -> str:
    """Return an id as text, never altered.

    Args:
        value: What the record holds.
        whole: Whether the schema says that it is an integer, so that 5.0 is 5.

    Raises:
        UnfitValueError: If it is neither text nor a number.
    """
    if isinstance(value, str):
        return _unicode(value)
    if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        text = number_text(value)
        return _WHOLE.sub("", text) if whole else text
    code = "not an id"
    raise UnfitValueError(code, f"{_shown(value)} is neither text nor a number")


def number_text(value: float | Decimal) -> str:
    """Return a number in plain decimal digits, as many as were given.

    Raises:
        UnfitValueError: If it is not finite, or absurdly long.
    """
    if isinstance(value, int):
        return str(value)
    return decimal_text(value if isinstance(value, Decimal) else Decimal(repr(value)))


def decimal_text(number: Decimal) -> str:
    """Return a number as `number_text` does.

    Raises:
        UnfitValueError: If it is not finite, or absurdly long.
    """
    text = str(number)
    if not number.is_finite():
        code = "not a number"
        raise UnfitValueError(code, f"{text} is not a number")
    if "E" not in text and len(text) <= _MOST_DIGITS:
        return text
    exponent = number.as_tuple().exponent
    if abs(number.adjusted()) > _MOST_DIGITS or abs(int(exponent)) > _MOST_DIGITS:
        code = "number out of range"
        raise UnfitValueError(code, "the number has more digits than Totango can keep")
    return format(number, "f")


def date_reader(pattern: str) -> Callable[[Any], str]:
    """Return a conversion for dates of one format.

    Args:
        pattern: `epoch_ms`, `epoch_s`, or a `strptime` format such as `%d/%m/%Y`.

    Raises:
        ValueError: If the format is none.
    """
    if pattern in {EPOCH_SECONDS, EPOCH_MILLISECONDS}:
        return functools.partial(_from_epoch, 1 if pattern == EPOCH_SECONDS else 1000)
    sample = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    if "%" not in pattern or not pattern.strip():
        msg = "not a date format"
        raise ValueError(msg)
    dt.datetime.strptime(sample.strftime(pattern), pattern)  # noqa: DTZ007 (a trial)
    return functools.partial(_from_format, pattern)


def _from_format(pattern: str, value: Any) -> str:
    text = str(value).strip()
    try:
        moment = dt.datetime.strptime(text, pattern)  # noqa: DTZ007 (no zone means UTC)
    except ValueError:
        code = "not a date"
        raise UnfitValueError(code, f"{_shown(value)} is not a date like {pattern}") from None
    if _TIME_DIRECTIVE.search(pattern):
        return _moment_text(moment)
    return moment.date().isoformat()


def _from_epoch(divisor: int, value: Any) -> str:
    try:
        seconds = Decimal(str(value)) / divisor
        moment = _EPOCH + dt.timedelta(microseconds=int(seconds * 1_000_000))
    except (InvalidOperation, ValueError, OverflowError):
        code = "not a date"
        raise UnfitValueError(code, f"{_shown(value)} is not a count of epoch seconds") from None
    return _moment_text(moment)


_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@functools.lru_cache(maxsize=4096)
def _iso_text(text: str) -> str:
    stripped = text.strip()
    try:
        if not _ISO.fullmatch(stripped):
            raise ValueError  # noqa: TRY301 (one way out for both)
        if len(stripped) == _DATE_LENGTH:
            return dt.date.fromisoformat(stripped).isoformat()
        moment = dt.datetime.fromisoformat(stripped)
        return stripped if _UTC_ISO.fullmatch(stripped) else _moment_text(moment)
    except (ValueError, OverflowError):
        code = "not a date"
        raise UnfitValueError(code, f"{_shown(text)} is not an ISO date") from None


def _moment_text(moment: dt.datetime) -> str:
    """`yyyy-mm-ddThh:mm:ssZ`, with milliseconds or microseconds only when there are any.

    Zeros beyond the milliseconds are dropped: some parsers take `.500000` for 500 seconds.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    moment = moment.astimezone(dt.UTC)
    precision = "seconds"
    if moment.microsecond:
        precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _joined(values: list[Any] | tuple[Any, ...]) -> str:
    if any(isinstance(value, (dict, list, tuple)) for value in values):
        return _json(values)
    texts = [to_text(value) for value in values if value is not None]
    if found := [text for text in texts if "," in text]:
        code = "comma in a list item"
        raise UnfitValueError(
            code,
            f"{_shown(found[0])} holds a comma, which is what joins the items of a list: Totango "
            "would take it for several",
        )
    return ",".join(texts)


def _json(value: Any) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return _unicode(json.dumps(value, ensure_ascii=False, default=str))


def _unicode(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            code = "not Unicode"
            raise UnfitValueError(code, "the text holds half a surrogate pair") from None
    return text


def _shown(value: Any) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}…"
