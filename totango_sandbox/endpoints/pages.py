"""The answer to a search: its envelope, and what a strict JSON parser refuses of it."""

from __future__ import annotations

import re
import time
from math import inf, nan
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.http import Response, reply, success

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.service import Service
    from totango_sandbox.switches import Switches

Hit = dict[str, Any]
_CONTROL: Final = "control"
_NO_JSON: Final = {"nan": nan, "infinity": inf, _CONTROL: "raw \x01 and \x1f"}
# A backslash that is escaped itself must not be taken for the start of an escape.
_ESCAPES: Final = re.compile(rb"\\\\|\\u00([01][0-9a-f])")


def reply_page(
    service: Service,
    request: Request,
    name: str,
    hits: list[Hit],
    total: int | None,
    **more: object,
) -> Response:
    """Answer with one page of hits.

    Args:
        service: whose number stands in the envelope.
        request: the call, which knows when it arrived and its faults.
        name: the object that was searched.
        hits: the rows of the page.
        total: total_hits, None to leave it out.
        more: other keys beside the hits.
    """
    request.rows = len(hits)
    body: dict[str, Any] = {"hits": _spoilt(hits, request.faults), **more}
    if total is not None:
        body["total_hits"] = total
    took = int((time.perf_counter() - request.arrived) * 1000)
    document = success(service.number, took, {name: body})
    return reply_rows(document, request, service.switches)


def reply_rows(document: object, request: Request, switches: Switches) -> Response:
    """Return a JSON response, with control characters raw where a switch or a fault says so."""
    response = reply(document)
    raw = _CONTROL in request.faults or switches.text("control_characters") == "raw"
    if raw and isinstance(response.body, bytes):
        response.body = _ESCAPES.sub(_unescaped, response.body)
    return response


def _spoilt(hits: list[Hit], faults: tuple[str, ...]) -> list[Hit]:
    """Put a value that is no JSON into the hit in the middle, if a fault says so."""
    values = [_NO_JSON[fault] for fault in faults if fault in _NO_JSON]
    if not values or not hits:
        return hits
    middle, value = len(hits) // 2, values[0]
    hit = hits[middle]
    if hit.get("selected_fields"):
        hit = {**hit, "selected_fields": [value, *hit["selected_fields"][1:]]}
    else:
        hit = {**hit, "properties": {**hit.get("properties", {}), "subject": value}}
    return [*hits[:middle], hit, *hits[middle + 1 :]]


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else match[0]
