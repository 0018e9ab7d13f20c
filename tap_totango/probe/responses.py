"""Asks for what may well be refused, and reads what comes: shapes, times, words of a refusal."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_totango.probe.service import ProbedService

LIST: Final = "a list"
KEYED: Final = "keyed by id"
NESTED: Final = "under one more key"
EMPTY: Final = "empty"

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def tried(service: ProbedService, path: str, form: bytes | None = None) -> Any:
    """Return a response, or the refusal of it."""
    caller = service.caller
    return caller.tried(lambda: caller.get(path) if form is None else caller.post(path, form))


def shape_of(response: Any) -> str:
    """Return the shape of a response, in a few words."""
    if isinstance(response, list):
        return LIST if response else EMPTY
    if not isinstance(response, dict):
        return type(response).__name__
    values = list(response.values())
    if len(values) == 1 and _holds_rows(values[0]):
        return NESTED
    return KEYED if values else EMPTY


def _holds_rows(value: Any) -> bool:
    if isinstance(value, list):
        return True
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(one, dict) for one in value.values())
    )


def duration(seconds: float) -> str:
    """Return a time as a whole number of the largest unit of which it has two, rounded up."""
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return f"{math.ceil(seconds / size)} {unit}"
    return "1 s"


def named_in(refusal: str, asked: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what a refusal names, of all that was asked for: by its name, else by its type.

    That tells where to look next; it is never an answer.

    Args:
        refusal: What the service said.
        asked: Columns or terms as they were sent, by what they are called here.
    """
    by_name = [
        called
        for called, sent in asked.items()
        if any(_names(refusal, value) for key, value in sent.items() if key != "type")
    ]
    return by_name or [called for called, sent in asked.items() if _names(refusal, sent["type"])]


def _names(text: str, name: Any) -> bool:
    """Return whether a name stands in a text as a word of its own."""
    return re.search(rf"(?<![\w:]){re.escape(str(name))}(?![\w:])", text) is not None
