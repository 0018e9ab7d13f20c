"""A catalog made earlier keeps its columns, whatever the service has come to have since."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tap_totango.schema import types as values
from tap_totango.schema.catalog import as_catalogued
from tap_totango.schema.columns import Column, base_columns, columns_of_attributes, schema_of
from totango_api.search.attributes import DATE, LIST, NUMBER, TEXT, Attribute

BASE = base_columns("accounts")
NAMES = ["Plan", "plan", "PLAN", "pl an", "pl-an", "Plan 2", "plan_2", "account_id", "Account ID"]


def columns_of(**kinds: str) -> list[Column]:
    attributes = [Attribute("accounts", name, kind) for name, kind in kinds.items()]
    return [*BASE, *columns_of_attributes(attributes, style="snake", base=BASE)]


def properties_of(columns: list[Column]) -> dict[str, Any]:
    properties: dict[str, Any] = schema_of(columns, keys=("account_id",))["properties"]
    return properties


def attribute_of(column: Column) -> str:
    return str((column.field or {}).get("attribute"))


attributes = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([TEXT, NUMBER, DATE, LIST]))


@given(before=attributes, since=attributes)
def test_every_column_stays_that_of_its_attribute(
    before: dict[str, str], since: dict[str, str]
) -> None:
    catalogued = columns_of(**before)
    properties = properties_of(catalogued)
    found = as_catalogued(columns_of(**since), properties, base=BASE)
    assert len(found) == len(columns_of(**since))
    attribute_by_name = {one.name: attribute_of(one) for one in catalogued if one.field}
    for name, column in found.items():
        assert column.name == name
        if column.field is not None:
            kept = attribute_by_name.get(name)
            assert kept == (attribute_of(column) if attribute_of(column) in before else None)


@given(before=attributes, since=attributes)
def test_values_are_of_the_types_that_the_catalog_names(
    before: dict[str, str], since: dict[str, str]
) -> None:
    properties = properties_of(columns_of(**before))
    for name, column in as_catalogued(columns_of(**since), properties, base=BASE).items():
        if name in properties:
            schema = properties[name]
            assert set(column.schema["type"]) - {"null"} <= set(schema["type"])
            assert schema.get("format") in {None, column.schema.get("format")}


def test_a_catalog_without_titles_goes_by_names() -> None:
    properties = {"plan": {"type": "string"}, "seats": {"type": ["null", "number"]}}
    found = as_catalogued(columns_of(Plan=TEXT, Seats=TEXT), properties, base=BASE)
    assert attribute_of(found["plan"]) == "Plan"
    assert found["seats"].kind == values.NUMBER
