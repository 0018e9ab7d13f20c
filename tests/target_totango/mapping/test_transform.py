"""Records become write requests, or all of their errors."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from invented_rows import ACCOUNTS, COMMON, KNOWN, ODD_MOMENTS, mappings, records
from transformed import transform

from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.config import MappingConfig, parse_mappings
from target_totango.mapping.expressions import MISSING
from target_totango.mapping.policy import Policy
from target_totango.mapping.transform import Transformer
from target_totango.mapping.values.convert import ConversionError
from target_totango.mapping.values.dates import to_date
from target_totango.singer.messages import is_plain

if TYPE_CHECKING:
    from target_totango.mapping.compiler.stream_mapping import AttributeColumn, StreamMapping
    from target_totango.models import ValidationError


def transformed(record: dict[str, Any], **policy: str) -> Any:
    return transform(replace(ACCOUNTS, policy=Policy(**policy)), record)


def codes(record: dict[str, Any], **policy: str) -> set[tuple[str, str]]:
    return {(error.field, error.code) for error in transformed(record, **policy).errors}


@given(st.data())
def test_plain_texts_need_no_second_look(data: st.DataObject) -> None:
    mapping = data.draw(mappings())
    record = data.draw(records(mapping))
    line = json.dumps(record, ensure_ascii=False, default=str)
    plain = is_plain(line.encode(errors="surrogatepass"))
    event(f"plain: {plain}")
    assert transform(mapping, record, is_plain=plain) == transform(mapping, record)


@pytest.mark.parametrize(
    ("settings", "record"),
    [
        ({"list_separator": "\x01"}, {"list": ["a", "b"]}),
        ({"attributes": {"list": {"constant": "a\x01b"}}}, {"text": "x"}),
    ],
)
def test_what_a_mapping_adds_to_plain_texts_is_looked_at(
    settings: dict[str, Any], record: dict[str, Any]
) -> None:
    default = MappingConfig(delivery="tracking")
    entry = {"stream": "s", "object": "accounts", "control_characters": "reject", **settings}
    mapping = compile_mapping(
        parse_mappings([entry], default)[0],
        object_="accounts",
        stream="s",
        schema={"properties": {"account_id": {}, "text": {}, "list": {"type": "array"}}},
        known=KNOWN,
    )
    made = transform(mapping, {"account_id": "a", **record}, is_plain=True)
    assert {error.code for error in made.errors} == {"control character"}


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
    assert (result.errors, result.failed, result.changes) == ((), (), {})


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
    assert result.failed == ("account_id", "account.text", "account.number", "account.day")
    assert set(result.request.account) == {"whole", "flag", "moment"}


def test_an_id_with_an_error_is_still_known() -> None:
    assert transformed({"account_id": "has a blank"}).request.account_id == "has a blank"


def test_changes_are_counted_for_each_row_alone() -> None:
    policy = Policy(too_long="truncate", salesforce_ids="convert")
    transformer = Transformer(replace(ACCOUNTS, policy=policy))
    long = {"account_id": "001A0000006Vm9u", "text": "x" * 600, "any": "y" * 600}
    result = transform(transformer, long)
    assert result.request.account_id == "001A0000006Vm9uIAC"
    assert result.request.account == {"text": "x" * 512, "any": "y" * 512}
    assert result.changes == {"truncated": 2, "converted": 1}
    assert transform(transformer, COMMON).changes == {}


def test_changes_of_ids_alone_are_not_those_of_the_next_row() -> None:
    transformer = Transformer(replace(ACCOUNTS, policy=Policy(salesforce_ids="convert")))
    assert transform(transformer, {"account_id": "001A0000006Vm9u"}, ids_alone=True).changes == {
        "converted": 1
    }
    assert transform(transformer, COMMON).changes == {}


@pytest.mark.parametrize("value", [None, "", [], [None], [""], [None, ""]])
def test_what_counts_as_null(value: Any) -> None:
    record = {"account_id": "a", "any": value}
    assert transformed(record).request.account == {}
    assert transformed(record, null_policy="clear").request.account == {"any": ""}
    assert codes(record, null_policy="reject") == {("any", "null")}
    assert transformed({"account_id": "a"}, null_policy="clear").request.account == {}


BLANKS = [" ", "\t\n", "\u3000", "\N{NO-BREAK SPACE} "]


@pytest.mark.parametrize("value", BLANKS)
def test_blank_texts_of_any_kind_of_attribute(value: str) -> None:
    result = transformed({"account_id": "a", "number": value, "day": value, "moment": value})
    assert result.errors == ()
    assert result.changes == {"blanks": 3}


@pytest.mark.parametrize("value", [*BLANKS, [" "]])
def test_blank_texts(value: Any) -> None:
    record = {"account_id": "a", "any": value}
    kept = transformed(record)
    assert kept.request.account == {"any": value if isinstance(value, str) else " "}
    nulls = transformed(record, blank_texts="null")
    assert nulls.request.account == {}
    assert kept.changes == nulls.changes == {"blanks": 1}
    cleared = transformed(record, blank_texts="null", null_policy="clear")
    assert cleared.request.account == {"any": ""}


def test_control_characters() -> None:
    record = {"account_id": "a", "any": "a\x00b\x7f\x85", "text": "line\r\n\tend", "moment": None}
    kept = transformed(record)
    assert kept.request.account == {"any": record["any"], "text": record["text"]}
    removed = transformed(record, control_characters="remove")
    assert removed.request.account == {"any": "ab", "text": record["text"]}
    assert kept.changes == removed.changes == {"controls": 1}
    assert codes(record, control_characters="reject") == {("any", "control character")}
    only = transformed({"account_id": "a", "any": "\x00"}, control_characters="remove")
    assert only.request.account == {}


def test_invalid_attributes_can_be_left_out() -> None:
    record = COMMON | {"number": "many", "text": "\ud800", "any": "x" * 600, "list": [1, "a,b"]}
    result = transformed(record, invalid_attributes="leave_out")
    assert (result.errors, result.failed) == ((), ())
    assert {(each.field, each.code) for each in result.left_out} == {
        ("number", "not a number"),
        ("text", "not Unicode"),
        ("any", "too long"),
        ("list", "comma in a list item"),
    }
    assert set(result.request.account) == {"whole", "flag", "day", "moment"}
    assert transformed(record | {"account_id": "a b"}, invalid_attributes="leave_out").errors


@pytest.mark.parametrize(
    ("policy", "value", "text"),
    [
        ({}, ["a", None, "", 2], "a,2"),
        ({"list_separator": ";"}, ["a,b", "c"], "a,b;c"),
        ({"separator_in_item": "keep"}, ["a,b", "c"], "a,b,c"),
        ({"separator_in_item": "replace"}, ["a, b", "c,"], "a b,c "),
        ({"separator_in_item": "replace", "list_separator": "; "}, ["a; b"], "a b"),
    ],
)
def test_lists(policy: dict[str, str], value: list[Any], text: str) -> None:
    config = MappingConfig(policy=Policy(**policy))
    mapping = compile_mapping(
        config,
        object_="accounts",
        stream="s",
        schema={"properties": {"account_id": {}, "x": {}}},
        known=KNOWN,
    )
    request = transform(mapping, {"account_id": "a", "x": value}).request
    assert request.account == {"x": text}


@pytest.mark.parametrize("value", [Decimal("NaN"), "\ud800"])
def test_a_template_that_cannot_be_filled_in_is_an_error(value: Any) -> None:
    entry = {"stream": "s", "object": "accounts", "attributes": {"A": "{x}-{y}"}}
    mapping = compile_mapping(
        parse_mappings([entry], MappingConfig())[0],
        object_="accounts",
        stream="s",
        schema={"properties": {"account_id": {}, "x": {}, "y": {}}},
        known=KNOWN,
    )
    result = transform(mapping, {"account_id": "a", "x": value, "y": 1})
    assert [error.field for error in result.errors] == ["{x}-{y}"]
    assert result.failed == ("account.A",)


# Ids -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *("NULL", "null", "None", "nan", "NaN", "undefined", "N/A", "(null)"),
        *("12345.0", "7.000", "1.2e+5", Decimal("12345.0"), 5.0),
    ],
    ids=repr,
)
def test_ids_that_are_accidents(value: Any) -> None:
    assert ("account_id", "accidental id") in codes({"account_id": value})
    kept = codes({"account_id": value}, accidental_ids="keep")
    assert ("account_id", "accidental id") not in kept


@pytest.mark.parametrize(
    "value",
    ["12345", "1e5", "nano", "Nancy", "none-such", "0", "v1-0", 12345, Decimal(5)],
    ids=repr,
)
def test_ids_that_are_no_accidents(value: Any) -> None:
    assert codes({"account_id": value}) == set()


def test_a_part_of_an_id_may_not_be_an_accident_either() -> None:
    entry = {"stream": "s", "object": "accounts", "account_id": "{a}_{b}"}
    mapping = compile_mapping(
        parse_mappings([entry], MappingConfig())[0],
        object_="accounts",
        stream="s",
        schema={"properties": {"a": {}, "b": {}}},
        known=KNOWN,
    )
    of_record = partial(transform, Transformer(mapping))
    assert of_record({"a": "x", "b": 7}).request.account_id == "x_7"
    for record, code in (
        ({"a": "x", "b": "None"}, "accidental id"),
        ({"a": "x", "b": 7.0}, "accidental id"),
        ({"a": "x", "b": None}, "missing"),
        ({"a": "x"}, "missing"),
        ({}, "missing"),
    ):
        assert [error.code for error in of_record(record).errors] == [code]


# Activities ------------------------------------------------------------------------------------


def test_activities_that_happened_too_long_ago() -> None:
    entry = {"stream": "s", "object": "activities", "activity_time": "at"}
    fields = ("account_id", "user_id", "activity", "module", "at")
    now = dt.datetime.now(tz=dt.UTC)

    def codes_of(at: Any, days: float | None) -> list[str]:
        mapping = compile_mapping(
            parse_mappings([entry | {"max_activity_age_days": days}], MappingConfig())[0],
            object_="activities",
            stream="s",
            schema={"properties": {name: {} for name in fields}},
            known=KNOWN,
        )
        record = dict.fromkeys(fields, "x") | {"at": at}
        return [error.code for error in transform(mapping, record).errors]

    for at in ("2001-01-01", "2001-01-01T00:00:00Z", (now - dt.timedelta(3)).isoformat()):
        assert codes_of(at, 2) == ["too old"]
        assert codes_of(at, None) == []
    assert codes_of((now - dt.timedelta(3)).isoformat(), 4) == []
    assert codes_of(None, 2) == []
    assert codes_of("soon", 2) == ["not a date"]


# Any row ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ODD_MOMENTS)
def test_moments_that_are_not_quite_as_most_taps_write_them(moment: str) -> None:
    result = transformed({"account_id": "a", "moment": moment})
    try:
        assert result.request.account == {"moment": to_date(f" {moment}")}
    except ConversionError:
        assert [error.code for error in result.errors] == ["not a date"]


@given(st.data(), mappings())
def test_each_attribute_goes_its_own_way(data: st.DataObject, mapping: StreamMapping) -> None:
    """What becomes of a column does not depend on the columns beside it."""
    record = data.draw(records(mapping))
    whole = transform(mapping, record)
    event(f"errors: {bool(whole.errors)}")
    ids = transform(replace(mapping, columns=()), record)
    texts: dict[str, dict[str, str]] = {"account": {}, "user": {}, "fields": {}}
    errors, left_out = list(ids.errors), []
    for column in mapping.columns:
        alone = transform(replace(mapping, columns=(column,)), record)
        errors += alone.errors[len(ids.errors) :]
        left_out += alone.left_out
        texts[column.scope] |= getattr(alone.request, column.scope)
        if not (alone.failed or alone.left_out):
            check_text(column, record, getattr(alone.request, column.scope))
    assert known(whole.errors) == known(errors)
    assert known(whole.left_out) == known(left_out)
    for scope, attributes in texts.items():
        found = getattr(whole.request, scope)
        assert keep_fine(found, scope, whole.failed) == keep_fine(attributes, scope, whole.failed)


def known(errors: list[ValidationError]) -> set[tuple[str, str, str]]:
    return {(error.field, error.code, error.message) for error in errors}


def keep_fine(texts: dict[str, str], scope: str, failed: list[str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if f"{scope}.{name}" not in failed}


def check_text(column: AttributeColumn, record: dict[str, Any], texts: dict[str, str]) -> None:
    """Check what is sent of an ordinary value against its plain conversion."""
    value = column.source.read(record)
    if value is MISSING:
        assert texts == {}
    elif type(value) is str and value.isprintable() and value.strip() and not column.problems_of:
        assert texts == {column.api_name: column.convert(value)[: column.limit]}


@given(st.data(), mappings())
def test_attributes_can_be_left_out(data: st.DataObject, mapping: StreamMapping) -> None:
    record = data.draw(records(mapping))
    names = [f"{column.scope}.{column.api_name}" for column in mapping.columns]
    without = data.draw(st.sets(st.sampled_from(names))) if names else set()
    whole = transform(mapping, record)
    rest = transform(Transformer(mapping).without(without), record)
    assert rest.failed == tuple(name for name in whole.failed if name not in without)
    for scope in ("account", "user", "fields"):
        assert getattr(rest.request, scope) == keep_fine(
            getattr(whole.request, scope), scope, list(without)
        )
