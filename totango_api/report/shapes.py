"""Describes what a value looks like, without the value."""

from __future__ import annotations

import json


def shape_of(value: object) -> str:
    """Return the JSON type of a value, and how long it is: what may be shown of any row."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return f"text of {len(value)} characters" if value else "empty text"
        case list():
            return f"list of {len(value)}"
        case dict():
            return f"object of {len(json.dumps(value, default=str))} characters"
        case _:
            return type(value).__name__
