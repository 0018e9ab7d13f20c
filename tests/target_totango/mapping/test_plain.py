"""The quick look at a row and the close one: for any row and mapping they come to the same."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from invented_rows import (
    ACCOUNTS,
    COMMON,
    KINDS,
    KNOWN,
    ODD_MOMENTS,
    TYPES,
    common,
    good_ids,
    ids,
    loose,
    mappings,
    policies,
    records,
    values,
)

from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.config import parse_mappings
from target_totango.mapping.plain import PlainRows
from target_totango.mapping.transform import Policy, check
from target_totango.singer.validation import RecordValidator

if TYPE_CHECKING:
    from target_totango.mapping.compiler import StreamMapping


@settings(deadline=None, max_examples=300)
@given(st.data(), mappings(), policies)
def test_what_the_quick_look_finds_is_what_the_close_one_finds(
    data: st.DataObject, mapping: StreamMapping, policy: Policy
) -> None:
    record = data.draw(records(mapping))
    write = PlainRows(mapping, policy).write(record)
    event("left to the close look" if write is None else "found by the quick look")
    if write is None:
        return
    checked = check(record, mapping, policy)
    assert checked.faults == []
    assert (checked.truncated, checked.converted) == (0, 0)
    assert write == checked.write


def test_a_common_row_needs_no_close_look() -> None:
    write = PlainRows(ACCOUNTS, Policy()).write(COMMON)
    assert write is not None
    assert write.account == {
        "text": "Größe",
        "number": "12.50",
        "whole": "7",
        "flag": "true",
        "day": "2024-07-01",
        "moment": "2024-07-01T10:00:00Z",
    }


@pytest.mark.parametrize("moment", ODD_MOMENTS)
def test_moments_that_are_not_quite_as_most_taps_write_them(moment: str) -> None:
    record = COMMON | {"moment": moment}
    write, checked = PlainRows(ACCOUNTS, Policy()).write(record), check(record, ACCOUNTS, Policy())
    assert write == (None if checked.faults else checked.write)


@pytest.mark.parametrize(
    "fault",
    [
        {"account_id": "has a blank"},
        {"account_id": None},
        {"account_id": "001A0000006Vm9u"},
        {"text": "x" * 513},
        {"text": "\ud800"},
        {"number": "many"},
        {"moment": "soon"},
        {"list": ["a,b"]},
    ],
)
def test_a_row_with_a_fault_is_never_found_to_be_plain(fault: dict[str, Any]) -> None:
    assert PlainRows(ACCOUNTS, Policy()).write(COMMON | fault) is None
    assert check(COMMON | fault, ACCOUNTS, Policy()).faults


# What fits its SCHEMA ---------------------------------------------------------------------------

asked = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(TYPES)
            | st.lists(st.sampled_from(TYPES), min_size=1, unique=True)
        },
        optional={"format": st.sampled_from(["date", "date-time", "email"]), "title": st.just("t")},
    ),
    st.sampled_from([{}, {"enum": ["x", 1]}, {"type": "string", "maxLength": 3}, {"minimum": 5}]),
    st.just({"type": ["object", "null"], "properties": {"a": {"type": "string"}}}),
    st.just({"anyOf": [{"type": "string"}, {"type": "null"}]}),
)
fields = ("account_id", "text", "number", "moment", "flag", "thing")
tops = st.fixed_dictionaries(
    {
        "properties": st.one_of(
            st.fixed_dictionaries({"account_id": each}, optional=dict.fromkeys(fields[1:], each))
            for each in (asked, loose)
        )
    },
    optional={
        "type": st.sampled_from(["object", ["object", "null"], ["null", "object"]]),
        "$schema": st.sampled_from(
            ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"]
        ),
        "required": st.lists(st.sampled_from(fields), unique=True, min_size=1),
        "additionalProperties": st.booleans(),
        "minProperties": st.integers(0, 4),
    },
)


@settings(deadline=None, max_examples=300)
@given(
    tops,
    st.one_of(
        st.fixed_dictionaries({"account_id": one}, optional=dict.fromkeys(fields[1:], other))
        for one, other in ((ids, values), (good_ids, common))
    ),
    st.lists(st.sampled_from(fields), unique=True),
    policies,
)
def test_what_is_found_to_fit_does_fit(
    schema: dict[str, Any], record: dict[str, Any], keys: list[str], policy: Policy
) -> None:
    validator = RecordValidator(schema, stream="s")
    spec = parse_mappings([{"stream": "s", "object": "accounts"}], delivery="tracking")[0]
    mapping = compile_mapping(spec, object_="accounts", stream="s", schema=schema, known=KNOWN)
    rows = PlainRows(mapping, policy, validator.plain, keys)
    write = rows.write(record)
    event(f"found to fit: {write is not None and rows.fits}")
    if write is not None and rows.fits:
        assert validator.faults(record) == []
        assert [key for key in keys if record.get(key) is None] == []


@pytest.mark.parametrize(
    ("schema", "fits"),
    [
        ({}, True),
        ({"type": "object", "additionalProperties": True}, True),
        ({"required": ["text"]}, True),
        ({"required": ["list"]}, False),
        ({"additionalProperties": False, "required": ["account_id"]}, True),
        ({"minProperties": 1}, False),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, False),
    ],
)
def test_a_common_row_is_found_to_fit_where_its_schema_asks_for_types_alone(
    schema: dict[str, Any], fits: bool
) -> None:
    whole = {**schema, "properties": {"account_id": {"type": "string"}} | KINDS}
    plain = RecordValidator(whole, stream="s").plain
    rows = PlainRows(ACCOUNTS, Policy(), plain, ["account_id"])
    assert rows.write(COMMON) is not None
    assert rows.fits == fits


@pytest.mark.parametrize(
    "misfit",
    [
        {"text": 5},
        {"number": True},
        {"whole": Decimal("1.5")},
        {"thing": "text"},
        {"flag": "yes"},
        {"unknown": 1},
    ],
)
def test_a_misfit_is_left_to_the_validator(misfit: dict[str, Any]) -> None:
    schema = {
        "additionalProperties": False,
        "properties": {"account_id": {"type": "string"}} | KINDS,
    }
    validator = RecordValidator(schema, stream="s")
    rows = PlainRows(ACCOUNTS, Policy(), validator.plain, ["account_id"])
    rows.write(COMMON | misfit)
    assert not rows.fits
    assert validator.faults(COMMON | misfit)
