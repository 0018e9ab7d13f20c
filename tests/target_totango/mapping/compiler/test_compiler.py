"""Mappings: what they may say, what they find by themselves, and what they refuse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from transformed import transform

from target_totango.config import Settings
from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.compiler.auto import is_computed, recognise
from target_totango.mapping.config import MappingConfig, mappings_of, parse_mappings
from target_totango.mapping.known_attributes import KnownAttributes
from target_totango.mapping.transform import Transformer
from totango_api.errors import InputError, SettingsError
from totango_api.search.attributes import Attribute

if TYPE_CHECKING:
    from target_totango.mapping.compiler.stream_mapping import StreamMapping

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
        parse_mappings([{"stream": "fine"}, entry], MappingConfig())
    assert "mappings[1]" in str(caught.value)
    assert words in str(caught.value)


def test_every_problem_of_every_mapping_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_mappings([{"x": 1}, {"stream": "a", "y": 2, "z": 3}], MappingConfig())
    for words in ("'x'", "stream is missing", "'y'", "'z'"):
        assert words in str(caught.value)


def objects_for(stream: str, *entries: dict[str, Any]) -> list[str | None]:
    mappings = parse_mappings(list(entries), MappingConfig())
    return [mapping.object for mapping in mappings_of(stream, mappings)]


def test_all_entries_with_the_name_of_a_stream_count_and_go_before_globs() -> None:
    entries = [
        {"stream": "crm-*", "object": "activities"},
        {"stream": "crm-people", "object": "users"},
        {"stream": "crm-people", "object": "accounts"},
    ]
    assert objects_for("crm-people", *entries) == ["users", "accounts"]
    assert objects_for("crm-clicks", *entries) == ["activities"]
    assert objects_for("Crm-people", *entries) == []


def test_all_entries_with_one_glob_count() -> None:
    entries = [{"stream": "crm-*", "object": name} for name in ("users", "accounts")]
    assert objects_for("crm-people", *entries) == ["users", "accounts"]


def test_overlapping_globs_are_refused_unless_each_has_an_order() -> None:
    crm, every = {"stream": "crm-*", "object": "accounts"}, {"stream": "*", "object": "users"}
    for entries in ((crm, every), (crm | {"order": 1}, every), (crm, every | {"order": 1})):
        assert objects_for("other", *entries) == ["users"]
        with pytest.raises(SettingsError) as caught:
            objects_for("crm-x", *entries)
        assert "'crm-*', '*'" in str(caught.value)
    assert objects_for("crm-x", every | {"order": 2}, crm | {"order": 1}) == ["accounts"]
    assert objects_for("crm-x", every | {"order": 1}, crm | {"order": 1}) == ["users", "accounts"]


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
        ("events", ["event_id", "account_id", "timestamp"], ["event_id"], None),
        ("clicks", ["event_id", "account_id", "user_id"], ["event_id"], None),
        ("clicks", ["account_id", "user_id", "activity", "module"], ["event_id"], "activities"),
    ],
)
def test_streams_are_recognised(
    stream: str, fields: list[str], keys: list[str], object_: str | None
) -> None:
    assert recognise(stream, fields, keys) == object_


@pytest.mark.parametrize("name", ["health", "health_trend", "_extra", "score"])
def test_computed_columns(name: str) -> None:
    assert is_computed(name)
    assert not is_computed(f"my_{name}")


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
    spec = parse_mappings([{"stream": "s", **entry}], MappingConfig())[0]
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
        ({"attributes": {"P": "x.y"}}, "accounts", ["account_id"], "no field 'x.y'"),
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
        sources=parse_mappings([{"stream": "s", "account_id": "later"}], MappingConfig())[0].sources
    )
    for schema in ({}, {"properties": {"x": {}}, "additionalProperties": True}):
        mapping = compile_mapping(spec, object_="accounts", stream="s", schema=schema, known=KNOWN)
        assert mapping.ids[0].source.label == "later"


def test_new_attributes_are_named() -> None:
    mapping = compiled({}, "accounts", "account_id", "plan", "odd", "account_name")
    assert mapping.new == ("odd",)


def api_names(mapping: StreamMapping) -> list[str]:
    return [column.api_name for column in mapping.columns]


def test_unmapped_fields_are_dropped_where_attributes_are_mapped() -> None:
    fields = ("account_id", "account_name", "plan_name", "odd")
    attributes = {"attributes": {"Plan": "plan_name"}}
    assert api_names(compiled({}, "accounts", *fields)) == ["account_name", "plan_name", "odd"]
    dropped = compiled(attributes, "accounts", *fields)
    assert api_names(dropped) == ["account_name", "Plan"]
    assert dropped.left_out == ("odd",)
    included = compiled(attributes | {"unmapped": "include"}, "accounts", *fields)
    assert api_names(included) == ["account_name", "Plan", "odd"]
    assert api_names(compiled(attributes | {"unmapped": "drop"}, "accounts", *fields)) == ["Plan"]


@pytest.mark.parametrize(
    "name",
    [
        *("_sdc_batched_at", "_fivetran_synced", "_FIVETRAN_DELETED", "_airbyte_raw_id"),
        *("_dlt_id", "_dlt_load_id", "_dbt_source_relation", "dbt_valid_from", "_ab_cdc_lsn"),
    ],
)
def test_columns_that_loaders_add_never_become_attributes_by_themselves(name: str) -> None:
    assert api_names(compiled({}, "accounts", "account_id", name)) == []
    mapping = compiled({"attributes": {"Loaded": name}}, "accounts", "account_id", name)
    assert api_names(mapping) == ["Loaded"]


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        (["name"], "name"),
        (["Name"], "Name"),
        (["displayName"], "displayName"),
        (["Company Name"], "Company Name"),
        (["company_name", "name"], "name"),
        (["name", "account_name"], "account_name"),
    ],
)
def test_what_an_account_is_called(fields: list[str], source: str) -> None:
    mapping = compiled({}, "accounts", "account_id", *fields)
    named = [column for column in mapping.columns if column.api_name == "account_name"]
    assert [column.source.label for column in named] == [source]
    assert named[0].limit == 128


def test_a_name_that_is_mapped_to_an_attribute_does_not_name_the_account_too() -> None:
    mapping = compiled({"attributes": {"Brand": "name"}}, "accounts", "account_id", "name")
    assert api_names(mapping) == ["Brand"]


def test_what_a_user_is_called() -> None:
    for field in ("name", "full_name", "user_name", "display_name"):
        assert api_names(compiled({}, "users", "account_id", "user_id", field)) == ["name"]


INTEGER = {"type": ["integer", "null"]}
DATE_TIME = {"type": ["string", "null"], "format": "date-time"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_any_of_means_the_same_as_a_list_of_types(wrapped: bool) -> None:
    def alike(schema: dict[str, Any]) -> dict[str, Any]:
        return {"anyOf": [schema, {"type": "null"}]} if wrapped else schema

    mapping = compiled(
        {},
        "accounts",
        account_id=alike(INTEGER),
        seen=alike(DATE_TIME),
        info=alike({"type": ["object", "null"]}),
    )
    assert mapping.ids[0].is_whole
    assert mapping.columns[0].convert("2024-07-01T12:00:00+02:00") == "2024-07-01T10:00:00Z"
    assert mapping.nested == ("info",)


def test_a_path_that_the_schema_does_not_hold_is_refused() -> None:
    plan = {"type": ["object", "null"], "properties": {"name": {"type": "string"}}}
    for entry in (
        {"attributes": {"Plan": "plan.nmae"}},
        {"attributes": {"Plan": "{plan.nmae} x"}},
        {"attributes": {"Plan": {"coalesce": ["plan.name", "plan.nmae"]}}},
        {"account_name": "plan.nmae"},
        {"recency_field": "plan.nmae"},
    ):
        with pytest.raises(InputError, match=r"no field 'plan\.nmae'"):
            compiled(entry, "accounts", "account_id", plan=plan)
    mapping = compiled({"attributes": {"Plan": "plan.name"}}, "accounts", "account_id", plan=plan)
    assert api_names(mapping) == ["Plan"]


def test_attributes_that_nobody_was_asked_about_are_told_from_new_ones() -> None:
    schema = {"properties": {name: {} for name in ("account_id", "name", "plan", "odd_one")}}
    compiled_ = [
        compile_mapping(MappingConfig(), object_="accounts", stream="s", schema=schema, known=known)
        for known in (KNOWN, KnownAttributes.of())
    ]
    assert [mapping.new for mapping in compiled_] == [("odd_one",), ()]
    assert [mapping.guessed for mapping in compiled_] == [(), ("odd_one",)]


@pytest.mark.parametrize(
    ("declared", "kind", "text"),
    [
        ("date", "date", "2024-07-01"),
        ("datetime", "date", "2024-06-30T22:00:00Z"),
        ("timestamp", "date", "2024-06-30T22:00:00Z"),
        ("simple_date", "text", "2024-07-01"),
        ("text", "text", "2024-07-01T00:00:00+02:00"),
    ],
)
def test_what_an_attribute_keeps_of_a_moment(declared: str, kind: str, text: str) -> None:
    known = KnownAttributes.of([Attribute("accounts", "D", kind, declared)])
    mapping = compile_mapping(
        MappingConfig(),
        object_="accounts",
        stream="s",
        schema={"properties": {"account_id": {}, "D": DATE_TIME}},
        known=known,
    )
    assert mapping.columns[0].convert("2024-07-01T00:00:00+02:00") == text


def test_a_field_of_days_gives_days() -> None:
    mapping = compiled({}, "accounts", "account_id", day={"type": "string", "format": "date"})
    assert mapping.columns[0].convert("2024-07-01T00:00:00+02:00") == "2024-07-01"


# What holds for one mapping --------------------------------------------------------------------


def test_a_mapping_has_the_policies_of_the_settings_or_its_own() -> None:
    settings = Settings.from_config(
        {
            "app_token": "t",
            "ledger_path": "x",
            "null_policy": "clear",
            "time_zone": "Europe/Berlin",
            "verify": "sample",
            "mappings": [
                {"stream": "a", "null_policy": "reject", "verify": "off", "skip_unchanged": True},
                {"stream": "b", "sync_mode": "update_only", "time_zone": "UTC"},
            ],
        }
    )
    first, second = settings.mappings
    assert (first.policy.null_policy, second.policy.null_policy) == ("reject", "clear")
    assert (first.policy.time_zone, second.policy.time_zone) == ("Europe/Berlin", "UTC")
    assert (first.options.verify, second.options.verify) == ("off", "sample")
    assert (first.options.skip_unchanged, second.options.skip_unchanged) == (True, False)
    assert (first.options.sync_mode, second.options.sync_mode) == ("upsert", "update_only")
    assert settings.default_mapping.policy.null_policy == "clear"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"null_policy": "drop"}, "null_policy is one of skip, clear, reject"),
        ({"skip_unchanged": "yes"}, "skip_unchanged is not a boolean"),
        ({"max_activity_age_days": 0}, "max_activity_age_days is not a number"),
        ({"list_separator": ""}, "list_separator is not a string"),
        ({"time_zone": "Mars"}, "time_zone 'Mars'"),
        ({"order": "first"}, "order is a whole number"),
        ({"order": True}, "order is a whole number"),
    ],
)
def test_policies_that_a_mapping_may_not_have(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_mappings([{"stream": "a", **entry}], MappingConfig())
    assert words in str(caught.value)


def test_a_time_zone_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(SettingsError, match="time_zone 'Mars'"):
        Settings.from_config({"time_zone": "Mars"})


@pytest.mark.parametrize(
    ("entry", "text", "changes"),
    [
        ({}, None, {"incomplete": 1}),
        ({"incomplete_templates": "fill"}, "Bob", {"incomplete": 1}),
    ],
)
def test_incomplete_templates(entry: dict[str, Any], text: str | None, changes: Any) -> None:
    entry = entry | {"user_name": "{first} {last}", "unmapped": "drop"}
    mapping = compiled(entry, "users", "account_id", "user_id", "first", "last")
    of_record = partial(transform, Transformer(mapping))
    ids = {"account_id": "a", "user_id": "u"}
    result = of_record(ids | {"first": "Bob", "last": None})
    assert (result.request.user.get("name"), result.changes) == (text, changes)
    assert of_record(ids | {"first": "Bob", "last": "E"}).changes == {}


def test_an_attribute_that_is_mapped_is_not_taken_from_the_field_of_its_name_too() -> None:
    entry = {"attributes": {"Plan": "tier"}, "unmapped": "include"}
    mapping = compiled(entry, "accounts", "account_id", "tier", "Plan", "Status")
    found = {column.api_name: column.source.label for column in mapping.columns}
    assert found == {"Plan": "tier", "Status": "Status"}
