from __future__ import annotations

import pytest

FIELDS = {
    "health": {"type": "string", "term": "health"},
    "trend": {"type": "health_trend"},
    "score": {"type": "number", "term": "score"},
    "contract_value": {"type": "number", "term": "contract_value"},
    "status": {"type": "string", "term": "status"},
    "status_group": {"type": "string", "term": "status_group"},
    "last_touch": {"type": "last_touch_timestamp"},
    "owner": {"type": "owner", "account_role": "Success Manager"},
    "parent": {"type": "string_attribute", "attribute": "parent_id"},
    "product": {"type": "string_attribute", "attribute": "product_id"},
    "usage": {"type": "named_aggregation", "aggregation": "unique_users", "duration": 14},
}


@pytest.fixture
def account(sandbox):
    sandbox.load(
        accounts=[
            {
                "account_id": "a",
                "parent_id": "top",
                "product_id": "core",
                "health": "green",
                "health_prev": "red",
                "health_change": 5,
                "attributes": {
                    "Status": "Paying",
                    "Contract Value": 9.5,
                    "Success Manager": "Dana Reed",
                    "score": 71,
                },
            }
        ],
        staff=[{"staff_id": "dana@x.com", "staff_name": "Dana Reed"}],
    )
    return sandbox


def row(sandbox, **fields):
    (hit,) = sandbox.search("accounts", fields=list(fields.values()))["hits"]
    return dict(zip(fields, hit["selected_fields"], strict=True))


def test_columns_that_are_no_attributes(account):
    found = row(account, **FIELDS)
    assert found["health"] == "green"
    assert found["trend"] == {"health": "green", "health_prev": "red", "change_date": 5}
    assert (found["score"], found["contract_value"]) == (71, 9.5)
    assert (found["status"], found["status_group"]) == ("Paying", "paying")
    assert found["owner"] == {"owner_value": "Dana Reed", "owner_tid_value": "dana@x.com"}
    assert (found["parent"], found["product"]) == ("top", "core")
    assert found["usage"] is None or isinstance(found["usage"], int)


def test_the_name_is_a_column_and_the_id_where_there_is_none(account):
    name = {"type": "string", "term": "display_name"}
    assert account.column("accounts", name) == ["a"]
    account.load(accounts=[{"account_id": "a", "account_name": "Acme"}])
    assert account.column("accounts", name) == ["Acme"]


def test_an_owner_who_is_no_staff_has_an_address_too(account):
    account.load(accounts=[{"account_id": "a", "attributes": {"Success Manager": "Zoë X"}}])
    assert row(account, owner=FIELDS["owner"])["owner"] == {
        "owner_value": "Zoë X",
        "owner_tid_value": "zoë.x@sandbox.example",
    }


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("trend", "field.health_trend"),
        ("status_group", "field.string.status_group"),
        ("owner", "field.owner.Success Manager"),
        ("parent", "field.string_attribute.parent_id"),
        ("usage", "field.named_aggregation.unique_users"),
    ],
)
def test_each_column_can_be_refused_or_empty(account, name, switch):
    account.set(**{switch: "off"})
    answer = account.post_search("accounts", fields=[FIELDS[name]])
    assert answer.status_code == 400
    assert answer.json()["status"] == "failed"
    assert row(account, health=FIELDS["health"]) == {"health": "green"}
    account.set(failed_status=200)
    assert account.post_search("accounts", fields=[FIELDS[name]]).json()["status"] == "failed"
    account.set(**{switch: "null"})
    assert row(account, **{name: FIELDS[name]}) == {name: None}


def test_columns_of_the_account_are_for_users_too(account):
    account.load(users=[{"account_id": "a", "user_id": "u"}])
    (hit,) = account.search("users", fields=[FIELDS["owner"]])["hits"]
    assert hit["selected_fields"][0]["owner_value"] == "Dana Reed"
    account.set(**{"field.owner": "off"})
    answer = account.post_search("users", fields=[], parent_account_fields=[FIELDS["owner"]])
    assert answer.status_code == 400


def test_columns_that_accounts_alone_have(account):
    account.load(users=[{"account_id": "a", "user_id": "u"}])
    field = {"type": "string", "term": "health"}
    assert account.column("accounts", field) == ["green"]
    assert account.post_search("users", fields=[field]).status_code == 400


def test_products_and_what_nobody_ever_parsed(account):
    assert account.column("accounts", {"type": "products"}) == ["core"]
    assert account.column("accounts", {"type": "on_attention"}) == [None]


def test_the_date_of_creation_is_a_column(sandbox):
    sandbox.load(
        attributes=[{"key_name": "Create Date", "type": "date", "object": "accounts"}],
        accounts=[{"account_id": "a", "attributes": {"Create Date": "1970-01-02"}}],
    )
    assert sandbox.column("accounts", {"type": "date", "term": "create_date"}) == [86_400_000]
