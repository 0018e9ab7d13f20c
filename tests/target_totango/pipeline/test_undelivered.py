"""What an outage does to small and large runs: STATE never passes a row that was not delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, held, record, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

AT_ONCE = {"max_retry_seconds": 0}
FAULTS = {
    "500": "500@{}",
    "503": "503@{}",
    "429": "429@{}:retry=60",
    "404": "404@{}",
    "400": "400@{}",
    "redirect": "redirect@{}:to=http://127.0.0.1:9/",
    "no answer": "drop-before@{}",
}


def accounts(rows: int) -> list[dict[str, Any]]:
    return [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(rows)]


@pytest.mark.parametrize("rows", [5, 15, 19, 25, 250])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_an_outage_holds_state_however_small_the_run(
    deliver: Deliver, service: Sandbox, delivery: str, fault: str, rows: int
) -> None:
    service.chaos(FAULTS[fault].format(delivery))
    done = deliver(ACCOUNTS, *accounts(rows), state(1), delivery=delivery, **AT_ONCE)
    assert done.error is not None
    assert done.states == []
    assert done.rejected == []
    # A larger run ends while it reads; what it has read by then was not delivered.
    assert done.report["undelivered"] == done.totals["received"]
    assert rows > 19 or done.totals["received"] == rows
    assert not done.report["complete"]
    assert done.said.count("STATE is held") == (1 if done.report["states_held"] else 0)


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_nobody_there_holds_state(deliver: Deliver, delivery: str) -> None:
    nowhere = {f"{delivery}_url": "http://127.0.0.1:9"}
    done = deliver(ACCOUNTS, *accounts(15), state(1), delivery=delivery, **nowhere, **AT_ONCE)
    assert "15 rows were not delivered" in str(done.error)
    assert (done.states, done.rejected) == ([], [])


@pytest.mark.parametrize(
    "rule",
    [
        "503@tracking:match=a-3",
        "401@tracking:match=a-3",
        'answer@tracking:match=a-3:say={"status": "ok"}',
        "drop-before@tracking:match=a-3",
    ],
)
def test_a_fault_after_successes_holds_what_comes_after_it(
    deliver: Deliver, service: Sandbox, rule: str
) -> None:
    service.chaos(rule)
    rows = [message for n, row in enumerate(accounts(6)) for message in (row, state(n))]
    done = deliver(ACCOUNTS, *rows, max_in_flight=1, **AT_ONCE)
    assert "1 row was not delivered" in str(done.error)
    assert done.totals["sent"] == 5
    assert done.totals["undelivered"] == 1
    assert done.states[-1:] == [state(2)["value"]]
    assert done.report["states_held"] == 3
    assert 'the first after row 4 ({"bookmarks": {"n": 3}})' in done.said
    # The next run goes on from the state that was emitted.
    service.chaos()
    deliver(ACCOUNTS, *rows[6:]).ok()
    assert len(held(service, "accounts")) == 6


def test_a_tracking_call_that_is_forbidden_says_nothing_of_the_app_token(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("403@tracking")
    done = deliver(ACCOUNTS, *accounts(3), state(1), max_in_flight=1)
    assert "Check sdr_token" in str(done.error)
    assert "app_token" not in str(done.error)


def test_a_service_that_refuses_every_row_is_not_the_rows_fault(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("422@tracking")
    done = deliver(ACCOUNTS, *accounts(3), state(1))
    assert "Nothing was taken" in str(done.error)
    assert (done.states, done.rejected) == ([], [])
    service.chaos("422@tracking:match=a-0")
    done = deliver(ACCOUNTS, *accounts(3), state(1), max_in_flight=1)
    assert [row["account_id"] for row in done.rejected] == ["a-0"]
    assert done.states == [state(1)["value"]]


def test_refusals_without_end_end_the_run(deliver: Deliver, service: Sandbox) -> None:
    service.chaos("422@tracking")
    done = deliver(ACCOUNTS, *accounts(2_000), state(1))
    assert "rows were refused, and none was taken" in str(done.error)
    assert len(service.calls("tracking")) < 1_000


def test_an_outage_is_said_once(deliver: Deliver, service: Sandbox) -> None:
    service.chaos("503@tracking")
    done = deliver(ACCOUNTS, *accounts(19), state(1), **AT_ONCE)
    assert done.said.count("answered 503") == 1
    assert str(done.error).count("answered 503") == 1
