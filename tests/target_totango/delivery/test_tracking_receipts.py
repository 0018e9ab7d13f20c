"""Only a receipt confirms a tracking call: a GIF, or what a setting or the canary says is one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, ACTIVITIES, held, record, state

from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

QUICK = {"max_retry_seconds": 0, "canary": False}
NO_RECEIPTS = {
    "page": "<html><body>Please log in</body></html>",
    "failure": '{"status": "failed"}',
    "success": '{"status": "success"}',
    "text": "Too many requests",
    "nothing": "",
    "null": "null",
    "list": "[]",
    "almost": "GIF",
}


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("totango_api.http.retry.random.uniform", lambda _low, _high: 0.01)


def accounts(rows: int) -> list[dict[str, Any]]:
    return [record("accounts", account_id=f"a-{n}", Plan="x") for n in range(rows)]


def activities(rows: int) -> list[dict[str, Any]]:
    fields = {"account_id": "a", "user_id": "u", "activity": "Pay", "module": "Billing"}
    return [record("activities", id=n, **fields) for n in range(rows)]


@pytest.mark.parametrize("body", NO_RECEIPTS.values(), ids=NO_RECEIPTS)
def test_an_odd_answer_now_and_then_loses_no_account(
    deliver: Deliver, service: Sandbox, body: str
) -> None:
    service.chaos(f"answer@tracking:every=5:say={body}")
    done = deliver(ACCOUNTS, *accounts(30), state(1)).ok()
    assert len(held(service, "accounts")) == 30
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize("body", NO_RECEIPTS.values(), ids=NO_RECEIPTS)
def test_an_activity_that_was_answered_oddly_is_uncertain_and_not_sent_again(
    deliver: Deliver, service: Sandbox, body: str
) -> None:
    service.chaos(f"answer@tracking:every=5:say={body}")
    done = deliver(ACTIVITIES, *activities(20), state(1))
    assert "may or may not" in str(done.error)
    assert {name: done.totals[name] for name in ("sent", "uncertain")} == {
        "sent": 16,
        "uncertain": 4,
    }
    assert len(service.dump("activities")) == 16
    assert len(service.calls("tracking")) == 20
    assert {code for codes in done.codes for _, code in codes} == {"uncertain"}


@pytest.mark.parametrize("body", NO_RECEIPTS.values(), ids=NO_RECEIPTS)
def test_a_service_that_never_gives_a_receipt_confirms_nothing(
    deliver: Deliver, service: Sandbox, body: str
) -> None:
    service.chaos(f"answer@tracking:say={body}")
    done = deliver(ACCOUNTS, *accounts(5), state(1), **QUICK)
    assert done.error is not None
    assert (done.states, done.rejected) == ([], [])
    assert done.totals["undelivered"] == 5


def test_a_setting_says_what_else_is_a_receipt(deliver: Deliver, service: Sandbox) -> None:
    service.chaos('answer@tracking:applied:say={"ok": true, "id": 17}')
    receipt = r'\{"ok": true, "id": \d+\}'
    done = deliver(ACCOUNTS, *accounts(5), state(1), tracking_receipt=receipt, **QUICK).ok()
    assert done.totals["sent"] == 5
    service.chaos('answer@tracking:say={"ok": true, "id": 17, "failed": 1}')
    done = deliver(ACCOUNTS, *accounts(5), state(1), tracking_receipt=receipt, **QUICK)
    assert (done.states, done.totals.get("sent", 0)) == ([], 0)


def test_a_pattern_that_is_none_is_refused(deliver: Deliver) -> None:
    assert isinstance(deliver(ACCOUNTS, tracking_receipt="(").error, SettingsError)


@pytest.mark.parametrize("body", ["", '{"status": "ok"}', "accepted"])
def test_the_canary_learns_what_a_service_answers(
    deliver: Deliver, service: Sandbox, body: str
) -> None:
    service.chaos(f"answer@tracking:applied:say={body}")
    done = deliver(ACCOUNTS, ACTIVITIES, *accounts(8), *activities(3), state(1)).ok()
    assert done.totals["sent"] == 11
    assert len(service.dump("activities")) == 3
    assert "counts as a receipt" in done.said


def test_what_a_canary_proved_is_forgotten_at_the_first_gif(
    deliver: Deliver, service: Sandbox
) -> None:
    # The first four calls are applied, and answered by something that loses later calls.
    odd = '{"status": "ok"}'
    service.chaos(
        f"answer@tracking:times=4:applied:say={odd}", f"answer@tracking:match=a-3:say={odd}"
    )
    done = deliver(ACCOUNTS, *accounts(6), state(1), max_in_flight=1)
    assert done.error is not None
    assert done.totals["sent"] == 5
    assert sorted(held(service, "accounts")) == [(f"a-{n}",) for n in (0, 1, 2, 4, 5)]
    assert done.states == []


@pytest.mark.parametrize("body", ["<html>ok</html>", '{"status": "failed"}', "Forbidden"])
def test_a_page_or_a_failure_is_never_learned(
    deliver: Deliver, service: Sandbox, body: str
) -> None:
    service.chaos(f"answer@tracking:applied:say={body}")
    done = deliver(ACCOUNTS, *accounts(3), state(1), max_retry_seconds=0)
    assert done.error is not None
    assert (done.states, done.totals.get("sent", 0)) == ([], 0)


def test_what_a_service_drops_is_not_proven(deliver: Deliver, service: Sandbox) -> None:
    service.chaos('answer@tracking:say={"status": "ok"}')
    done = deliver(ACCOUNTS, *accounts(3), state(1), verify_timeout=0.5)
    assert "tracking_receipt" in str(done.error)
    assert (done.states, done.totals.get("sent", 0)) == ([], 0)


def test_an_odd_answer_is_quoted_without_secrets(deliver: Deliver, service: Sandbox) -> None:
    service.chaos(f"answer@tracking:say={json.dumps({'who': 'ann@example.com'})}")
    done = deliver(ACCOUNTS, *accounts(2), state(1), **QUICK)
    assert "[e-mail]" in str(done.error)
    assert "ann@" not in done.said + str(done.error)
