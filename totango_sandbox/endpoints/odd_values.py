"""Answers that a strict JSON parser refuses: NaN, Infinity, raw control characters."""

from __future__ import annotations

import re
from math import inf, nan
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.http import Response, reply

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.switches import Switches

_CONTROL: Final = "control"
_NO_JSON: Final = {"nan": nan, "infinity": inf, _CONTROL: "raw \x01 and \x1f"}
# A backslash that is escaped itself must not be taken for the start of an escape.
_ESCAPES: Final = re.compile(rb"\\\\|\\u00([01][0-9a-f])")


def spoil(hits: list[dict[str, Any]], request: Request) -> None:
    """Put such a value into the row in the middle, if a fault of the request says so."""
    for fault in request.faults:
        if fault not in _NO_JSON or not hits:
            continue
        middle, value = len(hits) // 2, _NO_JSON[fault]
        hit = hits[middle]
        if hit.get("selected_fields"):
            fields = [value, *hit["selected_fields"][1:]]
            hits[middle] = {**hit, "selected_fields": fields}
        else:
            hits[middle] = {**hit, "properties": {**hit.get("properties", {}), "subject": value}}


def reply_rows(document: object, request: Request, switches: Switches) -> Response:
    """A JSON response, with control characters raw where a switch or a fault says so."""
    response = reply(document)
    raw = _CONTROL in request.faults or switches.text("control_characters") == "raw"
    if raw and isinstance(response.body, bytes):
        response.body = _ESCAPES.sub(_unescaped, response.body)
    return response


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else match[0]
