"""The quick look at a row and the close one: for any row and mapping they come to the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from target_totango.checks import Policy, check
from target_totango.mapping import StreamMapping, compile_mapping
from target_totango.matching import KnownAttributes
from target_totango.plain import PlainRows
from target_totango.specs import parse_mappings
from target_totango.validation import RecordValidator
from totango_api.attributes import DATE, NUMBER, TEXT, Attribute

KINDS = {
    "text": {"type": ["string", "null"]},
    "number": {"type": ["number", "null"]},
    "whole": {"type": ["integer", "null"]},
    "flag": {"type": ["boolean", "null"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "moment": {"type": ["string", "null"], "format": "date-time"},
    "thing": {"type": ["object", "null"]},
    "list": {"type": ["array", "null"]},
    "any": {},
}
KNOWN = KnownAttributes.of(
    Attribute(object_, api_name, kind)
    for object_ in ("accounts", "users")
    for api_name, kind in (("number", NUMBER), ("moment", DATE), ("day", DATE), ("text", TEXT))
)
IDS = {
    "accounts": ("account_id",),
    "users": ("account_id", "user_id"),
    "activities": ("account_id", "user_id", "activity", "module"),
    "collections": ("account_id", "collection_type", "collection_id"),
}
NAMED = ("account_name", "user_name", "parent_id", "product_id", "ofid")

salesforce = st.sampled_from(["001A0000006Vm9u", "001A0000006Vm9uIAC", "000000000000001"])
half_pairs = st.text(st.characters(categories=["Cs", "L"]), min_size=1, max_size=3)
long = st.sampled_from([1, 89, 100, 101, 128, 129, 190, 255, 256, 480, 481, 512, 513])
texts = st.one_of(
    st.text(max_size=20),
    long.map(lambda length: "x" * length),
    long.map(lambda length: "é" * length),
    half_pairs,
    salesforce,
    st.sampled_from(["", " ", "a,b", "yes", "12.50", "1e5", " 7 ", "\x00", "2024-02-30"]),
)
decimals = st.one_of(
    st.decimals(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.sampled_from(["1E+5", "1E-9", "-0.0", "NaN", "sNaN", "Infinity", "1E+999", "5.0"]).map(
        Decimal
    ),
    st.integers(390, 410).map(lambda digits: Decimal("1" * digits + ".5")),
)
moments = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds") + "Z"),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.from_regex(r"[0-9-]{10}T[0-9:.]{8}\.000000Z", fullmatch=True),
    st.dates().map(lambda day: day.isoformat()),
    st.sampled_from(
        [
            "2024-07-01T24:00:00.000000Z",
            "2024-07-01T10:00:60Z",
            "0000-01-01T00:00:00.000000Z",
            "2024-07-01t10:00:00Z",
            "2024-07-01 10:00:00.000000Z",
            "2024-07-01T10:00:00.500000Z ",
            "2024-07-01T10:00:00.000Z",
            "2024-W27-1T10:00:00.000000Z",
            "2024-07-01T1\u0660:00:00.000000Z",
            "2024-07-01T10:00:0\u0660.000000Z",
            "2024-07-01 10:00:00.000000Z",
            "20240701TT10:00:00.000000Z",
            "2024-07-01T100000.0.000000Z",
            "2024-07-01T1:0:00:0.000000Z",
        ]
    ),
)
plain = st.one_of(
    st.none(), st.booleans(), st.integers(), texts, decimals, moments, st.floats(width=32)
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
good_ids = st.text("abcXYZ019_-", min_size=1, max_size=20)
ids = st.one_of(good_ids, good_ids, st.text("aZ0_-@. +é", max_size=12), salesforce, values)
policies = st.builds(
    Policy,
    st.sampled_from(["skip", "clear", "reject"]),
    st.sampled_from(["reject", "truncate"]),
    st.sampled_from(["reject", "convert", "keep"]),
)
sources = st.sampled_from(
    [
        "any",
        "thing.a",
        "list.0",
        "{text}-{number}",
        {"constant": "always"},
        {"constant": ""},
        {"field": "text", "default": "none"},
        {"path": "thing.b", "default": 0},
        {"field": "day", "date_format": "%d/%m/%Y"},
        {"field": "number", "date_format": "epoch_ms"},
    ]
)


@st.composite
def mappings(draw: st.DrawFn) -> StreamMapping:
    object_ = draw(st.sampled_from(list(IDS)))
    fields = {name: draw(st.sampled_from(list(KINDS.values()))) for name in IDS[object_]}
    fields |= {name: {} for name in draw(st.sets(st.sampled_from(NAMED)))}
    entry: dict[str, Any] = {"stream": "s", "object": object_}
    if object_ != "activities":
        entry["attributes"] = draw(st.dictionaries(st.sampled_from(["A", "Key Contact"]), sources))
    spec = parse_mappings([entry], delivery="hub" if object_ == "collections" else "tracking")[0]
    return compile_mapping(
        spec,
        object_=object_,
        stream="s",
        schema={"properties": fields | KINDS, "additionalProperties": True},
        known=KNOWN,
    )


@st.composite
def records(draw: st.DrawFn, mapping: StreamMapping) -> dict[str, Any]:
    named = {column.name: draw(ids) for column in mapping.ids if draw(st.integers(0, 9))}
    others = {name: draw(values) for name in (*KINDS, *NAMED) if draw(st.booleans())}
    if draw(st.booleans()):
        # A row of the common kind, so that the quick look often has something to find.
        fitting = {
            "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
            "number": st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2),
            "moment": moments,
            "flag": st.booleans(),
        }
        named = {column.name: draw(good_ids) for column in mapping.ids}
        others = {name: draw(st.none() | kind) for name, kind in fitting.items()}
    return named | others


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


ACCOUNTS = compile_mapping(
    parse_mappings([{"stream": "s", "object": "accounts"}], delivery="tracking")[0],
    object_="accounts",
    stream="s",
    schema={"properties": {"account_id": {"type": "string"}} | KINDS},
    known=KNOWN,
)
COMMON = {
    "account_id": "acme-1",
    "text": "Größe",
    "number": Decimal("12.50"),
    "whole": 7,
    "flag": True,
    "day": "2024-07-01",
    "moment": "2024-07-01T10:00:00.000000Z",
    "thing": None,
}


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

TYPES = ["null", "boolean", "string", "integer", "number", "array", "object"]
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
loose = st.sets(st.sampled_from(TYPES), min_size=4).map(lambda names: {"type": sorted(names)})
common = st.one_of(
    st.none(),
    st.text("abc é", max_size=9),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.just("2024-07-01T10:00:00.000000Z"),
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
