"""Invented rows, mappings and policies: the common kind, and everything else that taps write."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.config import MappingConfig, parse_mappings
from target_totango.mapping.known_attributes import KnownAttributes
from target_totango.mapping.policy import POLICY_SETTINGS
from totango_api.search.attributes import DATE, NUMBER, TEXT, Attribute

if TYPE_CHECKING:
    from target_totango.mapping.compiler.stream_mapping import StreamMapping

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
ODD_MOMENTS = [
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
    "20240701TT10:00:00.000000Z",
    "2024-07-01T100000.0.000000Z",
    "2024-07-01T1:0:00:0.000000Z",
]
moments = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds") + "Z"),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.from_regex(r"[0-9-]{10}T[0-9:.]{8}\.000000Z", fullmatch=True),
    st.dates().map(lambda day: day.isoformat()),
    st.sampled_from(ODD_MOMENTS),
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
policies = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(setting["enum"])
        for name, setting in POLICY_SETTINGS.items()
        if "enum" in setting
    }
    | {
        "list_separator": st.sampled_from([",", ";", ", "]),
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    },
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
        {"field": "day", "date_format": ["%d/%m/%Y", "iso", "epoch_s"]},
        {"coalesce": ["text", "any", {"constant": "c"}], "lower": True, "strip": True},
    ]
)


@st.composite
def mappings(draw: st.DrawFn) -> StreamMapping:
    object_ = draw(st.sampled_from(list(IDS)))
    fields = {name: draw(st.sampled_from(list(KINDS.values()))) for name in IDS[object_]}
    fields |= {name: {} for name in draw(st.sets(st.sampled_from(NAMED)))}
    entry: dict[str, Any] = {"stream": "s", "object": object_, "unmapped": "include"}
    entry |= draw(policies)
    if object_ != "activities":
        entry["attributes"] = draw(st.dictionaries(st.sampled_from(["A", "Key Contact"]), sources))
    default = MappingConfig(delivery="hub" if object_ == "collections" else "tracking")
    return compile_mapping(
        parse_mappings([entry], default)[0],
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
        # A row of the common kind, so that many have no error.
        fitting = {
            "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
            "number": st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2),
            "moment": moments,
            "flag": st.booleans(),
        }
        named = {column.name: draw(good_ids) for column in mapping.ids}
        others = {name: draw(st.none() | kind) for name, kind in fitting.items()}
    return named | others


TYPES = ["null", "boolean", "string", "integer", "number", "array", "object"]
loose = st.sets(st.sampled_from(TYPES), min_size=4).map(lambda names: {"type": sorted(names)})
common = st.one_of(
    st.none(),
    st.text("abc é", max_size=9),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.just("2024-07-01T10:00:00.000000Z"),
)

ACCOUNTS = compile_mapping(
    MappingConfig(),
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
