"""Never more calls than allowed, by our own count and by the server's."""

from __future__ import annotations

import threading
import time

import pytest
from requests.structures import CaseInsensitiveDict

from totango_api.http import rate_limit as module
from totango_api.http.headers import ServerRateLimit
from totango_api.http.rate_limit import RateLimiter


def told(prefix: str = "RateLimit", **values: object) -> CaseInsensitiveDict[str]:
    return CaseInsensitiveDict({f"{prefix}-{name}": str(value) for name, value in values.items()})


@pytest.mark.parametrize("prefix", ["RateLimit", "X-RateLimit", "x-ratelimit"])
@pytest.mark.parametrize("reset", [30, 30.0, 1_700_000_030, 1_700_000_030_000])
def test_headers_in_every_spelling(prefix: str, reset: float) -> None:
    said = ServerRateLimit.from_headers(told(prefix, Remaining=7, Reset=reset), now=1_700_000_000)
    assert said == ServerRateLimit(remaining=7, reset_in=30)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"Remaining": 5},
        {"Reset": 5},
        {"Remaining": "many", "Reset": 5},
        {"Remaining": -1, "Reset": 5},
        {"Remaining": "inf", "Reset": 5},
        {"Remaining": "nan", "Reset": 5},
        {"Remaining": 5, "Reset": "inf"},
        {"Remaining": "", "Reset": ""},
    ],
    ids=str,
)
def test_headers_that_say_nothing(values: dict[str, object]) -> None:
    assert ServerRateLimit.from_headers(told(**values), now=0) is None
    RateLimiter(100).observe(told(**values))


def test_a_reset_in_the_past_is_now() -> None:
    said = ServerRateLimit.from_headers(told(Remaining=0, Reset=1_600_000_000), now=1_700_000_000)
    assert said == ServerRateLimit(remaining=0, reset_in=0)


def held(budget: RateLimiter, *, after: float = 0.0) -> bool:
    """Whether a call would wait, now or some seconds later."""
    return budget._seconds_to_hold(time.monotonic() + after) > 0


def test_nothing_left_means_waiting_for_the_reset() -> None:
    budget = RateLimiter(100)
    budget.observe(told(Remaining=0, Reset=50))
    assert held(budget)
    assert held(budget, after=49)
    assert not held(budget, after=60)


def test_calls_under_way_count_against_what_is_left() -> None:
    budget = RateLimiter(100)
    budget.observe(told(Remaining=2, Reset=50))
    with budget.call():
        assert not held(budget)
        with budget.call():
            assert held(budget)


def test_answers_that_overtake_each_other_do_not_give_calls_back() -> None:
    budget = RateLimiter(100)
    budget.observe(told(Remaining=0, Reset=50))
    budget.observe(told(Remaining=5, Reset=50))
    assert held(budget)


def test_an_answer_of_an_older_window_says_nothing() -> None:
    budget = RateLimiter(100)
    budget.observe(told(Remaining=0, Reset=50))
    budget.observe(told(Remaining=9, Reset=20))
    assert held(budget, after=30)


def test_a_new_window_does() -> None:
    budget = RateLimiter(100)
    budget.observe(told(Remaining=0, Reset=1))
    budget.observe(told(Remaining=99, Reset=50))
    assert not held(budget)


def test_a_429_holds_all_calls() -> None:
    for calls in (0, 100):
        budget = RateLimiter(calls)
        budget.hold(30)
        budget.hold(5)
        assert held(budget, after=29)
        assert not held(budget, after=31)


def test_without_pacing_only_a_429_counts() -> None:
    budget = RateLimiter(0)
    budget.observe(told(Remaining=0, Reset=50))
    assert not held(budget)


def test_never_more_calls_in_any_window(monkeypatch: pytest.MonkeyPatch) -> None:
    window, most = 0.3, 7
    monkeypatch.setattr(module, "RATE_WINDOW_SECONDS", window)
    monkeypatch.setattr(module, "MARGIN_SECONDS", 0.05)
    budget, times, lock = RateLimiter(most), [], threading.Lock()

    def calls() -> None:
        for _ in range(7):
            with budget.call(), lock:
                times.append(time.monotonic())

    threads = [threading.Thread(target=calls) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 35
    times.sort()
    for first, after in zip(times, times[most:], strict=False):
        assert after - first > window


def test_a_call_that_fails_gives_its_place_back() -> None:
    budget = RateLimiter(100)
    with pytest.raises(RuntimeError), budget.call():
        raise RuntimeError
    assert budget._in_flight == 0


def test_it_says_how_many_calls_are_left() -> None:
    limiter = RateLimiter(5)
    assert limiter.left == 5
    for _ in range(2):
        with limiter.call():
            pass
    assert limiter.left == 3
    limiter.observe(told(Remaining=1, Reset=30))
    assert limiter.left == 1
    limiter.observe(told(Remaining=4, Reset=90))  # a new window: our own count is the lower one
    assert limiter.left == 3
    assert RateLimiter(0).left is None
