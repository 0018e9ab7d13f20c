"""What destinations remember, wait for and forget."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import pytest

from target_totango.delivery import hub, tracking
from target_totango.delivery.hub import HubDestination
from target_totango.delivery.tracking import TrackingDestination, TrackingWorker
from target_totango.models import ACCOUNTS, USERS, Row, SourceStream, WriteRequest
from totango_api.writing import RowAccepted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = SourceStream("s", {}, ())


def row(seq: int, account_id: str, user_id: str | None = None, **account: str) -> Row:
    object_ = ACCOUNTS if user_id is None else USERS
    request = WriteRequest(object_, account_id, user_id, account=account)
    return Row(seq, SOURCE, {}, "s", object_, request=request)


class HubThatTakesAll:
    """Stands for the client of the hub."""

    max_rows = 100
    repeats_activities = False

    def __init__(self) -> None:
        self.is_called = threading.Event()

    def results(self, batch: Any) -> Iterator[tuple[list[int], RowAccepted]]:
        self.is_called.set()
        yield list(range(len(batch.rows))), RowAccepted()


def test_a_batch_does_not_wait_for_ever_to_be_full(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = HubThatTakesAll()
    unused: Any = None
    destination = HubDestination(
        client, arrivals=unused, prepare=lambda rows: None, is_interrupted=lambda: False
    )
    destination.put(row(1, "a"))
    assert (destination.collect(), destination.busy) == ([], False)
    monkeypatch.setattr(hub, "LONGEST_WAIT", 0.0)
    destination.collect()
    assert client.is_called.wait(20)
    destination.close()


class Calls:
    """Stands for the client of tracking calls, and for what makes them: they go on until told."""

    room = 100

    def __init__(self) -> None:
        self.under_way: list[Callable[[Any], None]] = []

    def poster(self, *, max_in_flight: int) -> Calls:
        return self

    def form(self, *_: Any) -> dict[str, str]:
        return {}

    def post(self, _form: Any, done: Callable[[Any], None], *, idempotent: bool) -> None:
        self.under_way.append(done)

    def end(self, result: Any) -> None:
        while self.under_way:
            self.under_way.pop()(result)

    def cancel(self) -> None:
        self.end(CancelledError())

    def close(self) -> None:
        pass


def tracked(calls: Any) -> TrackingDestination:
    worker = TrackingWorker(
        calls, max_in_flight=8, repeats_activities=False, prepare=lambda rows: None
    )
    return TrackingDestination(worker, is_interrupted=lambda: False)


@pytest.mark.parametrize(("remembered", "at_once"), [(3, 2), (2, 1)])
def test_what_accounts_were_sent_as_is_remembered_of_the_latest(
    monkeypatch: pytest.MonkeyPatch, remembered: int, at_once: int
) -> None:
    monkeypatch.setattr(tracking, "ACCOUNTS_REMEMBERED", remembered)
    calls = Calls()
    destination = tracked(calls)
    for seq, account_id in enumerate("abc"):
        destination.put(row(seq, account_id, f"u{seq}", account_name="A"))
    destination.collect()
    calls.end(None)
    assert len(destination.collect()) == 3
    for seq in (3, 4):
        destination.put(row(seq, "a", f"u{seq}", account_name="A"))
    destination.collect()
    # The second one waits for the first where that may give the account another name.
    assert len(calls.under_way) == at_once


def test_a_call_that_was_cancelled_is_under_way_no_longer() -> None:
    destination = tracked(Calls())
    destination.put(row(1, "a"))
    destination.collect()
    assert destination.busy
    destination.cancel()
    assert destination.collect() == []
    assert not destination.busy
