"""What is offered, what is asked for, and catalogs that are older than the service."""

from __future__ import annotations

from typing import Any

import pytest
from stub_totango import hits, ok


def definition(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"key_name": name, "type": kind, "object": "accounts", **more}


def account(**attributes: Any) -> dict[str, Any]:
    return {
        "account_id": "a-1",
        "account_name": "Acme",
        "last_activity_time": 1_763_000_000_000,
        "attributes": attributes,
    }


def test_every_attribute_is_offered_typed_titled_and_selectable(service, discover) -> None:
    service.load(
        attributes=[
            definition("Plan"),
            definition("plan"),
            definition("Seats", "numeric"),
            definition("Signed On", "date"),
            definition("Color", "list"),
        ]
    )
    found = discover().properties("accounts")
    assert {name: (one["type"], one.get("format"), one["title"]) for name, one in found.items()} | {
        "plan": (["string", "null"], None, "plan"),
        "plan_2": (["string", "null"], None, "Plan"),
        "seats": (["number", "null"], None, "Seats"),
        "signed_on": (["string", "null"], "date-time", "Signed On"),
        "color": (["string", "null"], None, "Color"),
    } == {name: (one["type"], one.get("format"), one["title"]) for name, one in found.items()}
    assert found["account_id"]["type"] == ["string"]
    assert found["_extra"]["type"] == ["object", "null"]


def test_original_names(service, discover) -> None:
    service.load(attributes=[definition("Plan"), definition("plan"), definition("Größe (m²)")])
    found = discover(column_names="original").properties("accounts")
    assert {"Plan", "plan_2", "Größe (m²)"} <= set(found)
    assert found["plan_2"]["title"] == "plan"


def test_streams_keys_and_defaults(service, discover) -> None:
    catalog = discover()
    found = {
        entry["tap_stream_id"]: (
            entry["key_properties"],
            entry.get("replication_method"),
            entry.get("replication_key"),
            catalog.metadata(entry["tap_stream_id"])["selected"],
        )
        for entry in catalog.document["streams"]
    }
    users = ["account_id", "user_id"]
    expected = {
        "accounts": (["account_id"], "INCREMENTAL", "last_activity_time", True),
        "users": (users, "INCREMENTAL", "last_activity_time", True),
        "events": (["event_id"], "INCREMENTAL", "timestamp", False),
        "attributes": (["object", "api_name"], "FULL_TABLE", None, False),
    }
    assert {name: found[name] for name in expected} == expected
    assert {name for name, (*_, selected) in found.items() if selected} == {"accounts", "users"}
    assert all(keys for keys, *_ in found.values())


@pytest.fixture
def asked(stub, tap, discover):
    """`asked(catalog, …)`: the fields of each search that the tap makes, by stream."""

    def answer(call):
        if "attributes" in call.path:
            return ok({"list": [definition("Plan"), definition("Seats", "numeric")]})
        stream = call.path.rsplit("/", 1)[-1]
        return ok(hits(stream, [], 0))

    server = stub(answer)

    def ask(change=lambda catalog: catalog, **settings: Any):
        config = server.config(discover_attributes=True, **settings)
        catalog = change(discover(config=config))
        server.asked.clear()
        ran = tap(config=config, catalog=catalog).ok()
        fields = {
            call.path.rsplit("/", 1)[-1]: call.query["fields"]
            for call in server.asked
            if call.method == "POST"
        }
        return ran, fields

    return ask


def test_all_columns_are_asked_for_by_default(asked) -> None:
    _, fields = asked()
    asked_for = [one.get("attribute", one["type"]) for one in fields["accounts"]]
    assert asked_for[:5] == ["Plan", "Seats", "string", "health_trend", "number"]
    assert "named_aggregation" not in asked_for


def test_only_selected_columns_are_asked_for(asked) -> None:
    ran, fields = asked(lambda catalog: catalog.select("accounts", only=("seats",)))
    assert [one["attribute"] for one in fields["accounts"]] == ["Seats"]
    assert "plan" not in ran.schema("accounts")["properties"]


def test_deselected_streams_cost_no_call(asked) -> None:
    ran, fields = asked(lambda catalog: catalog.deselect("users"))
    assert set(fields) == {"accounts"}
    assert {message["stream"] for message in ran.of("SCHEMA")} == {"accounts"}


def test_a_replication_key_that_is_not_selected_still_moves_the_bookmark(
    service, tap, discover
) -> None:
    service.load(
        attributes=[definition("Signed On", "date")],
        accounts=[account(**{"Signed On": "2025-02-03"})],
    )
    catalog = discover().select("accounts", only=("account_name",))
    catalog.metadata("accounts")["replication-key"] = "signed_on"
    catalog.stream("accounts")["replication_key"] = "signed_on"
    ran = tap(catalog=catalog).ok()
    assert ran.value("accounts") == "2025-02-03T00:00:00.000000Z"
    (record,) = ran.records("accounts")
    assert record["account_name"] == "Acme"


def test_deselected_base_columns_are_left_out_and_keys_never(service, tap, discover) -> None:
    service.load(accounts=[account(Plan="Pro")])
    catalog = discover().select("accounts", only=("plan",))
    (record,) = tap(catalog=catalog).ok().records("accounts")
    assert set(record) <= {"account_id", "plan", "last_activity_time"}
    assert record["account_id"] == "a-1"
    assert record["plan"] == "Pro"


def test_an_attribute_that_is_new_is_named_and_not_read(service, tap, discover) -> None:
    service.load(accounts=[account(Plan="Pro")])
    catalog = discover()
    service.load(accounts=[account(Plan="Pro", Tier="Gold")])
    ran = tap(catalog=catalog).ok()
    (record,) = ran.records("accounts")
    assert "tier" not in record
    assert record["_extra"] is None
    assert "not in the catalog" in ran.said
    assert "tier" in ran.said


def test_an_attribute_that_vanished_is_null_and_said_once(service, tap, discover) -> None:
    service.load(accounts=[account(Plan="Pro", Tier="Gold")])
    catalog = discover()
    service.reset()
    service.load(accounts=[account(Plan="Pro"), {**account(Plan="Free"), "account_id": "a-2"}])
    ran = tap(catalog=catalog).ok()
    assert [record["tier"] for record in ran.records("accounts")] == [None, None]
    assert ran.said.count("are null: tier") == 1


def test_a_column_stays_that_of_its_attribute_when_another_would_take_its_name(
    service, tap, discover
) -> None:
    service.load(accounts=[{"account_id": "a", "attributes": {"Old Plan": "gold"}}])
    catalog = discover()
    service.load(accounts=[{"account_id": "a", "attributes": {"old_plan": "lower"}}])
    ran = tap(catalog=catalog).ok()
    assert [record["old_plan"] for record in ran.records("accounts")] == ["gold"]
    assert "1 column not in the catalog, and not read: old_plan_2" in ran.said


def test_a_type_that_changed_since_fits_the_catalog(service, tap, discover) -> None:
    service.load(accounts=[{"account_id": "a", "attributes": {"Odd": 12}}])
    catalog = discover()
    schema = catalog.properties("accounts")["odd"]
    schema["type"] = ["string", "null"]
    record = tap(catalog=catalog).ok().records("accounts")[0]
    assert record["odd"] == "12"


def test_keys_stay_and_values_may_be_missing_whatever_a_catalog_says(
    service, tap, discover
) -> None:
    service.load(accounts=[account(Plan="Pro"), {"account_id": "a-2"}])
    catalog = discover()
    properties = catalog.properties("accounts")
    del properties["account_id"]
    properties["plan"] = {"type": "string"}
    ran = tap(catalog=catalog).ok()
    written = ran.schema("accounts")["properties"]
    assert written["account_id"]["type"] == ["string"]
    assert written["plan"]["type"] == ["string", "null"]
    assert "plan" not in ran.said
    assert ran.keys("accounts") == [("a-1",), ("a-2",)]
    assert [one["plan"] for one in ran.records("accounts")] == ["Pro", None]


def test_unknown_streams(service, tap, discover) -> None:
    catalog = discover()
    stranger = {
        **catalog.stream("users"),
        "tap_stream_id": "invoices",
        "stream": "invoices",
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
    }
    streams = sorted(one["tap_stream_id"] for one in catalog.document["streams"])
    catalog.document["streams"].append(stranger)
    tap(catalog=catalog).failed("invoices", ", ".join(streams))
    stranger["metadata"][0]["metadata"]["selected"] = False
    tap(catalog=catalog).ok()


@pytest.mark.parametrize(
    "entry",
    [
        {"tap_stream_id": "accounts"},
        {"tap_stream_id": "accounts", "schema": 7, "metadata": []},
        {"tap_stream_id": "accounts", "schema": {}, "metadata": "x"},
        {"stream": "accounts", "schema": {"properties": {}}},
        7,
    ],
)
def test_a_catalog_of_the_wrong_shape(service, tap, discover, entry: Any) -> None:
    catalog = discover()
    catalog.document["streams"] = [entry]
    tap(catalog=catalog).failed("catalog")


@pytest.mark.parametrize("switch", ["off", "odd"])
def test_without_definitions_the_core_attributes_are_offered(
    service, discover, tap, switch
) -> None:
    service.set(attributes_json=switch)
    service.load(accounts=[account(Plan="Pro")])
    properties = discover().properties("accounts")
    assert {"contract_value", "plan", "status"} <= set(properties)
    ran = tap().ok()
    assert ran.records("accounts")[0]["plan"] == "Pro"
    assert "Only the core attributes are read" in ran.said
    assert "Check app_token" not in ran.said


def test_core_attributes_called_as_computed_columns_are_read_after_their_discovery(
    service, tap, discover
) -> None:
    catalog = discover(discover_attributes=False)
    ran = tap(catalog=catalog, discover_attributes=False).ok()
    assert {"status", "contract_value"} <= ran.schema("accounts")["properties"].keys()
    assert "columns are not in the catalog" not in ran.said
    assert "columns of the catalog" not in ran.said


def test_discovery_can_be_switched_off(service, tap) -> None:
    tap(discover_attributes=False).ok()
    assert not service.calls("attributes")


def test_the_fields_of_a_pasted_query_are_the_columns(service, tap) -> None:
    service.load(accounts=[account(Plan="Pro", **{"Success Manager": "Dana Reed"})])
    query = {
        "terms": [],
        "fields": [
            {"type": "string_attribute", "attribute": "Plan", "field_display_name": "The Plan"},
            {"type": "owner", "account_role": "Success Manager", "field_display_name": "CSM"},
            {"type": "health_trend", "field_display_name": "Health"},
            {"type": "string", "term": "status"},
            {"type": "health_reason", "field_display_name": "Who knows"},
        ],
    }
    users_query = "query=%7B%22terms%22%3A%5B%5D%7D"
    added = tap(accounts_query=query, users_query=users_query).ok().records("accounts")[0]
    assert added["the_plan"] == added["csm"].replace("Dana Reed", "Pro") == "Pro"
    assert {"score", "status_group", "success_manager_owner"} <= added.keys()
    ran = tap(accounts_query=query, users_query=users_query, query_fields="replace").ok()
    base = {"account_id", "account_name", "last_activity_time", "_extra"}
    assert set(ran.schema("accounts")["properties"]) - base == {
        "the_plan",
        "csm",
        "csm_email",
        "health",
        "health_previous",
        "health_changed_at",
        "status",
        "who_knows",
    }
    (record,) = ran.records("accounts")
    assert record["the_plan"] == "Pro"
    assert record["csm"] == "Dana Reed"


@pytest.mark.parametrize("where", ["account", "appended", "none"])
def test_columns_of_the_users_account(service, tap, where: str) -> None:
    service.set(parent_fields=where)
    service.load(
        accounts=[account(Plan="Pro")],
        users=[
            {
                "account_id": "a-1",
                "user_id": "u@example.com",
                "user_name": "U",
                "attributes": {"Role": "Boss"},
            }
        ],
    )
    query = {
        "terms": [],
        "fields": [{"type": "string_attribute", "attribute": "Role"}],
        "parent_account_fields": [
            {"type": "string_attribute", "attribute": "Plan", "index": 3},
        ],
    }
    ran = tap(users_query=query).ok()
    (record,) = ran.records("users")
    assert record["role"] == "Boss"
    assert record["account_plan"] == (None if where == "none" else "Pro")


def test_a_pasted_query_that_is_wrong_is_refused_before_any_call(service, tap) -> None:
    tap(accounts_query='{"terms": [{"term": "health"}]}').failed("accounts_query", "terms[0]")
    assert not service.dump("calls")
