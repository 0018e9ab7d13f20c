"""What must not be written twice has a second trial as well, with another row as its witness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, ACTIVITIES, held, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

AT_ONCE = {"max_retry_seconds": 0}
LEAST = {"activity_delivery": "at_least_once", **AT_ONCE}
GONE = "2024-07-01T00:00:00Z"
USERS = schema("users", "account_id", "user_id", "Title", "_sdc_deleted_at")
NOTES = schema("notes", "id", "company", "body", "note", keys=("id",))
NOTE_MAPPING = {
    "stream": "notes",
    "object": "touchpoints",
    "account_id": "company",
    "content": "body",
    "touchpoint_id": "note",
}

pytestmark = pytest.mark.usefixtures("clock")


def activities(rows: int) -> list[dict[str, Any]]:
    fields = {"account_id": "a", "user_id": "u", "module": "Billing"}
    return [record("activities", id=n, activity=f"pay-{n}", **fields) for n in range(rows)]


def counted(service: Sandbox) -> list[str]:
    return sorted(row["activity"] for row in service.dump("activities"))


def others(rows: int, bad: int) -> list[str]:
    return [f"pay-{n}" for n in range(rows) if n != bad]


@pytest.fixture
def notes(service: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings with which touchpoints of an account `a` are made."""
    service.load(accounts=[{"account_id": "a", "account_name": "Acme", "attributes": {}}])
    return {"mappings": [NOTE_MAPPING], "ledger_path": str(tmp_path / "ledger.db"), **AT_ONCE}


# What a fault matches must not stand in an id by chance: those of touchpoints are hexadecimal.
def note(number: int, body: str, **fields: Any) -> dict[str, Any]:
    return record("notes", id=number, company="a", body=body, **fields)


def bodies(service: Sandbox) -> list[str]:
    events = [event for event in service.dump("events") if event["type"] == "note"]
    texts = (event["note_content"]["text"] for event in events)
    return sorted(text.removeprefix("<div>").removesuffix("</div>") for text in texts)


# Rows that are turned away, though certainly not taken -----------------------------------------


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("settings", [AT_ONCE, LEAST])
def test_an_activity_that_is_turned_away_is_rejected_and_no_other_is_sent_twice(
    deliver: Deliver, service: Sandbox, at: int, settings: dict[str, Any]
) -> None:
    service.chaos(f"403@tracking:match=pay-{at}")
    done = deliver(ACTIVITIES, *activities(6), state(1), **settings)
    assert done.codes == [{("", "turned away (403)")}]
    assert counted(service) == others(6, at)
    assert done.states == [state(1)["value"]]
    assert "1 row was rejected" in str(done.error)
    service.chaos()
    deliver(*done.rejects).ok()
    assert len(counted(service)) == 6


def test_a_touchpoint_that_is_turned_away_is_rejected_and_no_other_is_made_twice(
    deliver: Deliver, service: Sandbox, notes: dict[str, Any]
) -> None:
    service.chaos("403@touchpoints:match=wrong")
    rows = [note(0, "wrong"), *(note(n, f"good {n}") for n in range(1, 5))]
    done = deliver(NOTES, *rows, state(1), **notes)
    assert done.codes == [{("", "turned away (403)")}]
    assert bodies(service) == [f"good {n}" for n in range(1, 5)]
    assert done.states == [state(1)["value"]]


def test_none_is_turned_away_where_no_other_is_taken_afterwards(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos(*(f"403@tracking:{call}" for call in range(4, 60)))
    done = deliver(ACTIVITIES, *activities(6), state(1), max_in_flight=1, **AT_ONCE)
    assert (done.rejected, done.states) == ([], [])
    assert done.totals["undelivered"] == 3


# Rows that the service may have taken ----------------------------------------------------------


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_an_activity_at_which_the_service_fails_is_on_file_as_uncertain(
    deliver: Deliver, service: Sandbox, delivery: str, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db")}
    service.chaos(f"500@{delivery}:match=pay-2")
    rows = [ACTIVITIES, *activities(6), state(1)]
    done = deliver(*rows, delivery=delivery, **LEAST, **ledger)
    assert done.codes == [{("", "uncertain")}]
    assert counted(service) == others(6, 2)
    assert done.states == [state(1)["value"]]
    service.chaos()
    deliver(*done.rejects, delivery=delivery, **ledger).ok()
    assert len(counted(service)) == 6


def test_a_change_at_which_the_service_fails_is_rejected(
    deliver: Deliver, service: Sandbox, notes: dict[str, Any]
) -> None:
    deliver(NOTES, *(note(n, f"first {n}") for n in range(4)), **notes).ok()
    service.chaos("500@touchpoints:match=wrong")
    rows = [note(n, "wrong" if n == 1 else f"second {n}") for n in range(4)]
    done = deliver(NOTES, *rows, state(1), **notes)
    assert done.codes == [{("", "the service fails (500)")}]
    assert bodies(service) == ["first 1", "second 0", "second 2", "second 3"]
    assert done.states == [state(1)["value"]]


# Deletions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"), [(500, "the service fails (500)"), (403, "turned away (403)")]
)
def test_a_user_that_cannot_be_deleted_is_rejected_and_the_others_are_deleted(
    deliver: Deliver, service: Sandbox, status: int, code: str
) -> None:
    names = ["u-0", "u-1", "u-2"]
    deliver(USERS, *(record("users", account_id="a", user_id=name) for name in names)).ok()
    gone = [record("users", account_id="a", user_id=name, _sdc_deleted_at=GONE) for name in names]
    service.chaos(f"{status}@delete:1", f"{status}@delete:4")
    done = deliver(USERS, *gone, state(1), hard_delete=True, **AT_ONCE)
    assert done.codes == [{("", code)}]
    assert done.states == [state(1)["value"]]
    assert [name for _, name in held(service, "users")] == ["u-0"]
    service.chaos()
    deliver(*done.rejects, hard_delete=True).ok()
    assert held(service, "users") == {}


def test_no_deletion_is_rejected_in_an_outage(deliver: Deliver, service: Sandbox) -> None:
    names = ["u-0", "u-1", "u-2"]
    deliver(USERS, *(record("users", account_id="a", user_id=name) for name in names)).ok()
    gone = [record("users", account_id="a", user_id=name, _sdc_deleted_at=GONE) for name in names]
    service.chaos(*(f"500@delete:{call}" for call in range(2, 30)))
    done = deliver(USERS, *gone, state(1), hard_delete=True, **AT_ONCE)
    assert (done.rejected, done.states) == ([], [])
    assert len(held(service, "users")) == 2


def test_a_vanished_user_that_cannot_be_deleted_leaves_the_others_to_be(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    settings = {"hard_delete": True, "ledger_path": str(tmp_path / "ledger.db"), **AT_ONCE}

    def run(number: int, *names: str) -> Delivered:
        rows = [record("users", account_id="a", user_id=name) for name in names]
        activate = {"type": "ACTIVATE_VERSION", "stream": "users", "version": number}
        return deliver(USERS, *({**row, "version": number} for row in rows), activate, **settings)

    run(1, "u-0", "u-1", "u-2").ok()
    service.chaos("500@delete:1")
    done = run(2, "u-2")
    assert "1 user gone at the source" in str(done.error)
    assert len(held(service, "users")) == 2
    run(3, "u-2").ok()
    assert [name for _, name in held(service, "users")] == ["u-2"]


# A firewall before accounts --------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 3, 5])
@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_an_account_that_a_firewall_turns_away_is_rejected(
    deliver: Deliver, service: Sandbox, delivery: str, at: int
) -> None:
    service.chaos(f"403@{delivery}:match=a-{at}")
    rows = [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(6)]
    done = deliver(ACCOUNTS, *rows, state(1), delivery=delivery, **AT_ONCE)
    assert done.codes == [{("", "turned away (403)")}]
    assert len(held(service, "accounts")) == 5
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize("rule", ["404", "406", "redirect", "html"])
def test_so_is_one_whose_answer_is_another_refusal(
    deliver: Deliver, service: Sandbox, rule: str
) -> None:
    to = ":to=http://127.0.0.1:9/" if rule == "redirect" else ""
    service.chaos(f"{rule}@tracking:match=a-3{to}")
    rows = [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(6)]
    done = deliver(ACCOUNTS, *rows, state(1), **AT_ONCE)
    assert [len(codes) for codes in done.codes] == [1]
    assert "turned away" in str(done.codes)
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize("first", [1, 3])
def test_a_token_without_rights_is_no_row_s_fault_and_costs_few_calls(
    deliver: Deliver, service: Sandbox, first: int
) -> None:
    service.chaos(*(f"403@hub:{call}" for call in range(first, 200)))
    rows = [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(300)]
    done = deliver(ACCOUNTS, *rows, state(1), delivery="hub", hub_batch_size=100, **AT_ONCE)
    assert (done.rejected, done.states) == ([], [])
    assert len(service.calls("hub")) < 60


# Several destinations --------------------------------------------------------------------------


def test_rows_that_wait_to_be_sent_are_no_part_of_a_trial(
    deliver: Deliver, service: Sandbox, notes: dict[str, Any]
) -> None:
    service.chaos("500@tracking:match=bad", "slow=1.2@touchpoints", "slow=0.01@tracking")
    rows = [record("accounts", account_id="bad", Plan="x"), note(1, "slow"), note(2, "slower")]
    rows += [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(1100)]
    done = deliver(ACCOUNTS, NOTES, *rows, state(1), max_in_flight=8, canary=False, **notes)
    assert done.codes == [{("", "the service fails (500)")}]
    assert done.totals["sent"] == 1102
    assert done.states == [state(1)["value"]]
