"""Reads bodies of responses: each is decoded JSON, or one of our errors.

Servers write what JSON does not allow, and report failures inside a 200. One row with `NaN`, a raw
control character or half a character must not cost its whole page.

Envelopes: "Search API" clients (`status: failed` with `_error`), Totango's own Zendesk app
(`error.type`, `error.message`, `errors`).
"""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from totango_api.errors import AuthenticationError, RefusedError, ResponseError
from totango_api.http.headers import charset_of, request_id_of
from totango_api.http.responses import authentication_remedy, reason_of
from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from totango_api.http.responses import Response

logger = logging.getLogger(__name__)

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
"""Keeps every digit: `0.1` and `49000.10` stay what the server wrote."""

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_BYTE_ORDER_MARK: Final = "\ufeff".encode()

_ESCAPES: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F]..|.)"
)
_HALF_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]..")
_REPLACEMENT: Final = "\\ufffd"
_LONGEST_TOKEN: Final = 12
"""A syntax error this close to the end may be a token that was cut off."""

TRIES_OF_A_FAILURE: Final = 4
"""How often a call is sent before a failure inside a 200 is believed that may pass."""

_REFUSAL: Final = re.compile(
    r"(?i)\b(terms?|filter\w*|fields?|columns?|attribut\w+|operators?|unsupported|unknown|invalid|"
    r"illegal|malformed|missing|required|must|cannot|syntax|pars(?:e|ing)|no such|does not exist|"
    r"not (?:found|supported|allowed|permitted|valid|known)|unexpected|unrecogni[sz]ed|refused|"
    r"denied|forbidden|unauthori[sz]ed|permissions?|expired|exceed\w*|maximum|"
    r"too (?:many|large|long|big|deep))\b"
)
_PASSING: Final = re.compile(
    r"(?i)\b(internal|hiccups?|temporar\w+|transient|try again|again later|retry|"
    r"time[d -]*out|unavailable|overload\w*|busy|server error)\b"
)
"""What reasons say that blame the query, and what they say that blame the server's own moment."""


def json_of(endpoint: str, response: Response, *, region: str = "") -> Any:
    """Decode a JSON response and look for a failure inside it.

    Raises:
        ResponseError: If it is not JSON; retriable, since proxies and overload answer so.
        RefusedError: If the body reports a failure.
        AuthenticationError: If the body reports that the token was not accepted.
    """
    try:
        decoded = decode(response)
    except NotJsonError as error:
        raise _not_json(endpoint, response, error) from None
    raise_failure(endpoint, decoded, response.status, region=region)
    return decoded


def _not_json(endpoint: str, response: Response, error: NotJsonError) -> ResponseError:
    """Return the error for a body that is not JSON.

    A page of a proxy and a body that was cut off may well be gone next time. A syntax error in the
    middle hardly is: it is asked for once more, and only its place is said, since rows stand there.
    """
    if error.looks_like_json:
        reason = f"not JSON: {error}"
    else:
        reason = f"not JSON: {excerpt(response.body)!r}"
    broken = error.looks_like_json and not error.is_cut_off
    return ResponseError(
        endpoint,
        status=response.status,
        reason=reason,
        request_id=request_id_of(response.headers),
        retriable=True,
        max_tries=2 if broken else None,
    )


def raise_failure(endpoint: str, decoded: Any, status: int, *, region: str) -> None:
    """Raise the failure that a decoded body reports, if it reports one.

    Raises:
        RefusedError: For `status: failed`, `error` or `errors` at the top. Retriable a few times
            unless its reason blames the query.
        AuthenticationError: If the failure is about the token.
    """
    if not isinstance(decoded, dict):
        return
    failed = str(decoded.get("status", "")).lower() in {"failed", "error"}
    if not (failed or decoded.get("error") or decoded.get("errors") or decoded.get("_error")):
        return
    reason = reason_of(decoded) or "no reason given"
    error = decoded.get("error")
    if isinstance(error, dict) and error.get("type") == "authentication_failed":
        raise AuthenticationError(
            endpoint, status=status, reason=reason, remedy=authentication_remedy(region)
        )
    passing = not _REFUSAL.search(reason) or bool(_PASSING.search(reason))
    raise RefusedError(
        endpoint,
        status=status,
        reason=reason,
        retriable=passing,
        max_tries=TRIES_OF_A_FAILURE,
    )


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


def decode(response: Response) -> Any:
    """Decode a JSON response: UTF-8, or else in the charset that it names.

    `NaN` and `Infinity` become floats, halves of a surrogate pair and bytes of neither charset
    become U+FFFD, and raw control characters stay. Each is logged.

    Raises:
        NotJsonError: If it is not JSON by any reading.
    """
    body = response.body.removeprefix(_BYTE_ORDER_MARK)
    with suppress(*_UNREADABLE):
        return _decoder.decode(body)
    body = _in_utf8(body, charset_of(response.headers))
    with suppress(*_UNREADABLE):
        return _decoder.decode(body)
    return _decode_leniently(body)


def _in_utf8(body: bytes, charset: str) -> bytes:
    """Return text in UTF-8; unchanged if it is in neither that nor the charset."""
    for encoding in ("utf-8", charset):
        with suppress(LookupError, ValueError):  # LookupError: a charset that nobody knows
            return body.decode(encoding).encode()
    return body


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
