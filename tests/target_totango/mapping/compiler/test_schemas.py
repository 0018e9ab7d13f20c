"""What a SCHEMA says of a field, whichever way it says so."""

from __future__ import annotations

from typing import Any

import pytest

from target_totango.mapping.compiler.schemas import StreamSchema

NULL = {"type": "null"}
ALIKE = [
    {"type": ["integer", "null"]},
    {"anyOf": [{"type": "integer"}, NULL]},
    {"oneOf": [NULL, {"type": ["integer"]}]},
    {"anyOf": [{"anyOf": [{"type": "integer"}]}, NULL]},
    {"allOf": [{"type": ["integer", "null"]}], "title": "t"},
    {"$ref": "#/definitions/whole"},
    {"anyOf": [{"$ref": "#/$defs/a~1b"}, NULL]},
]
DEFINITIONS = {
    "definitions": {
        "whole": {"type": ["integer", "null"]},
        "circle": {"$ref": "#/definitions/circle"},
    },
    "$defs": {"a/b": {"type": "integer"}},
}


def schema_of(**fields: Any) -> StreamSchema:
    return StreamSchema({"properties": fields, **DEFINITIONS})


@pytest.mark.parametrize("field", ALIKE)
def test_a_whole_number_or_null(field: dict[str, Any]) -> None:
    schema = schema_of(x=field)
    assert schema.types("x") == {"integer", "null"}
    assert schema.is_whole("x")


@pytest.mark.parametrize(
    "field",
    [
        *({}, {"type": "number"}, {"type": ["integer", "number"]}, {"anyOf": [{"type": "string"}]}),
        *({"$ref": "#/definitions/circle"}, {"$ref": "#/nowhere"}, {"$ref": "http://x.example"}),
        True,
    ],
)
def test_what_may_have_a_fraction(field: Any) -> None:
    assert not schema_of(x=field).is_whole("x")
    assert not schema_of(x=field).is_whole("y")
    assert not schema_of(x=field).is_whole(None)


@pytest.mark.parametrize(
    "field",
    [
        {"type": ["string", "null"], "format": "date-time"},
        {"anyOf": [{"type": ["string", "null"], "format": "date-time"}, NULL]},
        {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]},
        {"oneOf": [{"allOf": [{"type": "string"}, {"format": "date-time"}]}, NULL]},
    ],
)
def test_a_date_time(field: dict[str, Any]) -> None:
    assert schema_of(x=field).formats("x") == {"date-time"}
    assert schema_of(x=field).formats("y") == set()


def test_what_nobody_writes() -> None:
    assert schema_of(x={"anyOf": [{"type": "string", "readOnly": True}]}).is_read_only("x")
    assert not schema_of(x={"readOnly": False}).is_read_only("x")


NESTED = {
    "plan": {"type": ["object", "null"], "properties": {"name": {"type": "string"}}},
    "either": {"anyOf": [NULL, {"type": "object", "properties": {"name": {}}}]},
    "open": {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
    "pattern": {"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": {}}},
    "bare": {"type": "object"},
    "any": {},
    "text": {"type": "string"},
    "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {}}}},
    "list": {"type": "array"},
    "a.b": {"type": "string"},
}


@pytest.mark.parametrize(
    "path",
    [
        *("plan", "plan.name", "either.name", "open.a", "open.z", "pattern.xy", "bare.any.thing"),
        *("any.thing", "lines.0.sku", "lines.12", "list.3.x", "a.b"),
    ],
)
def test_paths_that_a_schema_holds(path: str) -> None:
    assert schema_of(**NESTED).holds(path)


@pytest.mark.parametrize(
    "path",
    [
        *("plam", "plan.nmae", "plan.name.first", "either.nmae", "text.part", "lines.sku"),
        *("lines.0.sko", "a", "a.c"),
    ],
)
def test_paths_that_a_schema_does_not_hold(path: str) -> None:
    assert not schema_of(**NESTED).holds(path)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"properties": {}},
        {"properties": {"x": {}}, "additionalProperties": True},
        {"properties": {"x": {}}, "additionalProperties": {"type": "string"}},
        {"properties": {"x": {}}, "patternProperties": {"^y": {}}},
    ],
)
def test_a_schema_that_leaves_fields_open_holds_any(schema: dict[str, Any]) -> None:
    assert StreamSchema(schema).holds("y")
