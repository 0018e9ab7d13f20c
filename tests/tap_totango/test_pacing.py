"""A long read meets no 429, whatever the headers that tell of the limit look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from skipped_waits import Clock
from stub_totango import hits, ok

from totango_api.http import rate_limit

if TYPE_CHECKING:
    from stub_totango import Asked, Reply


pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("headers", "reset"), [("RateLimit", "seconds"), ("X-RateLimit", "epoch")])
def test_the_servers_own_budget_is_kept(service, tap, headers: str, reset: str) -> None:
    service.load(accounts=[{"account_id": f"a-{n}", "account_name": f"A {n}"} for n in range(300)])
    service.set(rate_limit=12, rate_window=2, rate_headers=headers, rate_reset=reset)
    ran = tap(rate_limit_per_minute=100, page_size=20, max_in_flight=6).ok()
    assert len(ran.keys("accounts")) == 300
    calls = service.stats()["calls"]
    assert not any("429" in statuses for statuses in calls.values()), calls


def test_a_429_now_and_then_costs_a_wait_and_no_row(service, tap) -> None:
    service.load(accounts=[{"account_id": f"a-{n}", "account_name": f"A {n}"} for n in range(450)])
    service.chaos("429@accounts:every=9:retry=0")
    ran = tap(page_size=20, max_retry_seconds=30).ok()
    assert len(ran.keys("accounts")) == 450
    assert service.stats()["calls"]["accounts"]["429"] >= 2


@pytest.mark.parametrize("wait", ["1", "0", "Mon, 01 Jan 2024 00:00:00 GMT", "soon", ""])
def test_any_retry_after(stub, tap, monkeypatch: pytest.MonkeyPatch, wait: str) -> None:
    refused: list[str] = []
    clock = Clock()
    monkeypatch.setattr("backoff._sync.time", clock)
    monkeypatch.setattr(rate_limit, "time", clock)

    def answer(call: Asked) -> Reply:
        if call.path.endswith("users") and not refused:
            refused.append(call.path)
            return 429, {"Retry-After": wait, "RateLimit-Reset": "1"}, b'"Too many requests"'
        return ok(hits(call.path.rsplit("/", 1)[-1], [], 0))

    tap(config=stub(answer).config(max_retry_seconds=3)).ok()
    assert refused


def test_a_wait_longer_than_allowed_is_not_begun(stub, tap) -> None:
    server = stub(lambda call: (429, {"Retry-After": "3600"}, b'"Too many requests"'))
    ran = tap(config=server.config(max_retry_seconds=0.05)).failed("429", "rate_limit_per_minute")
    assert len([call for call in server.asked if call.path.endswith("accounts")]) == 1
    assert not ran.records("accounts")
