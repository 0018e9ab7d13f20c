"""Converts values to the text that Totango takes: plain numbers, joined lists, yes and no.

Facts: "Attributes and data types" (numbers without separators), "HTTP API Quick Reference" (`yes`
and `no` for contacts).
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Callable
from decimal import Decimal
from types import NoneType
from typing import Any, Final, Generic, NoReturn, TypeVar

import msgspec

from target_totango.mapping.policy import KEEP, REJECT

Result = TypeVar("Result")

_MOST_DIGITS: Final = 400
"""More digits than this before or after the point are no number that anybody keeps."""

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?P<exponent>E[+-]\d+)?", re.ASCII)
"""Plain digits, or what Python's `Decimal` writes of 1000 or 0.0000000: `1E+3`, `0E-7`."""

_ZERO_FRACTION: Final = re.compile(r"\.0*$")
_YES: Final = frozenset({"yes", "true", "1"})
_NO: Final = frozenset({"no", "false", "0"})
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


class ConversionError(ValueError):
    """A value that cannot be written.

    Attributes:
        code: Short and fixed, without the value.
        message: May quote the value.
        problems: Code and message of everything that is wrong with it, this first.
    """

    def __init__(self, code: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.problems = ((code, message), *more)


def refuse(code: str, message: str) -> NoReturn:
    """Raise a ConversionError, also from an expression.

    Raises:
        ConversionError: Always.
    """
    raise ConversionError(code, message)


class Conversion(dict[type, Callable[[Any], Result]], Generic[Result]):
    """Converts values by their type.

    A type that is not listed is converted as its nearest base. Called with a value, it returns the
    result or raises `ConversionError`; a hot loop looks up the converter of a type by itself.
    """

    def __missing__(self, kind: type) -> Callable[[Any], Result]:
        base = next(base for base in kind.__mro__ if base in self)
        converter = self[kind] = self[base]
        return converter

    def __call__(self, value: Any) -> Result:
        """Convert a value.

        Raises:
            ConversionError: If it cannot be written.
        """
        return self[type(value)](value)


def unicode_text(text: str) -> str:
    """Return a text that can be encoded.

    Raises:
        ConversionError: If it holds half a surrogate pair.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            refuse("not Unicode", "the text holds half a surrogate pair")
    return text


def moment_text(moment: dt.datetime) -> str:
    """Return `yyyy-mm-ddThh:mm:ssZ`, with milliseconds or microseconds only when there are any.

    A moment without zone counts as UTC. Zeros beyond the milliseconds are dropped, because some
    parsers take `.500000` for 500 seconds.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    moment = moment.astimezone(dt.UTC)
    precision = "seconds"
    if moment.microsecond:
        precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def shown(value: Any) -> str:
    """Return a value, shortened for a message."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _decimal_text(number: Decimal) -> str:
    """Return a number in plain decimal digits, as many as were given.

    Raises:
        ConversionError: If it is not finite, or absurdly long.
    """
    text = str(number)
    if not number.is_finite():
        refuse("not a number", f"{text} is not a number")
    if "E" not in text and len(text) <= _MOST_DIGITS:
        return text
    exponent = number.as_tuple().exponent
    if abs(number.adjusted()) > _MOST_DIGITS or abs(int(exponent)) > _MOST_DIGITS:
        refuse("number out of range", "the number has more digits than Totango can keep")
    return format(number, "f")


def _float_text(number: float) -> str:
    return _decimal_text(Decimal(repr(number)))


def _list_text(separator: str, in_item: str, values: list[Any] | tuple[Any, ...]) -> str:
    """Return a list joined by a separator, without empty items; as JSON if it is nested.

    Raises:
        ConversionError: If an item holds the separator, and that is not allowed.
    """
    if any(isinstance(value, (dict, list, tuple)) for value in values):
        return _json_text(values)
    texts = [text for value in values if value is not None and (text := to_text(value))]
    for number, text in enumerate(texts) if in_item != KEEP else ():
        if separator not in text:
            continue
        if in_item == REJECT:
            refuse(
                "comma in a list item" if separator == "," else "separator in a list item",
                f"{shown(text)} holds {separator!r}, which is what joins the items of a list: "
                "Totango would take it for several (see separator_in_item)",
            )
        texts[number] = " ".join(part.strip() for part in text.split(separator))
    return separator.join(texts)


def _json_text(value: Any) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return unicode_text(json.dumps(value, ensure_ascii=False, default=str))


def _number_in_text(text: str) -> str:
    match = _NUMBER.fullmatch(stripped := text.strip())
    if match is None:
        return _not_a_number(text)
    return _decimal_text(Decimal(stripped)) if match["exponent"] else stripped


def _not_a_number(value: Any) -> str:
    refuse(
        "not a number",
        f"{shown(value)} is not a plain number (no separators, no currency sign)",
    )


def _id_in_text(text: str) -> str:
    return text if text and text.isascii() else unicode_text(text or _no_id(text))


def _no_id(_: Any) -> str:
    refuse("missing", "is missing")


def _not_an_id(value: Any) -> str:
    refuse("not an id", f"{shown(value)} is neither text nor a number")


def _without_fraction(convert: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: _ZERO_FRACTION.sub("", convert(value))


def _yes_no(value: Any) -> str:
    text = to_text(value).strip().lower()
    if text in _YES:
        return "yes"
    if text in _NO:
        return "no"
    return refuse("not yes or no", f"{shown(value)} is neither yes nor no")


_NUMBERS: Final[dict[type, Callable[[Any], str]]] = {
    int: str,
    Decimal: _decimal_text,
    float: _float_text,
}

_TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    **_NUMBERS,
    str: unicode_text,
    bool: {True: "true", False: "false"}.__getitem__,
    dict: _json_text,
    dt.datetime: moment_text,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    object: lambda value: unicode_text(str(value)),
}


def text_conversion(separator: str = ",", in_item: str = REJECT) -> Conversion[str]:
    """Return a conversion of any value to text: lists joined, objects as JSON.

    Args:
        separator: What joins the items of a list.
        in_item: `reject`, `keep` or `replace` by a blank: what to do with an item that holds it.
    """
    list_text = functools.partial(_list_text, separator, in_item)
    return Conversion({**_TEXTS, list: list_text, tuple: list_text})


to_text: Final = text_conversion()
"""Any value as text; lists joined by commas, objects as JSON."""

to_number: Final[Conversion[str]] = Conversion(
    {**_NUMBERS, bool: _not_a_number, str: _number_in_text, object: _not_a_number}
)
"""Numbers as plain decimal digits, also out of text without separators and currency signs."""

to_yes_no: Final[Conversion[str]] = Conversion({object: _yes_no})
"""`yes` or `no`, which `Contact` and `Key Contact` ask for in lower case."""

to_id: Final[Conversion[str]] = Conversion(
    {**_NUMBERS, str: _id_in_text, NoneType: _no_id, bool: _not_an_id, object: _not_an_id}
)
"""An id as text, never altered: from text or a number."""

to_whole_id: Final[Conversion[str]] = Conversion(
    {
        **to_id,
        Decimal: _without_fraction(_decimal_text),
        float: _without_fraction(_float_text),
    }
)
"""An id of which the schema says that it is an integer, so that 5.0 is 5."""
