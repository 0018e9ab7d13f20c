"""Runs of the target that are told: whatever ended them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from in_process import run_main
from listeners import webhook
from target_runs import ACCOUNTS, record

from target_totango.cli import main
from target_totango.pipeline.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

GOOD, BAD = (record("accounts", account_id=name) for name in ("a", "Ann Smith"))


def test_rejects_are_told_above_a_share(deliver: Deliver) -> None:
    rejects = {"notify_on": "rejects", "max_rejected": "100%"}
    with webhook() as hook:
        deliver(ACCOUNTS, GOOD, BAD, notify_webhook=hook.url, max_rejected="100%").ok()
        deliver(ACCOUNTS, GOOD, notify_webhook=hook.url, **rejects).ok()
        above = {**rejects, "notify_rejects_above": "50%"}
        deliver(ACCOUNTS, GOOD, BAD, notify_webhook=hook.url, **above).ok()
        assert not hook.got
        deliver(ACCOUNTS, GOOD, BAD, notify_webhook=hook.url, **rejects).ok()
    ((_, told),) = hook.got
    assert told["text"].splitlines()[:2] == [
        "target-totango: run done",
        "accounts: received 2, sent 1, rejected 1",
    ]
    assert "Ann Smith" not in json.dumps(told)


def test_a_failing_run_is_told_and_a_webhook_that_is_gone_is_a_warning(deliver: Deliver) -> None:
    with webhook() as hook:
        failed = deliver(ACCOUNTS, BAD, notify_webhook=hook.url)
    ((_, told),) = hook.got
    assert str(failed.error) in told["text"]
    done = deliver(ACCOUNTS, GOOD, notify_on="always", notify_webhook=hook.url).ok()
    assert "Nobody was notified by notify_webhook" in done.said


def test_a_run_that_is_stopped_is_told(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Stages.add

    def stop(self: Stages, row: object) -> None:
        add(self, row)  # type: ignore[arg-type]
        self._interruption.signal = 15

    monkeypatch.setattr(Stages, "add", stop)
    with webhook() as hook:
        done = deliver(ACCOUNTS, GOOD, notify_webhook=hook.url)
    assert isinstance(done.error, SystemExit)
    ((_, told),) = hook.got
    assert "Stopped by signal 15" in told["text"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"service_id": None}, "service_id"), ({"sync_mode": "odd"}, "sync_mode")],
)
def test_a_run_that_does_not_begin_is_told(
    service: Sandbox,
    config_file: Callable[..., Path],
    settings: dict[str, object],
    said: str,
) -> None:
    with webhook() as hook:
        config = config_file({**service.config(), "notify_webhook": hook.url, **settings})
        assert run_main(main, "target-totango", "--config", str(config)).code == 1
    ((_, told),) = hook.got
    assert said in told["text"]
