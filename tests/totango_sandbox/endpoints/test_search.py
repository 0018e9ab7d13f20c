from __future__ import annotations

import json

import pytest


def account(account_id, name=None, last=None, **attributes):
    return {
        "account_id": account_id,
        "account_name": name or account_id,
        "last_activity_time": last,
        "attributes": attributes,
    }


def test_a_wrong_or_missing_token_is_a_401(sandbox):
    url, body = f"{sandbox.url}/api/v1/search/accounts", {"query": '{"terms":[],"fields":[]}'}
    for headers in ({}, {"app-token": "wrong"}, {"authorization": f"app-token {sandbox.token}"}):
        answer = sandbox.http.post(url, data=body, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "authentication_failed"


def test_a_token_may_hold_any_sign(start):
    token = "{bcrypt}$2a$10$abc./+@x"
    with start("--seed", "none", "--token", token) as sandbox:
        assert sandbox.token == token
        assert sandbox.search("accounts")["hits"] == []


def test_missing_terms_are_a_401(sandbox):
    answer = sandbox.http.post(
        f"{sandbox.url}/api/v1/search/accounts",
        data={"query": '{"fields":[]}'},
        headers={"app-token": sandbox.token},
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"fields": [{"type": "no_such_type"}]},
        {"fields": [{"type": "string_attribute"}]},
        {"terms": [{"type": "no_such_type", "eq": 1}]},
        {"terms": [{"type": "string_attribute", "attribute": "Plan", "like": "x"}]},
        {"terms": [{"type": "string_attribute", "attribute": "Plan"}]},
        {"terms": [{"type": "date_attribute", "attribute": "D", "gte": None}]},
        {"sort_by": "Plan"},
        {"offset": -1},
        {"fields": None},
    ],
)
def test_what_is_not_understood_is_a_failed_envelope(sandbox, query):
    answer = sandbox.post_search("accounts", **query)
    assert answer.status_code == 400
    assert answer.json()["status"] == "failed"
    assert answer.json()["_error"]
    sandbox.set(failed_status=200)
    assert sandbox.post_search("accounts", **query).status_code == 200


def test_a_query_that_is_not_json_is_a_failed_envelope(sandbox):
    for body in ({"query": "{"}, {"query": "[]"}, {}):
        answer = sandbox.http.post(
            f"{sandbox.url}/api/v1/search/users", data=body, headers={"app-token": sandbox.token}
        )
        assert (answer.status_code, answer.json()["status"]) == (400, "failed")


def test_a_json_body_holds_the_query_as_text(sandbox):
    sandbox.load(accounts=[account("a")])
    url, headers = f"{sandbox.url}/api/v1/search/accounts", {"app-token": sandbox.token}
    body = {"query": json.dumps({"terms": [], "fields": []})}
    answer = sandbox.http.post(url, json=body, headers=headers)
    assert answer.json()["response"]["accounts"]["total_hits"] == 1
    assert (
        sandbox.http.post(url, json=json.loads(body["query"]), headers=headers).status_code == 400
    )
    sandbox.set(json_body="off")
    assert sandbox.http.post(url, json=body, headers=headers).status_code == 400


def test_values_come_in_the_order_of_the_fields_and_with_their_json_types(sandbox):
    sandbox.load(
        attributes=[
            {"key_name": "D", "type": "date", "object": "accounts"},
            {"key_name": "M", "type": "multi_list", "object": "accounts"},
        ],
        accounts=[
            {
                "account_id": "a",
                "account_name": "A",
                "last_activity_time": 1_700_000_000_000,
                "health": "green",
                "health_prev": "red",
                "health_change": 1_690_000_000_000,
                "attributes": {
                    "Status": "Paying",
                    "Success Manager": "Dana Reed",
                    "N": 1.5,
                    "D": "2024-02-29",
                    "M": "x,y",
                    "Contract Value": 49000,
                },
            }
        ],
    )
    fields = [
        ({"type": "string", "term": "health"}, "green"),
        ({"type": "string", "term": "status"}, "Paying"),
        ({"type": "string", "term": "status_group"}, "paying"),
        ({"type": "string", "term": "identifier"}, "a"),
        ({"type": "number", "term": "contract_value"}, 49000),
        ({"type": "number_attribute", "attribute": "N"}, 1.5),
        ({"type": "string_attribute", "attribute": "N"}, "1.5"),
        ({"type": "date_attribute", "attribute": "D"}, 1_709_164_800_000),
        ({"type": "simple_date_attribute", "attribute": "D"}, "2024-02-29"),
        ({"type": "list_attribute", "attribute": "M"}, "x,y"),
        ({"type": "date", "term": "last_activity_time"}, 1_700_000_000_000),
        ({"type": "simple_date", "term": "simple_last_activity_time"}, "2023-11-14"),
        ({"type": "string_attribute", "attribute": "nobody wrote it"}, None),
        (
            {"type": "owner", "account_role": "Success Manager"},
            {"owner_value": "Dana Reed", "owner_tid_value": "dana.reed@sandbox.example"},
        ),
        (
            {"type": "health_trend"},
            {"health": "green", "health_prev": "red", "change_date": 1_690_000_000_000},
        ),
    ]
    hits = sandbox.search("accounts", fields=[field for field, _ in fields])["hits"]
    assert hits == [
        {
            "name": "a",
            "display_name": "A",
            "last_activity_time": 1_700_000_000_000,
            "selected_fields": [value for _, value in fields],
        }
    ]
    sandbox.set(multi_list="array", simple_dates="datetime")
    assert sandbox.column("accounts", {"type": "list_attribute", "attribute": "M"}) == [["x", "y"]]
    simple = {"type": "simple_date_attribute", "attribute": "D"}
    assert sandbox.column("accounts", simple) == ["2024-02-29T00:00:00.000Z"]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "number", "term": "score"},
        {"type": "number_metric", "metric": "m", "source": "userdef"},
        {"type": "number_metric_change", "metric": "m", "duration": 14},
        {"type": "named_aggregation", "aggregation": "unique_users", "duration": 14},
        {"type": "activity_aggregation", "activity": "Pay", "duration": 14},
        {"type": "health_score"},
        {"type": "health_dimension_score", "dimension": "d"},
        {
            "type": "lifecycle_attribute_stage_by_id_total_days",
            "attribute": "x",
            "stage": "y",
        },
    ],
)
def test_made_up_numbers_are_the_same_every_time(sandbox, field):
    sandbox.load_accounts(50)
    first = sandbox.column("accounts", field)
    assert first == sandbox.column("accounts", field)
    assert all(value is None or isinstance(value, int | float) for value in first)
    assert len({value for value in first if value is not None}) > 1


def test_users_know_their_account_and_its_fields(sandbox):
    sandbox.load(
        accounts=[account("a", "Acme", Status="Paying"), account("b", "Beta", Status="Free")],
        users=[
            {"account_id": "a", "user_id": "joe@x.com", "user_name": "Joe"},
            {"account_id": "b", "user_id": "joe@x.com", "user_name": "Joe"},
        ],
    )
    query = {"parent_account_fields": [{"type": "string", "term": "status", "index": 1}]}
    hits = sandbox.search("users", **query)["hits"]
    found = {hit["account"]["name"]: hit for hit in hits}
    assert {hit["name"] for hit in hits} == {"joe@x.com"}
    assert found["a"]["account"] == {
        "name": "a",
        "display_name": "Acme",
        "selected_fields": ["Paying"],
    }
    assert found["b"]["is_online"] is False
    sandbox.set(parent_fields="appended")
    appended = {tuple(hit["selected_fields"]) for hit in sandbox.search("users", **query)["hits"]}
    assert appended == {("Paying",), ("Free",)}
    parent = {
        "type": "parent_account",
        "terms": [{"type": "string", "term": "status_group", "eq": "free"}],
    }
    assert sandbox.search("users", terms=[parent])["hits"][0]["account"]["name"] == "b"


def test_team_switch_hides_rows_without_all_teams(sandbox):
    sandbox.load_accounts(60)
    sandbox.set(global_team="required")
    assert 0 < sandbox.search("accounts")["total_hits"] < 60
    for name in ("team_id", "teams_id"):
        answer = sandbox.post_search("accounts", form={name: "-1"})
        assert answer.json()["response"]["accounts"]["total_hits"] == 60


def test_double_decoding_is_off_until_switched_on(sandbox):
    sandbox.load(accounts=[account("a", "50% x+y")])
    term = {"type": "string", "term": "search_name", "eq": "50% x+y"}
    assert sandbox.names("accounts", terms=[term]) == ["a"]
    sandbox.set(double_decode="on")
    assert sandbox.names("accounts", terms=[term]) == []
