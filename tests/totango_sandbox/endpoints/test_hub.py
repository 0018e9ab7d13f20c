from __future__ import annotations

import pytest


def test_a_batch_of_accounts(sandbox):
    rows = [
        {
            "id": f"a-{at}",
            "attributes": {
                "account_name": f"Näme {at}",
                "parent_id": "top",
                "Contract Value": "49",
            },
        }
        for at in range(3)
    ]
    answer = sandbox.hub("accounts", {"accounts": rows})
    assert answer.status_code == 202
    assert answer.json()["status"] == "success"
    assert answer.json()["batch_id"]
    assert answer.json()["time_received"].endswith("Z")
    kept = sandbox.dump("accounts")
    assert [row["account_name"] for row in kept] == ["Näme 0", "Näme 1", "Näme 2"]
    assert kept[0]["attributes"] == {"Contract Value": 49}
    assert kept[0]["parent_id"] == "top"
    assert kept[0]["last_activity_time"] is None


def test_users_usage_and_collections(sandbox):
    user = {"id": "joe@x.com", "account_id": "a", "attributes": {"name": "Joe", "Role": "Admin"}}
    assert sandbox.hub("users", {"users": [user]}).status_code == 202
    usage = {"account_id": "a", "user_id": "joe@x.com", "module": "Billing", "activity": "Pay"}
    assert sandbox.hub("usage", {"usages": [usage, usage]}).status_code == 202
    for owner in ("account_id", "customer_id"):
        row = {"id": f"T-{owner}", owner: "a", "attributes": {"Title": "x"}}
        assert sandbox.hub("collections/tickets", {"collections": [row]}).status_code == 202
    assert sandbox.dump("users")[0]["user_name"] == "Joe"
    assert sandbox.dump("users")[0]["last_activity_time"] is not None
    assert len(sandbox.dump("activities")) == 2
    assert [(row["collection_type"], row["account_id"]) for row in sandbox.dump("collections")] == [
        ("tickets", "a"),
        ("tickets", "a"),
    ]
    sandbox.set(hub_users="off")
    assert sandbox.hub("users", {"users": [user]}).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "sandbox-token"},
        {"authorization": "app-token wrong"},
        {"service_id": "SP-12345-01"},
        {"service_id": "1"},
    ],
)
def test_wrong_credentials_are_a_401(sandbox, headers):
    answer = sandbox.hub("accounts", {"accounts": [{"id": "a"}]}, **headers)
    assert answer.status_code == 401
    assert sandbox.dump("accounts") == []


GOOD = {"id": "good", "attributes": {"Plan": "Pro"}}
BAD_ROWS = [
    {"attributes": {}},
    {"id": "a b"},
    {"id": 7},
    {"id": "a", "attributes": {"N": 5}},
    {"id": "a", "attributes": {"N": None}},
    {"id": "a", "attributes": {"T": "t" * 513}},
    {"id": "a", "attributes": {"account_name": "n" * 129}},
    {"id": "a", "attributes": []},
    "no object",
]


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_one_bad_row_refuses_the_batch_and_is_named(sandbox, bad):
    answer = sandbox.hub("accounts", {"accounts": [GOOD, bad]})
    assert answer.status_code == 400
    assert answer.json()["status"] == "failed"
    assert [error["index"] for error in answer.json()["errors"]] == [1]
    assert sandbox.dump("accounts") == []
    assert len(sandbox.dump("log")) == 1


def test_good_rows_can_be_accepted_beside_bad_ones(sandbox):
    sandbox.set(hub_errors="accept_good", hub_status=200)
    answer = sandbox.hub("accounts", {"accounts": [BAD_ROWS[0], GOOD]})
    assert answer.status_code == 200
    assert answer.json()["errors"] == [{"index": 0, "message": "account id is missing"}]
    assert [row["account_id"] for row in sandbox.dump("accounts")] == ["good"]


def test_errors_can_be_without_detail(sandbox):
    sandbox.set(hub_error_detail="none")
    answer = sandbox.hub("accounts", {"accounts": [{}]})
    assert answer.json()["errors"] == [{"message": "invalid batch"}]


def test_errors_can_name_rows_by_id(sandbox):
    sandbox.set(hub_error_detail="id")
    answer = sandbox.hub("accounts", {"accounts": [GOOD, {"id": "a b"}]})
    assert [error["id"] for error in answer.json()["errors"]] == ["a b"]


NAMED = [{"index": 1, "message": "account id has characters other than letters, digits, _ -"}]
REPORTS = {
    "errors": {"status": "failed", "errors": NAMED},
    "results": {
        "status": "failed",
        "results": [
            {"id": "good", "status": "skipped"},
            {"id": "a b", "status": "failed", "message": NAMED[0]["message"]},
        ],
    },
    "failed": {"status": "failed", "failed": NAMED},
    "rejected": {"rejected": NAMED},
    "invalid_rows": {"invalid_rows": [1]},
    "counts": {"accepted": 0, "failed": 2},
    "status": {"status": "failed"},
    "success": {"success": False},
    "code": {"statusCode": 400},
    "message": {"message": "Invalid rows"},
    "nested": {"response": {"status": "failed", "errors": NAMED}},
    "capitals": {"Status": "Failed", "Errors": [{"Index": 1, "Message": NAMED[0]["message"]}]},
    "null": None,
}


@pytest.mark.parametrize("form", REPORTS)
def test_what_a_refusal_looks_like(sandbox, form):
    sandbox.set(hub_report=form, hub_refusal_status=200)
    answer = sandbox.hub("accounts", {"accounts": [GOOD, {"id": "a b"}]})
    assert (answer.status_code, answer.json()) == (200, REPORTS[form])
    assert sandbox.dump("accounts") == []
    assert sandbox.hub("accounts", {"accounts": [GOOD]}).json()["status"] == "success"


def test_a_refusal_that_is_no_json(sandbox):
    sandbox.set(hub_report="text", hub_errors="accept_good")
    answer = sandbox.hub("accounts", {"accounts": [GOOD, {"id": "a b"}]})
    assert (answer.status_code, answer.text) == (202, "1 of 2 rows are invalid")


def test_what_a_partial_success_looks_like(sandbox):
    sandbox.set(hub_errors="accept_good", hub_report="results")
    answer = sandbox.hub("accounts", {"accounts": [GOOD, {"id": "a b"}]}).json()
    assert answer["status"] == "partial"
    assert [row["status"] for row in answer["results"]] == ["success", "failed"]
    sandbox.set(hub_report="counts")
    answer = sandbox.hub("accounts", {"accounts": [GOOD, {"id": "a b"}]}).json()
    assert answer == {"accepted": 1, "failed": 1}
    sandbox.set(hub_report="errors", hub_error_detail="none")
    answer = sandbox.hub("accounts", {"accounts": [GOOD, {"id": "a b"}]}).json()
    assert (answer["status"], "errors" in answer) == ("success", False)
    assert len(sandbox.dump("accounts")) == 1


def test_a_blocked_account_swallows_writes_and_is_not_found(sandbox):
    sandbox.load(users=[{"account_id": account, "user_id": "u"} for account in ("a", "b", "c")])
    sandbox.set(blocked_accounts="a, b")
    row = {"id": "T", "account_id": "a", "attributes": {}}
    assert sandbox.hub("accounts", {"accounts": [{"id": "a"}]}).status_code == 202
    assert sandbox.hub("collections/t", {"collections": [row]}).status_code == 202
    sandbox.track(**{"sdr_o": "b", "sdr_o.Plan": "Pro"})
    assert [entry["reason"] for entry in sandbox.dump("log")] == ["account is blocked"] * 3
    assert sandbox.dump("collections") == []
    assert all(row["attributes"] == {} for row in sandbox.dump("accounts"))
    assert sandbox.names("accounts") == ["c"]
    assert [hit["account"]["name"] for hit in sandbox.search("users")["hits"]] == ["c"]


@pytest.mark.parametrize("batch", [[], {}, {"users": []}, {"accounts": {}}, "text"])
def test_what_is_no_batch_is_refused(sandbox, batch):
    assert sandbox.hub("accounts", batch).status_code == 400


def test_batches_that_are_too_large_are_a_413(sandbox):
    sandbox.set(hub_max_rows=2)
    assert sandbox.hub("accounts", {"accounts": [GOOD] * 2}).status_code == 202
    assert sandbox.hub("accounts", {"accounts": [GOOD] * 3}).status_code == 413
    sandbox.set(hub_max_bytes=10)
    assert sandbox.hub("accounts", {"accounts": [GOOD]}).status_code == 413


def test_values_of_other_types_when_switched_so(sandbox):
    sandbox.set(hub_values="any")
    values = {"N": 5, "F": 1.5, "B": True, "Gone": None}
    sandbox.hub("accounts", {"accounts": [{"id": "a", "attributes": values}]})
    assert sandbox.dump("accounts")[0]["attributes"] == {"N": 5, "F": 1.5, "B": "true"}


USAGE = {"account_id": "a", "user_id": "joe@x.com", "module": "Billing", "activity": "Pay"}


@pytest.mark.parametrize(
    ("path", "batch", "word"),
    [
        ("usage", {"usages": [{**USAGE, "activity": ""}]}, "activity is missing"),
        ("usage", {"usages": [{**USAGE, "account_id": ""}]}, "account"),
        ("usage", {"usages": [{**USAGE, "user_id": ""}]}, "user"),
        ("usage", {"usages": [{**USAGE, "module": "m" * 500}]}, "module is longer"),
        ("collections/" + "t" * 500, {"collections": [{"id": "T", "account_id": "a"}]}, "type"),
        ("collections/tickets", {"collections": [{"account_id": "a"}]}, "id is missing"),
    ],
)
def test_a_row_that_lacks_a_part_is_refused_with_a_reason(sandbox, path, batch, word):
    sandbox.set(over_limit="drop")
    answer = sandbox.hub(path, batch)
    assert answer.status_code == 400
    assert word in answer.json()["errors"][0]["message"]
    assert sandbox.dump("activities") == sandbox.dump("collections") == []


def test_an_activity_with_a_name_too_long_can_be_truncated(sandbox):
    sandbox.set(over_limit="truncate")
    answer = sandbox.hub("usage", {"usages": [{**USAGE, "activity": "x" * 191}]})
    assert answer.status_code == 202
    assert [row["activity"] for row in sandbox.dump("activities")] == ["x" * 190]


@pytest.mark.parametrize(("policy", "kept"), [("clear", {}), ("ignore", {"Plan": "x"})])
def test_an_empty_value_of_a_row(sandbox, policy, kept):
    sandbox.set(empty_value=policy)
    sandbox.load(accounts=[{"account_id": "a", "attributes": {"Plan": "x"}}])
    sandbox.hub("accounts", {"accounts": [{"id": "a", "attributes": {"Plan": ""}}]})
    assert sandbox.dump("accounts")[0]["attributes"] == kept
