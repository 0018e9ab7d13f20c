"""An activity in doubt is never sent twice, or sent until it is counted, as a setting says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACTIVITIES, record, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

FAULTS = {
    "500": "500@{}:every=3",
    "cut off": "drop@{}:every=3",
    "no receipt": 'answer@{}:every=3:say={{"status": "busy"}}',
    "counted, and no receipt": 'answer@{}:every=3:applied:say={{"status": "busy"}}',
}
LEAST = {"activity_delivery": "at_least_once"}


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("totango_api.http.retry.random.uniform", lambda _low, _high: 0.01)


def activities(rows: int) -> list[dict[str, Any]]:
    fields = {"account_id": "a", "user_id": "u", "module": "Billing"}
    return [record("activities", id=n, activity=f"Pay {n}", **fields) for n in range(rows)]


def counted(service: Sandbox) -> list[str]:
    return [row["activity"] for row in service.dump("activities")]


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
@pytest.mark.parametrize("fault", FAULTS)
def test_at_most_once_counts_none_twice(
    deliver: Deliver, service: Sandbox, delivery: str, fault: str
) -> None:
    service.chaos(FAULTS[fault].format(delivery))
    done = deliver(ACTIVITIES, *activities(12), state(1), delivery=delivery, hub_batch_size=2)
    assert done.totals["uncertain"] == 4
    assert len(counted(service)) == len(set(counted(service)))


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
@pytest.mark.parametrize("fault", FAULTS)
def test_at_least_once_misses_none(
    deliver: Deliver, service: Sandbox, delivery: str, fault: str
) -> None:
    service.chaos(FAULTS[fault].format(delivery))
    rows = activities(12)
    done = deliver(ACTIVITIES, *rows, state(1), delivery=delivery, hub_batch_size=2, **LEAST).ok()
    assert set(counted(service)) == {f"Pay {n}" for n in range(12)}
    assert (done.rejected, done.states) == ([], [state(1)["value"]])


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_at_least_once_holds_state_in_an_outage(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    service.chaos(f"500@{delivery}")
    settings = {"delivery": delivery, "max_retry_seconds": 0, **LEAST}
    done = deliver(ACTIVITIES, *activities(5), state(1), **settings)
    assert (done.rejected, done.states) == ([], [])
    assert done.totals["undelivered"] == 5


@pytest.mark.parametrize(("settings", "expected"), [({}, 0), (LEAST, 1)])
def test_what_a_cut_off_run_was_sending_goes_out_again_only_where_it_may_count_twice(
    deliver: Deliver, service: Sandbox, tmp_path: Path, settings: dict[str, Any], expected: int
) -> None:
    path = str(tmp_path / "ledger.db")
    service.chaos("drop@tracking")
    ledger = {"ledger_path": path, "max_retry_seconds": 0}
    # At most once leaves it as it is in the ledger of a run that was killed: being sent.
    deliver(ACTIVITIES, *activities(1), state(1), **ledger)
    service.chaos()
    before = len(counted(service))
    done = deliver(ACTIVITIES, *activities(1), state(1), **ledger, **settings)
    assert len(counted(service)) - before == expected
    assert done.totals.get("uncertain", 0) == 1 - expected
