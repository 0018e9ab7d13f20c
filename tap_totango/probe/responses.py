"""Asks for what may well be refused, and puts what comes into words: shapes and times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import ApiError
from totango_api.probe import is_refusal

if TYPE_CHECKING:
    from tap_totango.probe.service import ProbedService

LIST: Final = "a list"
KEYED: Final = "keyed by id"
NESTED: Final = "under one more key"
EMPTY: Final = "empty"

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def tried(service: ProbedService, path: str, form: bytes | None = None) -> Any:
    """Return a response, or the refusal of it."""
    try:
        return service.caller.get(path) if form is None else service.caller.post(path, form)
    except ApiError as error:
        if not is_refusal(error):
            raise
        return error


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
