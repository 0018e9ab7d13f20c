"""Runs of the tap that are told: whatever ended them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from listeners import webhook

from tap_totango.records import MessageWriter, Stopped

if TYPE_CHECKING:
    from conftest import Tap
    from sandboxes import Sandbox


def test_failures_are_told_and_others_only_if_asked_for(tap: Tap, service: Sandbox) -> None:
    service.load(accounts=[{"account_id": "a"}])
    with webhook() as hook:
        ran = tap(notify_webhook=hook.url).ok()
        assert not hook.got
        tap(notify_webhook=hook.url, notify_on="always").ok()
        service.chaos("500@search")
        failed = tap(notify_webhook=hook.url, max_retry_seconds=0).failed("accounts")
    (_, done), (_, broken) = hook.got
    assert "accounts: received 1" in done["text"]
    assert "2 of the streams failed" in broken["text"]
    assert "hidden-path" not in ran.said + failed.said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"app_token": "wrong"}, "401"),
        ({"app_token": None}, "app_token"),
        ({"page_size": 0}, "page_size"),
        ({"accounts_query": "{"}, "accounts_query"),
    ],
)
def test_a_run_that_does_not_begin_is_told(
    tap: Tap, service: Sandbox, settings: dict[str, object], said: str
) -> None:
    with webhook() as hook:
        tap(notify_webhook=hook.url, **settings).failed(said)
    ((_, told),) = hook.got
    assert said in told["text"]


def test_a_run_that_is_stopped_is_told(
    tap: Tap, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load(accounts=[{"account_id": "a"}])

    def stop(*_: object) -> None:
        raise Stopped(15)

    monkeypatch.setattr(MessageWriter, "write_lines", stop)
    with webhook() as hook:
        assert tap(notify_webhook=hook.url).code == 143
    ((_, told),) = hook.got
    assert "Stopped by" in told["text"]


def test_discovery_tells_nobody(tap: Tap, service: Sandbox) -> None:
    with webhook() as hook:
        tap("--discover", app_token="wrong", notify_webhook=hook.url).failed()
    assert not hook.got


def test_a_webhook_that_is_gone_fails_no_run(tap: Tap, service: Sandbox) -> None:
    ran = tap(notify_webhook="http://127.0.0.1:1/hidden-path", notify_on="always").ok()
    assert "Nobody was notified by notify_webhook" in ran.said
    assert "hidden-path" not in ran.said
