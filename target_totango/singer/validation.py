"""Validates records against their SCHEMA, in any draft of JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from target_totango.models import ValidationError
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

_LONGEST_REASON: Final = 200

UNFIT: Final = "does not fit the schema"

_DRAFTS: Final = {
    "draft-04": jsonschema_rs.Draft4Validator,
    "draft-06": jsonschema_rs.Draft6Validator,
    "draft-07": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}


class RecordValidator:
    """Validates records with jsonschema-rs, which takes a microsecond where others take 90.

    Args:
        schema: Schema of the stream.
        stream: Its name, for the message.

    Raises:
        InputError: If the schema is none.
    """

    def __init__(self, schema: dict[str, Any], *, stream: str) -> None:
        try:
            self._validator = _draft_of(schema)(_tolerant(schema), retriever=_no_retrieval)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            msg = f"The SCHEMA of stream {stream!r} is not a JSON schema: {reason}."
            raise InputError(msg, remedy="Correct the schema in the tap or its catalog.") from None

    def errors(self, records: Sequence[Mapping[str, Any]]) -> list[list[ValidationError]]:
        """Return everything that does not fit, for each of some records."""
        fits = self._validator.is_valid
        try:
            return [[] if fits(record) else self._errors(record) for record in records]
        except (ValueError, TypeError):
            return [self._errors(record) for record in records]

    def _errors(self, record: Mapping[str, Any]) -> list[ValidationError]:
        try:
            found = [_errors(error) for error in self._validator.iter_errors(record)]
            return [each for errors in found for each in errors]
        except (ValueError, TypeError):
            # Text that is not Unicode cannot be looked at; the checks name it.
            return []


def _errors(error: jsonschema_rs.ValidationError) -> list[ValidationError]:
    """Return an error for each field that is at fault; with none, it is the whole record."""
    fields = [".".join(str(step) for step in error.instance_path)]
    if not error.instance_path:
        missing = getattr(error.kind, "property", None)
        fields = getattr(error.kind, "unexpected", None) or [missing or ""]
    return [ValidationError(field, UNFIT, error.message) for field in fields]


def _no_retrieval(uri: str) -> Any:
    msg = f"it refers to {uri}, and nothing is fetched"
    raise ValueError(msg)


def _draft_of(schema: Mapping[str, Any]) -> Any:
    said = str(schema.get("$schema", ""))
    for name, draft in _DRAFTS.items():
        if name in said:
            return draft
    return _DRAFTS["draft-04"] if _has_boolean_bounds(schema) else _DRAFTS["2020-12"]


def _has_boolean_bounds(schema: Any) -> bool:
    """Return whether a schema says `exclusiveMaximum: true`, as only Draft 4 does."""
    if isinstance(schema, dict):
        if any(isinstance(schema.get(k), bool) for k in ("exclusiveMaximum", "exclusiveMinimum")):
            return True
        return any(_has_boolean_bounds(value) for value in schema.values())
    if isinstance(schema, list):
        return any(_has_boolean_bounds(value) for value in schema)
    return False


def _tolerant(schema: Any) -> Any:
    """Leave out what says how a database stores a number, and types that JSON Schema has not.

    `multipleOf: 1e-38` cannot be checked in binary floating point. A type such as `date-time` says
    nothing about a value.
    """
    if isinstance(schema, dict):
        tolerant = {
            key: _tolerant(value)
            for key, value in schema.items()
            if not (key == "multipleOf" and not isinstance(value, (dict, list)) and value < 1)
        }
        return _with_known_types(tolerant)
    if isinstance(schema, list):
        return [_tolerant(value) for value in schema]
    return schema


def _with_known_types(schema: dict[str, Any]) -> dict[str, Any]:
    named = schema.get("type")
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return schema  # a field of that name, or what the validator has to refuse
    if _TYPES.issuperset(names):
        return schema
    # What the other types are then says nothing either.
    return {key: value for key, value in schema.items() if key != "type"}
