"""A catalog made earlier keeps its columns, whatever the service has come to have since."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_totango.schema import types as values
from tap_totango.schema.catalog import fitted, json_of_file, known_columns
from tap_totango.schema.columns import Column, base_columns, columns_of_attributes, schema_of
from tap_totango.schema.naming import KnownColumns, Naming, Remembered, name_columns
from totango_api.errors import InputError
from totango_api.search.attributes import DATE, LIST, NUMBER, TEXT, Attribute

BASE = base_columns("accounts")
TAKEN = {column.name for column in BASE} | {"_extra"}
NAMES = ["Plan", "plan", "PLAN", "pl an", "pl-an", "Plan 2", "plan_2", "account_id", "Account ID"]


def columns_of(kinds: dict[str, str], known: KnownColumns | None = None) -> list[Column]:
    attributes = [Attribute("accounts", name, kind) for name, kind in kinds.items()]
    columns = columns_of_attributes(attributes, base=BASE)
    return list(name_columns(columns, Naming(), known or KnownColumns(), taken=TAKEN).columns)


def properties_of(kinds: dict[str, str]) -> dict[str, Any]:
    columns = [*BASE, *columns_of(kinds)]
    properties: dict[str, Any] = schema_of(columns, keys=("account_id",))["properties"]
    return properties


def attribute_of(column: Column) -> str:
    return str((column.field or {}).get("attribute"))


attributes = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([TEXT, NUMBER, DATE, LIST]))


@given(before=attributes, since=attributes)
def test_values_are_of_the_types_that_the_catalog_names(
    before: dict[str, str], since: dict[str, str]
) -> None:
    properties = properties_of(before)
    for column in columns_of(since, KnownColumns(catalogued=properties)):
        if column.name in properties:
            schema = properties[column.name]
            found = fitted(column, schema)
            assert set(found.schema["type"]) - {"null"} <= set(schema["type"])
            assert schema.get("format") in {None, found.schema.get("format")}


def test_a_catalog_without_titles_goes_by_names() -> None:
    properties = {"plan": {"type": "string"}, "seats": {"type": ["null", "number"]}}
    found = {
        one.name: one
        for one in columns_of({"Plan": TEXT, "Seats": TEXT}, KnownColumns(catalogued=properties))
    }
    assert attribute_of(found["plan"]) == "Plan"
    assert fitted(found["seats"], properties["seats"]).kind == values.NUMBER


def test_what_is_known_from_earlier_is_asked_for_as_it_was() -> None:
    known = KnownColumns(
        {"plan": Remembered("Plan", values.TEXT), "gone": Remembered("Gone", None)},
        {
            **properties_of({"Seats": NUMBER, "Since": DATE}),
            "plan": {"type": "string"},
            "bare": {"type": ["integer", "null"]},
        },
    )
    found = list(known_columns(known, base=TAKEN))
    assert {(attribute_of(one), one.kind) for one in found} == {
        ("Plan", values.TEXT),
        ("Seats", values.NUMBER),
        ("Since", values.TIMESTAMP),
        ("bare", values.NUMBER),
    }


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    assert json_of_file(io.StringIO('\ufeff{"streams": []}'), "catalog") == {"streams": []}


def test_a_file_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InputError, match="The state file is not JSON"):
        json_of_file(io.StringIO("[" * 100_000), "state")
