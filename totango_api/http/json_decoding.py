"""Decodes JSON, also where a server writes what JSON does not allow.

One row with `NaN`, a raw control character or half a character must not cost its whole page.
"""

from __future__ import annotations

import json
import logging
import re
from decimal import Decimal
from typing import Any, Final

import msgspec

logger = logging.getLogger(__name__)

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
"""Keeps every digit: `0.1` and `49000.10` stay what the server wrote."""

_BYTE_ORDER_MARK: Final = "\ufeff".encode()

_ESCAPES: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F]..|.)"
)
_HALF_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]..")
_REPLACEMENT: Final = "\\ufffd"
_LONGEST_TOKEN: Final = 12
"""A syntax error this close to the end may be a token that was cut off."""


class NotJsonError(ValueError):
    """Text is not JSON.

    Attributes:
        position: Of the first character that is wrong.
        looks_like_json: Whether it begins like an object or a list.
        is_cut_off: Whether it is right up to its end.
    """

    def __init__(self, text: str, reason: str, position: int) -> None:
        super().__init__(f"{reason} at character {position:,} of {len(text):,}")
        self.position = position
        self.looks_like_json = text.lstrip()[:1] in {"{", "["}
        unterminated = reason.startswith("Unterminated")
        self.is_cut_off = unterminated or position >= len(text) - _LONGEST_TOKEN


def decode(body: bytes) -> Any:
    """Decode JSON.

    `NaN` and `Infinity` become floats, halves of a surrogate pair and bytes that are not UTF-8
    become U+FFFD, and raw control characters stay. Each is logged.

    Raises:
        NotJsonError: If it is not JSON by any reading.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(body)


def _decode_leniently(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    constants: list[str] = []

    def constant(name: str) -> float:
        constants.append(name)
        return float(name)

    whole = _ESCAPES.sub(_without_half, text)
    decoder = json.JSONDecoder(
        parse_float=Decimal, parse_int=_integer, parse_constant=constant, strict=False
    )
    try:
        decoded = decoder.decode(whole)
    except json.JSONDecodeError as error:
        raise NotJsonError(whole, error.msg, error.pos) from None
    except RecursionError:
        msg = "Nested too deeply"
        raise NotJsonError(whole, msg, 0) from None
    if constants:
        names = ", ".join(sorted(set(constants)))
        logger.warning("A response holds %s, which JSON does not allow.", names)
    elif whole != body.decode("utf-8", "ignore"):
        logger.warning("Text of a response is damaged; U+FFFD stands where characters are lost.")
    else:
        logger.warning("A response holds raw control characters, which JSON does not allow.")
    return decoded


def _without_half(match: re.Match[str]) -> str:
    return _REPLACEMENT if _HALF_ESCAPE.fullmatch(match.group()) else match.group()


def _integer(digits: str) -> int | Decimal:
    try:
        return int(digits)
    except ValueError:  # Python reads no integer of more than 4,300 digits
        return Decimal(digits)
