"""Mappings: what they may say, what they find by themselves, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.config import Settings
from target_totango.mapping.auto import KnownAttributes, is_computed, recognise
from target_totango.mapping.compiler import StreamMapping, compile_mapping
from target_totango.mapping.config import MappingConfig, parse_mappings
from target_totango.mapping.expressions import MISSING, path_source, template_source
from totango_api.errors import InputError, SettingsError
from totango_api.search.attributes import Attribute

# What the setting may say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("accounts", "not an object"),
        ({"object": "accounts"}, "stream is missing"),
        ({"stream": "a", "acount_id": "x"}, "unknown key 'acount_id'"),
        ({"stream": "a", "object": "account"}, "object is one of accounts, users"),
        ({"stream": "a", "unmapped": "keep"}, "unmapped is one of include, drop"),
        ({"stream": "a", "delivery": "pigeon"}, "delivery is one of tracking, hub"),
        ({"stream": "a", "account_id": 5}, "account_id: a source is a field"),
        ({"stream": "a", "account_id": "{id"}, "account_id: "),
        ({"stream": "a", "account_id": "{}"}, "exactly one field name"),
        ({"stream": "a", "account_id": "{id!r}"}, "exactly one field name"),
        ({"stream": "a", "attributes": ["x"]}, "attributes is an object"),
        ({"stream": "a", "attributes": {"P": {"field": "x", "constant": 1}}}, "exactly one of"),
        ({"stream": "a", "attributes": {"P": {"feild": "x"}}}, "unknown key 'feild'"),
        ({"stream": "a", "attributes": {"P": {"field": 5}}}, "field is text"),
        (
            {"stream": "a", "attributes": {"P": {"field": "x", "date_format": "dd/mm"}}},
            "date_format 'dd/mm'",
        ),
    ],
)
def test_what_a_mapping_may_not_say(entry: Any, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_mappings([{"stream": "fine"}, entry], delivery="tracking")
    assert "mappings[1]" in str(caught.value)
    assert words in str(caught.value)


def test_every_problem_of_every_mapping_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_mappings([{"x": 1}, {"stream": "a", "y": 2, "z": 3}], delivery="tracking")
    for words in ("'x'", "stream is missing", "'y'", "'z'"):
        assert words in str(caught.value)


def test_an_exact_name_goes_before_a_glob_and_globs_go_in_order() -> None:
    settings = Settings.from_config(
        {
            "mappings": [
                {"stream": "crm-*", "object": "accounts"},
                {"stream": "*", "object": "users"},
                {"stream": "crm-people", "object": "activities"},
            ]
        }
    )
    streams = ("crm-people", "crm-firms", "else", "Crm-firms")
    assert [settings.mapping_for(stream).object for stream in streams] == [
        "activities",
        "accounts",
        "users",
        "users",
    ]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"skip_unchanged": True}, "skip_unchanged needs ledger_path"),
        ({"verify": "all"}, "verify: all needs app_token"),
        ({"sync_mode": "update_only"}, "sync_mode: update_only needs app_token"),
        ({"hard_delete": True}, "hard_delete needs app_token"),
        ({"delivery": "hub"}, "delivery: hub needs app_token"),
        ({"mappings": [{"stream": "a", "delivery": "hub"}]}, "delivery: hub needs app_token"),
    ],
)
def test_settings_that_need_another(config: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings.from_config(config)


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        ({}, 100),
        ({"batch_size_rows": 7}, 7),
        ({"hub_batch_size": 100, "batch_size_rows": 7}, 7),
        ({"hub_batch_size": 9, "batch_size_rows": 7}, 9),
    ],
)
def test_the_sdk_name_of_the_batch_size_counts_where_ours_is_left_alone(
    config: dict[str, Any], rows: int
) -> None:
    assert Settings.from_config(config).hub_batch_size == rows


# Sources ---------------------------------------------------------------------------------------

RECORD = {
    "Owner": {"Name": "Dana", "Mail": None},
    "a.b": "exact",
    "a": {"b": "nested"},
    "lines": [{"sku": "x"}],
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Owner.Name", "Dana"),
        ("Owner.Mail", None),
        ("Owner.Phone", MISSING),
        ("a.b", "exact"),
        ("lines.0.sku", "x"),
        ("lines.1.sku", MISSING),
        ("none.deeper", None),
        ("nowhere", MISSING),
        ("nowhere.deeper", MISSING),
    ],
)
def test_paths(path: str, value: Any) -> None:
    assert path_source(path).read(RECORD) == value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{Owner.Name}_{a.b}", "Dana_exact"),
        ("{{{Owner.Name}}}", "{Dana}"),
        ("{Owner.Name}_{none}", None),
        ("{nowhere}", None),
    ],
)
def test_templates(template: str, text: str | None) -> None:
    assert template_source(template).read(RECORD) == text


plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"))


@given(plain, plain, st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_template_puts_any_value_between_any_texts(before: str, after: str, value: str) -> None:
    source = template_source(f"{before}{{x}}{after}")
    assert source.read({"x": value}) == f"{before}{value}{after}"


# Recognition -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "fields", "keys", "object_"),
    [
        ("accounts", ["x"], [], "accounts"),
        ("public-users", [], [], "users"),
        ("crm.ACTIVITIES", [], [], "activities"),
        ("firms", ["account_id", "name"], [], "accounts"),
        ("firms", ["Account ID", "name"], [], "accounts"),
        ("people", ["account_id", "user_id"], [], "users"),
        ("clicks", ["account_id", "user_id", "activity", "module"], [], "activities"),
        ("tickets", ["account_id", "collection_type", "collection_id"], [], "collections"),
        # Companies have an e-mail address as well as people: only the key tells.
        ("things", ["account_id", "email"], ["account_id"], "accounts"),
        ("things", ["account_id", "email"], ["account_id", "email"], "users"),
        ("things", ["account_id", "email"], ["id"], None),
        ("inactive_users", ["id"], ["id"], None),
        ("invoices", ["user_id"], [], None),
    ],
)
def test_streams_are_recognised(
    stream: str, fields: list[str], keys: list[str], object_: str | None
) -> None:
    assert recognise(stream, fields, keys) == object_


@pytest.mark.parametrize("name", ["_sdc_batched_at", "health", "health_trend", "_extra", "score"])
def test_computed_columns(name: str) -> None:
    assert is_computed(name, {})
    assert not is_computed(f"my_{name}", {})


KNOWN = KnownAttributes.of(
    [
        Attribute("accounts", "Renewal Risk", "text"),
        Attribute("accounts", "Plan", "text"),
        Attribute("accounts", "plan", "text"),
        Attribute("accounts", "Größe", "text"),
    ]
)


@pytest.mark.parametrize(
    ("column", "title", "api_name"),
    [
        ("renewal_risk", None, "Renewal Risk"),
        ("RenewalRisk", None, "Renewal Risk"),
        ("contract_value", None, "Contract Value"),
        ("plan", None, "plan"),
        ("Plan", None, "Plan"),
        ("PLAN", None, "PLAN"),  # two have that snake form: it is neither
        ("plan_2", "Plan", "Plan"),
        ("grosse", "Größe", "Größe"),
        ("renewal_risk", "How likely they leave", "Renewal Risk"),
        ("brand_new", None, "brand_new"),
    ],
)
def test_fields_find_their_attribute(column: str, title: str | None, api_name: str) -> None:
    assert KNOWN.api_name_for("accounts", column, title) == api_name


# Compilation -----------------------------------------------------------------------------------


def compiled(entry: dict[str, Any], object_: str, *fields: str, **typed: Any) -> StreamMapping:
    spec = parse_mappings([{"stream": "s", **entry}], delivery="tracking")[0]
    properties: dict[str, Any] = {name: {} for name in fields} | typed
    return compile_mapping(
        spec, object_=object_, stream="s", schema={"properties": properties}, known=KNOWN
    )


def test_an_email_is_the_user_id_and_stays_an_attribute() -> None:
    mapping = compiled({}, "users", "account_id", "Email")
    assert [column.source.label for column in mapping.ids] == ["account_id", "Email"]
    assert [column.api_name for column in mapping.columns] == ["Email"]


def test_a_field_that_a_path_looks_into_is_not_written_whole() -> None:
    mapping = compiled({"attributes": {"CSM": "Owner.Name"}}, "accounts", "account_id", "Owner")
    assert [column.api_name for column in mapping.columns] == ["CSM"]


def test_the_parts_of_a_template_may_be_attributes_too() -> None:
    entry = {"account_id": "{account_id}_{product_id}"}
    mapping = compiled(entry, "accounts", "account_id", "product_id")
    assert [column.api_name for column in mapping.columns] == ["product_id"]


@pytest.mark.parametrize(
    ("entry", "object_", "fields", "words"),
    [
        ({}, "accounts", ["name"], "account_id is missing"),
        ({"account_id": "Idd"}, "accounts", ["Id"], "no field 'Idd'"),
        ({"recency_field": "at"}, "accounts", ["account_id"], "recency_field"),
        ({"attributes": {"P": "x.y"}}, "accounts", ["account_id"], "no field 'x'"),
        ({}, "accounts", ["account_id", "Renewal Risk", "renewal_risk"], "both go to"),
        ({}, "activities", ["account_id", "user_id", "activity"], "module is missing"),
        ({}, "collections", ["account_id", "collection_id"], "delivery: hub"),
        (
            {"delivery": "hub", "account_name": "n"},
            "users",
            ["account_id", "user_id", "n"],
            "cannot travel",
        ),
    ],
)
def test_what_cannot_be_compiled(
    entry: dict[str, Any], object_: str, fields: list[str], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        compiled(entry, object_, *fields)
    assert words in str(caught.value)


def test_a_schema_that_leaves_fields_open_lets_any_field_be_mapped() -> None:
    spec = MappingConfig(
        sources=parse_mappings([{"stream": "s", "account_id": "later"}], delivery="tracking")[
            0
        ].sources
    )
    for schema in ({}, {"properties": {"x": {}}, "additionalProperties": True}):
        mapping = compile_mapping(spec, object_="accounts", stream="s", schema=schema, known=KNOWN)
        assert mapping.ids[0].source.label == "later"


def test_new_attributes_are_named() -> None:
    mapping = compiled({}, "accounts", "account_id", "plan", "odd", "account_name")
    assert mapping.new == ("odd",)
