"""Any JSON in any place of a hit makes a record that its schema admits, and nothing is lost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from singer_sdk.contrib.msgspec import serialize_jsonl
from tap_runs import strict

from tap_totango.records.builder import RecordBuilder
from tap_totango.schema.columns import Column, base_columns, columns_of_fields, schema_of
from tap_totango.schema.naming import KnownColumns, Naming, name_columns

FIELDS = [
    {"type": "string_attribute", "attribute": "Plan"},
    {"type": "number_attribute", "attribute": "Seats"},
    {"type": "date_attribute", "attribute": "Since"},
    {"type": "health_trend"},
    {"type": "owner", "account_role": "CSM"},
    {"type": "somethingnew", "field_display_name": "New"},
]
BASE = base_columns("users")
TAKEN = {column.name for column in BASE} | {"_extra"}


def named(fields: list[Any], parent_fields: list[Any]) -> tuple[Column, ...]:
    columns = columns_of_fields(fields, parent_fields)
    return tuple(name_columns(columns, Naming(), KnownColumns(), taken=TAKEN).columns)


def record_of(builder: RecordBuilder, hit: Any) -> dict[str, Any]:
    (record,) = builder.table([hit]).records()
    return record


COLUMNS = named(FIELDS, [FIELDS[0]])
ALL = (*BASE, *COLUMNS)
KEYS = ("account_id", "user_id")
VALIDATOR = strict(schema_of(ALL, keys=KEYS))
PLACES = {"plan": 0, "seats": 1, "since": 2, "new": 5}

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from([10**400, "9" * 5000, "2026-01-31", 1_763_000_000_000, "", " "])
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
accounts = st.fixed_dictionaries(
    {"name": st.text(min_size=1)},
    optional={"display_name": anything, "selected_fields": anything, "more": anything},
)
hits = st.fixed_dictionaries(
    {"name": st.text(min_size=1), "account": accounts},
    optional={
        "display_name": anything,
        "is_online": anything,
        "first_activity_time": anything,
        "last_activity_time": anything,
        "selected_fields": st.lists(anything, max_size=9) | anything,
        "new": anything,
        "Plan": anything,
    },
)


def as_sent(hit: Any) -> Any:
    """The hit as it comes over the wire."""
    return msgspec.json.Decoder(float_hook=Decimal).decode(json.dumps(hit))


def parts(value: Any) -> list[str]:
    """What a value is made of, each as JSON."""
    if isinstance(value, dict):
        return [part for inner in value.values() for part in parts(inner)]
    if isinstance(value, list):
        return [part for inner in value for part in parts(inner)]
    return [str(value).strip()]


@settings(deadline=None)
@given(hit=hits)
@example(hit={"name": "u", "account": {"name": "a"}, "selected_fields": [None] * 5 + [1e308]})
def test_schema_valid_and_nothing_lost(hit: dict[str, Any]) -> None:
    sent = as_sent(hit)
    record = record_of(RecordBuilder(ALL, base=BASE), sent)

    written = json.loads(bytes(serialize_jsonl(record)))
    faults = [fault.message for fault in VALIDATOR.iter_errors(written)]
    assert not faults
    extra = record["_extra"] or {}
    assert (record["account_id"], record["user_id"]) == (hit["account"]["name"], hit["name"])

    for column in BASE:
        raw: Any = sent
        for key in column.path:
            raw = raw.get(key)
        if record[column.name] is None:
            assert raw is None or is_blank(raw) or column.name in extra
    values = sent.get("selected_fields")
    if isinstance(values, list):
        for name, place in PLACES.items():
            raw = values[place] if place < len(values) else None
            if record[name] is None:
                assert raw is None or is_blank(raw) or name in extra
    for name in ("new", "Plan"):
        if name in hit:
            assert name in extra
    if "more" in hit["account"]:
        assert "account.more" in extra


def is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


@settings(deadline=None)
@given(values=st.lists(anything, max_size=10))
def test_every_part_of_every_value_is_somewhere(values: list[Any]) -> None:
    hit = as_sent({"name": "u", "account": {"name": "a"}, "selected_fields": values})
    columns = named([{"type": "somethingnew", "field_display_name": str(n)} for n in range(4)], [])
    record = record_of(RecordBuilder((*BASE, *columns), base=BASE), hit)
    found = parts(record)
    for part in parts(hit["selected_fields"]):
        assert part in found


def test_objects_are_taken_apart_and_what_is_left_is_kept() -> None:
    builder = RecordBuilder(ALL, base=BASE)
    trend = {"health": "green", "health_prev": "red", "change_date": 1_763_000_000_000, "why": "x"}
    owner = {"owner_value": "Dana Reed", "owner_tid_value": "dana@example.com", "team": "EMEA"}
    hit = {
        "name": "u",
        "account": {"name": "a"},
        "selected_fields": ["Pro", 5, None, trend, owner, None],
    }
    record = record_of(builder, hit)
    assert record["health_trend"] == "green"
    assert record["health_trend_previous"] == "red"
    assert record["health_trend_changed_at"] == "2025-11-13T02:13:20.000000Z"
    assert record["csm"] == "Dana Reed"
    assert record["csm_email"] == "dana@example.com"
    found = parts(record)
    assert "x" in found
    assert "EMEA" in found


def test_what_does_not_fit_is_counted() -> None:
    builder = RecordBuilder(ALL, base=BASE)
    for seats in ("many", 5, "6", None, [1]):
        record_of(
            builder,
            {"name": "u", "account": {"name": "a"}, "selected_fields": ["Pro", seats] + [None] * 4},
        )
    assert builder.conversion_errors["seats"] == 2


def test_columns_that_are_not_wanted_are_not_taken_for_unknown() -> None:
    wanted = [column for column in ALL if column.name in {*KEYS, "seats"}]
    hit = {
        "name": "u",
        "display_name": "U",
        "is_online": True,
        "last_activity_time": 5,
        "account": {"name": "a", "display_name": "A"},
        "selected_fields": [7],
    }
    record = record_of(RecordBuilder(wanted, base=BASE), hit)
    assert record == {"account_id": "a", "user_id": "u", "seats": 7, "_extra": None}


def test_vanished_columns_are_null() -> None:
    record = record_of(
        RecordBuilder(ALL, base=BASE, vanished=["gone"]), {"name": "u", "account": {"name": "a"}}
    )
    assert record["gone"] is None
