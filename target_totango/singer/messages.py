"""Decodes messages, and takes the parts that the target needs; errors name line and part."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK_THE_TAP: Final = "Check that the tap writes nothing but Singer messages."

_NOT_PLAIN: Final = tuple(bytes([byte]) for byte in b"\0\\\x7f\xc2\xe1\xe2\xe3\xed")
_LONGEST_INTEGER: Final = 4000
"""Digits of an integer that Python reads as one."""


def is_plain(lines: bytes) -> bool:
    """Return whether no text has a control character, half a surrogate pair, or a rare blank.

    Rare is every blank but the space. JSON holds control characters by their escapes only, but for
    DEL and those that begin with C2 in UTF-8. Rare blanks begin with C2, E1, E2 or E3, half
    surrogate pairs with ED; other encodings hold zeros. Many others begin so, too: False says that
    each text has to be looked at.
    """
    return not any(byte in lines for byte in _NOT_PLAIN)


def message_in(line: bytes | str) -> Any:
    """Decode a line: numbers keep their digits.

    NaN, Infinity and half surrogate pairs are no JSON, but taps write them: the row is then
    rejected on its own.

    Raises:
        ValueError: If it is no JSON at all.
    """
    return json.loads(line, parse_float=Decimal, parse_constant=Decimal, parse_int=_integer)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < _LONGEST_INTEGER else Decimal(text)


def parts_of(message: Mapping[str, Any], line: int, **types: type) -> list[Any]:
    """Return the values of some keys of a message.

    Args:
        message: The message.
        line: Where it stands in the input.
        types: What the value of each key has to be.

    Raises:
        InputError: If one is missing, or something else.
    """
    values = [message.get(name) for name in types]
    if not all(map(isinstance, values, types.values())):
        msg = f"The {message.get('type')} message in line {line} has no {' or '.join(types)}."
        raise InputError(msg, remedy=CHECK_THE_TAP)
    return values


def key_properties_of(message: Mapping[str, Any], line: int) -> list[str]:
    """Return the key properties of a SCHEMA message; some taps write a single one as a text.

    Raises:
        InputError: If they are no names.
    """
    keys = message.get("key_properties") or []
    keys = [keys] if isinstance(keys, str) else keys
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        msg = f"The SCHEMA message in line {line} has no key_properties."
        raise InputError(msg, remedy="They are a list of names.")
    return keys
