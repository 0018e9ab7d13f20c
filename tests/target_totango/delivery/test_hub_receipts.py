"""Only a receipt, or the row itself as it was sent, confirms a row that went through the hub."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, ACTIVITIES, held, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

HUB = {"delivery": "hub", "canary": False, "verify_timeout": 0}
NO_RECEIPTS: list[Any] = [
    {"success": False},
    {"message": "Forbidden"},
    "Too many requests",
    {"statusCode": 500},
    {"response": {"status": "failed"}},
    {"status": "partial"},
    {"status": "success", "failed": 1},
    {"status": "success", "failed": [{"id": "a-2"}]},
    {"status": "success", "rejected": ["a-2"]},
    {"status": "success", "accepted": 0},
    {"results": [{"id": "a-1", "status": "error"}]},
    None,
]
NAMELESS = [body for body in NO_RECEIPTS if "a-" not in json.dumps(body)]
COLLECTIONS = schema("tickets", "id", "account_id", "Subject")
MAPPING = {
    "stream": "tickets",
    "object": "collections",
    "account_id": "account_id",
    "collection_id": "id",
    "collection_type": {"constant": "Tickets"},
}


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("totango_api.http.retry.random.uniform", lambda _low, _high: 0.01)


def accounts(rows: int, *bad: int) -> list[dict[str, Any]]:
    return [
        record("accounts", account_id=f"a-{n}", Contract__Value="much" if n in bad else str(n))
        for n in range(rows)
    ]


def activities(rows: int) -> list[dict[str, Any]]:
    fields = {"account_id": "a", "user_id": "u", "activity": "Pay", "module": "Billing"}
    return [record("activities", id=n, **fields) for n in range(rows)]


@pytest.mark.parametrize("body", NO_RECEIPTS, ids=json.dumps)
def test_a_hub_that_never_gives_a_receipt_confirms_nothing(
    deliver: Deliver, service: Sandbox, body: Any
) -> None:
    service.chaos(f"answer@hub:say={json.dumps(body)}")
    done = deliver(ACCOUNTS, *accounts(5), state(1), **HUB)
    assert done.error is not None
    assert (done.states, done.rejected) == ([], [])
    assert done.totals["undelivered"] == 5
    assert held(service, "accounts") == {}


@pytest.mark.parametrize("body", NO_RECEIPTS, ids=json.dumps)
def test_an_odd_answer_now_and_then_loses_no_account(
    deliver: Deliver, service: Sandbox, body: Any
) -> None:
    service.chaos(f"answer@hub:every=3:say={json.dumps(body)}")
    done = deliver(ACCOUNTS, *accounts(40), state(1), **HUB)
    landed = {key[0] for key in held(service, "accounts")}
    # What is named as refused is on file, unless it landed when it was sent again.
    on_file = {row["account_id"] for row in done.rejected}
    assert landed | on_file == {f"a-{n}" for n in range(40)}
    assert on_file <= {"a-1", "a-2"}
    assert done.states == [state(1)["value"]]
    assert (done.error is None) == (not on_file)


@pytest.mark.parametrize("body", [*NAMELESS, ""], ids=json.dumps)
def test_what_was_answered_oddly_and_is_there_is_confirmed(
    deliver: Deliver, service: Sandbox, body: Any
) -> None:
    said = body if body == "" else json.dumps(body)
    service.chaos(f"answer@hub:applied:say={said}")
    done = deliver(ACCOUNTS, *accounts(25), state(1), **HUB).ok()
    assert done.totals["sent"] == 25
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize("body", NAMELESS, ids=json.dumps)
@pytest.mark.parametrize("applied", [":applied", ""])
def test_activities_that_were_answered_oddly_are_uncertain_and_sent_once(
    deliver: Deliver, service: Sandbox, body: Any, applied: str
) -> None:
    service.chaos(f"answer@hub:1{applied}:say={json.dumps(body)}")
    done = deliver(ACTIVITIES, *activities(20), state(1), hub_batch_size=10, **HUB)
    assert done.error is not None
    assert {name: done.totals.get(name) for name in ("sent", "uncertain")} == {
        "sent": 10,
        "uncertain": 10,
    }
    assert len(service.calls("hub")) == 2
    assert len(service.dump("activities")) == (20 if applied else 10)
    assert {code for codes in done.codes for _, code in codes} == {"uncertain"}


def test_what_was_answered_oddly_and_cannot_be_read_back_is_not_confirmed(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos('answer@hub:applied:say={"success": false}', "403@accounts")
    done = deliver(ACCOUNTS, *accounts(5), state(1), **HUB, max_retry_seconds=0)
    assert (done.states, done.totals.get("sent", 0)) == ([], 0)
    assert done.said.count("Rows without a receipt cannot be read back") == 1


def test_a_row_that_alone_is_answered_oddly_is_on_file(deliver: Deliver, service: Sandbox) -> None:
    service.chaos('answer@hub:match="a-3":say={"success": false}')
    done = deliver(ACCOUNTS, *accounts(12), state(1), **HUB)
    assert [row["account_id"] for row in done.rejected] == ["a-3"]
    assert done.codes == [{("", "no receipt")}]
    assert done.states == [state(1)["value"]]
    assert len(held(service, "accounts")) == 11


def test_items_of_a_collection_cannot_be_read_back_and_hold_state(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos('answer@hub:applied:say={"success": true}')
    rows = [record("tickets", id=f"t-{n}", account_id="a", Subject="x") for n in range(3)]
    done = deliver(COLLECTIONS, *rows, state(1), mappings=[MAPPING], **HUB)
    assert "3 rows were not delivered" in str(done.error)
    assert (done.states, done.rejected) == ([], [])


NAMING = ("errors", "results", "failed", "rejected", "nested", "capitals")
VAGUE = ("invalid_rows", "counts", "status", "success", "code", "message", "text", "null")
SILENT = ("errors", "accept_good", "none")
"""A form that says nothing at all of bad rows."""
POLICIES = ("refuse_batch", "accept_good")
FORMS = [
    *(form for form in product(NAMING, POLICIES, ("index", "id", "none")) if form != SILENT),
    *product(VAGUE, POLICIES, ("index",)),
]


@pytest.mark.parametrize(("report", "errors", "detail"), FORMS)
def test_bad_rows_are_on_file_and_the_others_land_however_the_hub_says_so(
    deliver: Deliver, service: Sandbox, report: str, errors: str, detail: str
) -> None:
    service.set(hub_report=report, hub_errors=errors, hub_error_detail=detail)
    service.set(hub_refusal_status=200)
    done = deliver(ACCOUNTS, *accounts(12, 3, 7), state(1), **HUB)
    assert {row["account_id"] for row in done.rejected} == {"a-3", "a-7"}
    landed = {key[0] for key in held(service, "accounts")}
    assert landed == {f"a-{n}" for n in range(12)} - {"a-3", "a-7"}
    assert done.states == [state(1)["value"]]


def test_a_missing_endpoint_is_one_sentence_and_no_reject(
    deliver: Deliver, service: Sandbox
) -> None:
    service.set(hub_users="off")
    users = schema("users", "account_id", "user_id")
    rows = [record("users", account_id="a-1", user_id=f"u{n}") for n in range(250)]
    done = deliver(ACCOUNTS, *accounts(2), users, *rows, state(1), **HUB)
    assert (done.states, done.rejected) == ([], [])
    assert str(done.error).count("delivery: tracking") == 1
    assert done.said.count("no such endpoint") <= 1
    assert len(service.calls("hub")) <= 4


def test_one_row_that_makes_the_hub_fail_takes_no_other_with_it(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos('500@hub:match="a-42"')
    done = deliver(ACCOUNTS, *accounts(100), state(1), max_retry_seconds=0, **HUB)
    assert len(held(service, "accounts")) == 99
    assert [row["account_id"] for row in done.rejected] == ["a-42"]
    assert done.states == [state(1)["value"]]
