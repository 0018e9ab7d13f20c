"""Reads rejects files of version 0.1.0, which held the reasons within the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from target_totango.models import REJECT_FIELD

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK: Final = "Why target-totango did not write this row"


def holds_reasons(schema: Mapping[str, Any]) -> bool:
    """Return whether the schema is that of an older rejects file."""
    field = (schema.get("properties") or {}).get(REJECT_FIELD)
    return isinstance(field, dict) and str(field.get("description", "")).startswith(_MARK)


def without_reasons(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of the rows without their reasons."""
    properties = {
        name: field for name, field in schema["properties"].items() if name != REJECT_FIELD
    }
    return {**schema, "properties": properties}


def move_reasons(message: dict[str, Any]) -> None:
    """Put the reasons of an older file beside the record, where they stand today."""
    record = message["record"]
    if REJECT_FIELD in record:
        message["record"] = {name: each for name, each in record.items() if name != REJECT_FIELD}
        message[REJECT_FIELD] = record[REJECT_FIELD]
