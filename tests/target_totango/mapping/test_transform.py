"""Records become write requests, or all of their errors."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from invented_rows import ACCOUNTS, COMMON, ODD_MOMENTS, mappings, policies, records

from target_totango.mapping.convert import UnfitValueError
from target_totango.mapping.dates import to_date
from target_totango.mapping.expressions import MISSING
from target_totango.mapping.transform import Policy, Transformer

if TYPE_CHECKING:
    from target_totango.mapping.compiler import AttributeColumn, StreamMapping


def transformed(record: dict[str, Any], **policy: str) -> Any:
    return Transformer(ACCOUNTS, Policy(**policy)).transform(record)


def codes(record: dict[str, Any], **policy: str) -> set[tuple[str, str]]:
    return {(error.field, error.code) for error in transformed(record, **policy).errors}


def test_a_row_without_errors() -> None:
    result = transformed(COMMON)
    assert result.request.account_id == "acme-1"
    assert result.request.account == {
        "text": "Größe",
        "number": "12.50",
        "whole": "7",
        "flag": "true",
        "day": "2024-07-01",
        "moment": "2024-07-01T10:00:00Z",
    }
    assert (result.errors, result.failed, result.changes) == ([], [], {})


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"account_id": "has a blank"}, "characters"),
        ({"account_id": None}, "missing"),
        ({"account_id": ""}, "missing"),
        ({"account_id": True}, "not an id"),
        ({"account_id": "x" * 481}, "too long"),
        ({"account_id": "001A0000006Vm9u"}, "short Salesforce id"),
        ({"text": "x" * 513}, "too long"),
        ({"text": "\ud800"}, "not Unicode"),
        ({"whole": 10**600}, "too long"),
        ({"number": "many"}, "not a number"),
        ({"number": Decimal("NaN")}, "not a number"),
        ({"moment": "soon"}, "not a date"),
        ({"list": ["a,b"]}, "comma in a list item"),
    ],
)
def test_a_row_with_an_error(values: dict[str, Any], code: str) -> None:
    assert codes(COMMON | values) == {(field, code) for field in values}


def test_all_errors_come_at_once() -> None:
    record = COMMON | {"account_id": "é" * 481, "number": "many", "text": "x" * 513, "day": 5}
    result = transformed(record)
    assert {(error.field, error.code) for error in result.errors} == {
        ("account_id", "characters"),
        ("account_id", "too long"),
        ("number", "not a number"),
        ("text", "too long"),
        ("day", "not a date"),
    }
    assert result.failed == ["account.text", "account.number", "account.day"]
    assert set(result.request.account) == {"whole", "flag", "moment"}


def test_an_id_with_an_error_is_still_known() -> None:
    assert transformed({"account_id": "has a blank"}).request.account_id == "has a blank"


def test_changes_are_counted_for_each_row_alone() -> None:
    transformer = Transformer(ACCOUNTS, Policy(too_long="truncate", salesforce="convert"))
    long = {"account_id": "001A0000006Vm9u", "text": "x" * 600, "any": "y" * 600}
    result = transformer.transform(long)
    assert result.request.account_id == "001A0000006Vm9uIAC"
    assert result.request.account == {"text": "x" * 512, "any": "y" * 512}
    assert result.changes == {"truncated": 2, "converted": 1}
    assert transformer.transform(COMMON).changes == {}


@pytest.mark.parametrize("value", [None, "", []])
def test_what_counts_as_null(value: Any) -> None:
    record = {"account_id": "a", "any": value}
    assert transformed(record).request.account == {}
    assert transformed(record, null="clear").request.account == {"any": ""}
    assert codes(record, null="reject") == {("any", "null")}
    assert transformed({"account_id": "a"}, null="clear").request.account == {}


@pytest.mark.parametrize("moment", ODD_MOMENTS)
def test_moments_that_are_not_quite_as_most_taps_write_them(moment: str) -> None:
    result = transformed({"account_id": "a", "moment": moment})
    try:
        assert result.request.account == {"moment": to_date(f" {moment}")}
    except UnfitValueError:
        assert [error.code for error in result.errors] == ["not a date"]


@settings(deadline=None, max_examples=300)
@given(st.data(), mappings(), policies)
def test_each_attribute_goes_its_own_way(
    data: st.DataObject, mapping: StreamMapping, policy: Policy
) -> None:
    """What becomes of a column does not depend on the columns beside it."""
    record = data.draw(records(mapping))
    whole = Transformer(mapping, policy).transform(record)
    event(f"errors: {bool(whole.errors)}")
    ids = Transformer(replace(mapping, columns=()), policy).transform(record)
    texts: dict[str, dict[str, str]] = {"account": {}, "user": {}, "fields": {}}
    errors = list(ids.errors)
    for column in mapping.columns:
        alone = Transformer(replace(mapping, columns=(column,)), policy).transform(record)
        errors += [error for error in alone.errors if error not in ids.errors]
        if not alone.failed:
            texts[column.scope] |= getattr(alone.request, column.scope)
            check_text(column, record, policy, getattr(alone.request, column.scope))
    assert {(each.field, each.code, each.message) for each in whole.errors} == {
        (each.field, each.code, each.message) for each in errors
    }
    for scope, attributes in texts.items():
        found = getattr(whole.request, scope)
        assert {
            name: text for name, text in found.items() if f"{scope}.{name}" not in whole.failed
        } == attributes


def check_text(
    column: AttributeColumn, record: dict[str, Any], policy: Policy, texts: dict[str, str]
) -> None:
    """Check what is sent for a value without an error against its plain conversion."""
    value = column.source.read(record)
    if value is MISSING:
        assert texts == {}
    elif value is None or value in ("", []):
        assert texts == ({column.api_name: ""} if policy.null == "clear" else {})
    elif column.problems_of is None:
        assert texts == {column.api_name: column.convert(value)[: column.limit]}


@settings(deadline=None)
@given(st.data(), mappings())
def test_attributes_can_be_left_out(data: st.DataObject, mapping: StreamMapping) -> None:
    record = data.draw(records(mapping))
    names = [f"{column.scope}.{column.api_name}" for column in mapping.columns]
    without = data.draw(st.sets(st.sampled_from(names))) if names else set()
    whole = Transformer(mapping, Policy()).transform(record)
    rest = Transformer(mapping, Policy()).without(without).transform(record)
    assert rest.failed == [name for name in whole.failed if name not in without]
    for scope in ("account", "user", "fields"):
        assert getattr(rest.request, scope) == {
            name: text
            for name, text in getattr(whole.request, scope).items()
            if f"{scope}.{name}" not in without
        }
