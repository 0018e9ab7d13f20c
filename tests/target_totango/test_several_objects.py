"""Streams that feed several objects: each record makes a row of each, parents first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema, state

from target_totango.pipeline.run_end import IncompleteRunError
from totango_api.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

CONTACTS = schema("contacts", "company", "company_name", "email", "role", "did", keys=("email",))
ACCOUNT = {"stream": "contacts", "object": "accounts", "account_id": "company"}
USER = {**ACCOUNT, "object": "users", "user_id": "email", "attributes": {"Role": "role"}}
ACTIVITY = {
    **ACCOUNT,
    "object": "activities",
    "user_id": "email",
    "activity": "did",
    "module": {"constant": "M"},
}


def contact(company: str, email: str, **more: Any) -> dict[str, Any]:
    return record("contacts", company=company, email=email, company_name="Acme", **more)


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_each_record_feeds_every_object_and_parents_come_first(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    service.set(unknown_attributes="text")
    rows = [contact("a", "x@a.example", role="CEO", did="Pay"), contact("b", "y@b.example")]
    done = deliver(
        CONTACTS,
        rows[0],
        contact("b", "y@b.example", did="Leave"),
        state(1),
        mappings=[ACTIVITY, USER, ACCOUNT],
        delivery=delivery,
        max_in_flight=1,
    ).ok()
    assert held(service, "accounts") == {(key,): {"account_name": "Acme"} for key in "ab"}
    assert held(service, "users") == {
        ("a", "x@a.example"): {"Role": "CEO"},
        ("b", "y@b.example"): {},
    }
    assert {row["activity"] for row in service.dump("activities")} == {"Pay", "Leave"}
    assert done.states == [state(1)["value"]]
    assert done.totals["sent"] == 6
    sent = [(entry["stream"], entry["object"], entry["sent"]) for entry in done.report["streams"]]
    assert sent == [("contacts", name, 2) for name in ("accounts", "users", "activities")]


def test_state_goes_out_only_when_every_row_of_a_record_is_settled(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("503@tracking:match=sdr_u")
    done = deliver(
        CONTACTS,
        contact("a", "x@a.example", role="CEO"),
        state(1),
        mappings=[ACCOUNT, USER],
        max_retry_seconds=0.1,
    )
    assert done.error is not None
    assert done.states == []


def test_unmapped_fields_belong_to_no_object_where_there_are_several(
    deliver: Deliver, service: Sandbox
) -> None:
    service.set(unknown_attributes="text")
    row = contact("a", "x@a.example", role="CEO")
    deliver(CONTACTS, row, mappings=[ACCOUNT, {**USER, "unmapped": "include"}]).ok()
    assert held(service, "accounts") == {("a",): {"account_name": "Acme"}}
    assert held(service, "users")[("a", "x@a.example")]["Role"] == "CEO"


def test_a_rejected_row_is_replayed_for_its_own_object_alone(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    service.set(unknown_attributes="text")
    mappings = [ACCOUNT, USER, ACTIVITY]
    done = deliver(CONTACTS, contact("a", "x@a", did="Pay", role="r" * 256), mappings=mappings)
    assert isinstance(done.error, IncompleteRunError)
    assert done.codes == [{("role", "too long")}]
    assert len(service.dump("activities")) == 1
    mended = (tmp_path / "rejects.singer").read_text().replace("r" * 256, "CEO")
    again = deliver(*mended.strip().split("\n"), mappings=mappings).ok()
    assert again.totals["received"] == 1
    assert held(service, "users") == {("a", "x@a"): {"Role": "CEO"}}
    assert len(service.dump("activities")) == 1


def test_a_field_that_does_not_fit_rejects_a_record_for_each_object_that_reads_it(
    deliver: Deliver,
) -> None:
    typed = schema("contacts", company={"type": "string"}, email={"type": "string"})
    done = deliver(
        typed,
        contact("a", 5),  # type: ignore[arg-type]
        contact(6, "x@a"),  # type: ignore[arg-type]
        mappings=[ACCOUNT, {**ACCOUNT, "object": "users", "user_id": "email"}],
    )
    assert [(one["_reject"]["object"], one["company"]) for one in done.rejected] == [
        ("users", "a"),
        ("accounts", 6),
        ("users", 6),
    ]
    assert done.totals["sent"] == 1


DEALS = schema("deals", "id", "buyer", "partner", "amount", keys=("id",))
BUYER = {
    "stream": "deals",
    "object": "accounts",
    "account_id": "buyer",
    "attributes": {"Bought": "amount"},
}
PARTNER = {**BUYER, "account_id": "partner", "attributes": {"Sold": "amount"}}


def test_a_stream_may_feed_one_object_twice(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    service.set(unknown_attributes="text")
    settings: dict[str, Any] = {
        "mappings": [BUYER, PARTNER],
        "ledger_path": str(tmp_path / "ledger.db"),
        "skip_unchanged": True,
    }
    row = record("deals", id=1, buyer="a", partner="b", amount="5")
    both = record("deals", id=2, buyer="c", partner="c", amount="7")
    first = deliver(DEALS, row, both, **settings).ok()
    assert held(service, "accounts") == {
        ("a",): {"Bought": "5"},
        ("b",): {"Sold": "5"},
        ("c",): {"Bought": "7", "Sold": "7"},
    }
    names = [entry["stream"] for entry in first.report["streams"]]
    assert names == ["deals", "deals (2)"]
    again = deliver(DEALS, row, both, **settings).ok()
    assert again.totals["unchanged"] == again.totals["received"] == 4


def test_activities_of_two_mappings_are_two_with_a_ledger(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    other = {**ACTIVITY, "user_id": {"constant": "all"}}
    settings: dict[str, Any] = {
        "mappings": [ACTIVITY, other],
        "ledger_path": str(tmp_path / "ledger.db"),
    }
    for _ in range(2):
        deliver(CONTACTS, contact("a", "x@a", did="Pay"), **settings).ok()
    assert {row["user_id"] for row in service.dump("activities")} == {"x@a", "all"}
    assert len(service.dump("activities")) == 2


def test_two_mappings_to_the_same_rows_are_refused(deliver: Deliver) -> None:
    done = deliver(CONTACTS, mappings=[ACCOUNT, {**ACCOUNT, "account_name": "company_name"}])
    assert isinstance(done.error, InputError)
    assert "two mappings to the same accounts" in str(done.error)


def test_the_first_fault_of_any_mapping_refuses_the_stream_before_a_row_goes_out(
    deliver: Deliver, service: Sandbox
) -> None:
    row = contact("a", "x@a")
    done = deliver(CONTACTS, row, mappings=[ACCOUNT, {**USER, "user_id": "emial"}])
    assert isinstance(done.error, InputError)
    assert "'emial'" in str(done.error)
    assert service.dump("accounts") == []


def test_a_record_that_is_deleted_deletes_the_user_and_leaves_the_account(
    deliver: Deliver, service: Sandbox
) -> None:
    contacts = schema("contacts", "company", "email", "_sdc_deleted_at", keys=("email",))
    mappings = [ACCOUNT, {**ACCOUNT, "object": "users", "user_id": "email"}]
    here = record("contacts", company="a", email="x@a")
    gone = json.loads(json.dumps(here))
    gone["record"]["_sdc_deleted_at"] = "2024-07-01T00:00:00Z"
    deliver(contacts, here, mappings=mappings).ok()
    deliver(contacts, gone, mappings=mappings, hard_delete=True).ok()
    assert set(held(service, "accounts")) == {("a",)}
    assert held(service, "users") == {}


def test_the_note_of_a_mapping_stands_in_the_log_and_in_the_report(
    deliver: Deliver, service: Sandbox
) -> None:
    noted = {**ACCOUNT, "note": "Asked for by Finance"}
    done = deliver(CONTACTS, contact("a", "x@a.example"), mappings=[noted, USER]).ok()
    notes = {entry["object"]: entry.get("note") for entry in done.report["streams"]}
    assert notes == {"accounts": "Asked for by Finance", "users": None}
    assert "note: Asked for by Finance" in done.said


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"note": 5}, "note is a text"),
        ({"attributes": {"A": {"field": "role", "split": ""}}}, "split is the text"),
        ({"attributes": {"A": {"field": "role", "number_format": "1.2"}}}, "how 1200.50 is"),
    ],
)
def test_what_a_mapping_says_wrongly_is_refused(
    deliver: Deliver, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        deliver(CONTACTS, mappings=[{**ACCOUNT, **more}]).ok()
