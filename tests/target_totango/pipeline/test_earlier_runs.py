"""Runs that know earlier runs: how recent what they wrote was, and when they sent everything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema

from target_totango.delivery.tracking import TrackingDestination
from target_totango.pipeline import stages
from target_totango.pipeline.filters import redundant
from target_totango.storage import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    from target_totango.models import Confirmation, Row

    Deliver = Callable[..., Delivered]

FIRMS = schema("accounts", "account_id", "Plan", "at", keys=("account_id",))
RECENT = {"stream": "accounts", "attributes": {"Plan": "Plan"}, "recency_field": "at"}


def firm(plan: str, at: Any = None) -> dict[str, Any]:
    return record("accounts", account_id="a", Plan=plan, at=at)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {"ledger_path": str(tmp_path / "ledger")}


@pytest.mark.parametrize(
    ("older", "newer"),
    [("2024-01-01", "2024-06-01T00:00:00Z"), (9, 10), (1.5, 1.75)],
)
def test_what_an_earlier_run_wrote_is_not_set_back_by_an_older_row(
    deliver: Deliver, service: Sandbox, settings: dict[str, Any], older: Any, newer: Any
) -> None:
    settings["mappings"] = [RECENT]
    deliver(FIRMS, firm("new", newer), **settings).ok()
    done = deliver(FIRMS, firm("old", older), **settings).ok()
    assert done.totals["skipped"] == 1
    assert held(service, "accounts")[("a",)] == {"Plan": "new"}
    assert deliver(FIRMS, firm("same moment", newer), **settings).ok().totals["sent"] == 1


def test_an_unchanged_row_counts_for_how_recent_its_key_is(
    deliver: Deliver, service: Sandbox, settings: dict[str, Any]
) -> None:
    settings |= {"mappings": [RECENT], "skip_unchanged": True}
    deliver(FIRMS, firm("p", 1), **settings).ok()
    assert deliver(FIRMS, firm("p", 5), **settings).ok().totals["unchanged"] == 1
    assert deliver(FIRMS, firm("q", 3), **settings).ok().totals["skipped"] == 1


def test_a_row_that_was_not_delivered_makes_no_older_one_stale(
    deliver: Deliver, service: Sandbox, settings: dict[str, Any]
) -> None:
    settings["mappings"] = [RECENT]
    service.chaos("503@tracking")
    assert deliver(FIRMS, firm("new", 9), **settings, max_retry_seconds=0).error is not None
    service.chaos()
    assert deliver(FIRMS, firm("old", 1), **settings).ok().totals["sent"] == 1


def test_everything_is_sent_from_time_to_time(
    deliver: Deliver, service: Sandbox, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(redundant.time, "time", lambda: now)
    settings |= {"skip_unchanged": True, "full_sync_every_hours": 24}
    row = FIRMS, firm("p", 1)
    assert deliver(*row, **settings).ok().totals["sent"] == 1
    now += 23 * 3600
    assert deliver(*row, **settings).ok().totals["unchanged"] == 1
    now += 2 * 3600
    service.load(accounts=[{"account_id": "a", "attributes": {"Plan": "altered by hand"}}])
    service.chaos("503@tracking")
    assert deliver(*row, **settings, max_retry_seconds=0).error is not None
    service.chaos()
    done = deliver(*row, **settings).ok()  # a run that did not do everything did not count
    assert done.totals["sent"] == 1
    assert "full_sync_every_hours" in done.said
    assert held(service, "accounts")[("a",)]["Plan"] == "p"
    assert deliver(*row, **settings).ok().totals["unchanged"] == 1
    now += 25 * 3600
    monkeypatch.setattr(stages, "BATCH_ROWS", 1)
    done = deliver(*row, firm("q", 2), **settings).ok()
    assert done.totals["sent"] == 2
    assert done.said.count("full_sync_every_hours") == 1


def test_old_values_that_come_back_behind_others_go_out_again(
    deliver: Deliver, service: Sandbox, settings: dict[str, Any]
) -> None:
    settings["skip_unchanged"] = True
    deliver(FIRMS, firm("old"), **settings).ok()
    done = deliver(FIRMS, firm("new"), firm("old"), firm("old"), **settings).ok()
    assert done.totals["sent"] == 3
    assert held(service, "accounts")[("a",)]["Plan"] == "old"


def test_a_row_is_noted_no_more_once_a_newer_one_of_its_key_is_on_its_way(
    deliver: Deliver, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two, the next run would take the older values for unchanged."""
    put, collect, noted = TrackingDestination.put, TrackingDestination.collect, Ledger.confirm
    sent: list[int] = []
    confirmed: list[tuple[str, ...]] = []

    def put_and_wait(self: TrackingDestination, row: Row) -> bool:
        sent.append(row.seq)
        put(self, row)
        if row.seq == stages.BATCH_ROWS + 1:
            self.drain(until=time.monotonic() + 30)
        return True

    def collect_late(self: TrackingDestination) -> Sequence[tuple[Row, Any]]:
        return collect(self) if max(sent, default=0) > stages.BATCH_ROWS else []

    def confirm(self: Ledger, confirmations: Mapping[tuple[str, ...], Confirmation]) -> None:
        confirmed.extend(confirmations)
        noted(self, confirmations)

    monkeypatch.setattr(TrackingDestination, "put", put_and_wait)
    monkeypatch.setattr(TrackingDestination, "collect", collect_late)
    monkeypatch.setattr(Ledger, "confirm", confirm)
    rows = 2 * stages.BATCH_ROWS
    others = [record("accounts", account_id=f"b-{n}", Plan="x") for n in range(rows - 2)]
    deliver(FIRMS, firm("old"), *others, firm("new"), canary=False, **settings).ok()
    assert len(confirmed) == rows - 1
    assert len(set(confirmed)) == len(confirmed)
