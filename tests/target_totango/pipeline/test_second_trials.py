"""A row at which the service fails, while it takes others, is rejected; in an outage, none is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, USERS, held, record, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

AT_ONCE = {"max_retry_seconds": 0}
REFUSED = [{("", "the service fails (500)")}]

pytestmark = [
    pytest.mark.usefixtures("clock"),
    pytest.mark.parametrize("delivery", ["tracking", "hub"]),
]


def accounts(rows: int) -> list[dict[str, Any]]:
    return [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(rows)]


@pytest.mark.parametrize("at", [0, 3, 5])
@pytest.mark.parametrize("settings", [{}, {"app_token": None, "canary": False}])
def test_a_row_at_which_the_service_fails_is_rejected_wherever_it_stands(
    deliver: Deliver, service: Sandbox, delivery: str, at: int, settings: dict[str, Any]
) -> None:
    if settings and delivery == "hub":
        pytest.skip("the hub needs the token")
    service.chaos(f"500@{delivery}:match=a-{at}")
    done = deliver(ACCOUNTS, *accounts(6), state(1), delivery=delivery, **AT_ONCE, **settings)
    assert done.codes == REFUSED
    assert [row["account_id"] for row in done.rejected] == [f"a-{at}"]
    assert "took other rows before and after" in str(done.rejects)
    assert "1 row was rejected" in str(done.error)
    assert done.totals["sent"] == 5
    assert done.states == [state(1)["value"]]
    service.chaos()
    deliver(*done.rejects, delivery=delivery).ok()
    assert len(held(service, "accounts")) == 6


def test_a_row_that_was_written_though_the_service_failed_at_it_is_found(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    service.chaos(f"500@{delivery}:match=a-3:applied")
    done = deliver(ACCOUNTS, *accounts(6), state(1), delivery=delivery, **AT_ONCE).ok()
    assert (done.totals["sent"], done.rejected) == (6, [])
    assert done.states == [state(1)["value"]]


def test_a_failure_that_passes_is_made_up_for(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    service.chaos(f"500@{delivery}:2")
    done = deliver(ACCOUNTS, *accounts(6), state(1), delivery=delivery, canary=True, **AT_ONCE)
    assert done.ok().totals["sent"] == 6


@pytest.mark.parametrize("status", [500, 503])
def test_an_outage_is_no_row_s_fault(
    deliver: Deliver, service: Sandbox, delivery: str, status: int
) -> None:
    service.chaos(*(f"{status}@{delivery}:{call}" for call in range(2, 60)))
    done = deliver(ACCOUNTS, *accounts(6), state(1), delivery=delivery, **AT_ONCE)
    assert done.rejected == []
    assert done.states == []
    assert "STATE is held" in done.said


@pytest.mark.parametrize("status", [502, 503, 504, 401])
def test_another_failure_holds_state_whatever_row_it_meets(
    deliver: Deliver, service: Sandbox, delivery: str, status: int
) -> None:
    service.chaos(f"{status}@{delivery}:match=a-3")
    done = deliver(ACCOUNTS, *accounts(6), state(1), delivery=delivery, **AT_ONCE)
    assert (done.states, done.rejected) == ([], [])


def test_a_newer_row_is_not_overwritten_by_a_second_trial(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    rows = [
        *accounts(2),
        record("accounts", account_id="a-9", Plan="old"),
        record("accounts", account_id="a-9", Plan="new"),
    ]
    service.chaos(f"500@{delivery}:match=old")
    done = deliver(ACCOUNTS, *rows, state(1), delivery=delivery, **AT_ONCE)
    assert held(service, "accounts")["a-9",] == {"Plan": "new"}
    assert (done.states, done.rejected) == ([], [])
    assert "1 row was not delivered" in str(done.error)


def test_each_object_needs_a_row_of_its_own_that_was_taken(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    service.chaos(f"500@{delivery}:match=u-")
    users = [record("users", account_id="a-1", user_id=f"u-{n}") for n in range(3)]
    rows = [ACCOUNTS, *accounts(3), USERS, *users, state(1)]
    done = deliver(*rows, delivery=delivery, **AT_ONCE)
    assert (done.states, done.rejected) == ([], [])
    assert "3 rows were not delivered" in str(done.error)


def test_many_such_rows_are_not_rejected(deliver: Deliver, service: Sandbox, delivery: str) -> None:
    service.chaos(f"500@{delivery}:match=bad")
    rows = [record("accounts", account_id=f"bad-{n}" if n % 3 else f"a-{n}") for n in range(90)]
    done = deliver(
        ACCOUNTS, *rows, state(1), delivery=delivery, max_in_flight=1, hub_batch_size=3, **AT_ONCE
    )
    assert done.error is not None
    assert done.states == []
