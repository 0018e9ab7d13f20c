"""How many calls at once: found for servers of several kinds, on a clock of the test."""

from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING

import pytest

from totango_api.http.adaptive_limit import AdaptiveLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[int], tuple[float, str]]


class Simulation:
    """Calls one after another, as many at once as the limit says.

    Args:
        answer: Given how many calls are under way with a new one, returns how many seconds it
            takes and what it comes to: `ok`, `429` or `failed`.
        most: Of calls.
        lag: What this process adds.
    """

    def __init__(
        self, answer: Answer, *, most: int = 128, lag: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.now = 0.0
        self.limit = AdaptiveLimit(most, clock=lambda: self.now, lag=lag)
        self.answer = answer
        self.under_way: list[tuple[float, int, float, str]] = []
        self.calls = 0
        self.most_under_way = 0
        self.outcomes: dict[str, int] = {"ok": 0, "429": 0, "failed": 0}

    def run(self, seconds: float) -> dict[str, int]:
        """Go on for some seconds; return how many calls came to what."""
        self.outcomes = dict.fromkeys(self.outcomes, 0)
        self.most_under_way = 0
        end = self.now + seconds
        while self.now < end:
            while len(self.under_way) < self.limit.current:
                self.calls += 1
                takes, outcome = self.answer(len(self.under_way) + 1)
                call = (self.now + takes, self.calls, self.now, outcome)
                heapq.heappush(self.under_way, call)
            self.most_under_way = max(self.most_under_way, len(self.under_way))
            self.now, _, started, outcome = heapq.heappop(self.under_way)
            self.outcomes[outcome] += 1
            if outcome == "429":
                self.limit.note_429(started)
            else:
                self.limit.note_response(started, is_failure=outcome == "failed")
        return self.outcomes


def fast(calls: int) -> tuple[float, str]:
    return 0.030, "ok"


def test_a_server_that_bears_all_gets_all_within_a_moment() -> None:
    simulation = Simulation(fast)
    simulation.run(0.5)
    assert simulation.limit.current == 128
    assert simulation.run(10)["ok"] == pytest.approx(10 * 128 / 0.030, rel=0.01)


@pytest.mark.parametrize("most", [1, 5, 32, 33])
def test_never_more_than_the_user_said(most: int) -> None:
    simulation = Simulation(fast, most=most)
    simulation.run(2)
    assert simulation.limit.current == simulation.most_under_way == most


def test_where_more_than_40_are_answered_429_40_are_held() -> None:
    def answer(calls: int) -> tuple[float, str]:
        return (0.030, "ok") if calls <= 40 else (0.001, "429")

    simulation = Simulation(answer)
    simulation.run(3)
    outcomes = simulation.run(60)
    assert outcomes["ok"] > 0.9 * 60 * 40 / 0.030
    assert outcomes["429"] < 0.001 * outcomes["ok"]
    assert simulation.most_under_way <= 42


def test_where_more_than_40_make_it_slow_40_are_held() -> None:
    def answer(calls: int) -> tuple[float, str]:
        return (0.030 if calls <= 40 else 0.300), "ok"

    simulation = Simulation(answer)
    simulation.run(5)
    outcomes = simulation.run(60)
    assert outcomes["ok"] > 0.8 * 60 * 40 / 0.030
    assert simulation.most_under_way <= 42


def test_where_more_than_40_become_very_slow_that_is_found_and_hardly_tried_again() -> None:
    def answer(calls: int) -> tuple[float, str]:
        return (0.030 if calls <= 40 or simulation.now < 4 else 0.600), "ok"

    simulation = Simulation(answer)
    simulation.run(9)
    assert simulation.run(60)["ok"] > 0.8 * 60 * 40 / 0.030
    assert simulation.most_under_way <= 42


def test_after_more_was_too_much_what_was_fine_is_gone_on_with() -> None:
    simulation = Simulation(lambda calls: (0.030 if calls <= 40 else 0.300, "ok"))
    simulation.run(10)
    lowest = 128
    for _ in range(300):
        simulation.run(0.1)
        lowest = min(lowest, simulation.limit.current)
    assert lowest >= 0.9 * 39


def test_what_this_process_itself_adds_is_not_put_down_to_the_server() -> None:
    adds = [0.0]
    simulation = Simulation(lambda calls: (0.030 + adds[0], "ok"), lag=lambda: adds[0])
    simulation.run(1)
    adds[0] = 0.070
    assert simulation.run(20)["ok"] == pytest.approx(20 * 128 / 0.100, rel=0.01)


def test_a_lag_makes_no_call_faster_than_the_fastest_was() -> None:
    lag = [0.0]
    simulation = Simulation(lambda calls: (0.030, "ok"), lag=lambda: lag[0])
    simulation.run(1)
    lag[0] = 0.029
    simulation.run(1)
    lag[0] = 0.0
    simulation.run(5)
    assert simulation.limit.current == 128


def test_calls_that_only_wait_in_a_queue_are_not_made() -> None:
    free_at = [0.0] * 40  # when each of 40 workers is done
    pick = random.Random(1)

    def answer(calls: int) -> tuple[float, str]:
        done = max(heapq.heappop(free_at), simulation.now) + pick.uniform(0.025, 0.035)
        heapq.heappush(free_at, done)
        return done - simulation.now, "ok"

    simulation = Simulation(answer)
    simulation.run(5)
    outcomes = simulation.run(30)
    assert simulation.most_under_way <= 65
    assert outcomes["ok"] > 0.95 * 30 * 40 / 0.030


def test_where_many_fail_fewer_are_made() -> None:
    def answer(calls: int) -> tuple[float, str]:
        return 0.030, "ok" if calls <= 50 else "failed"

    simulation = Simulation(answer)
    simulation.run(5)
    outcomes = simulation.run(60)
    assert outcomes["failed"] < 0.02 * outcomes["ok"]
    assert outcomes["ok"] > 0.8 * 60 * 50 / 0.030


def test_single_rows_that_fail_change_nothing() -> None:
    simulation = Simulation(lambda calls: (0.030, "ok" if simulation.calls % 20 else "failed"))
    simulation.run(5)
    assert simulation.limit.current == 128


def test_in_an_outage_hardly_any_calls_are_made_and_afterwards_all() -> None:
    up = [False]
    simulation = Simulation(lambda calls: (0.030, "ok" if up[0] else "failed"))
    simulation.run(3)
    assert simulation.limit.current <= 2
    up[0] = True
    simulation.run(15)
    assert simulation.limit.current == 128


def test_a_server_that_gets_slower_for_a_reason_of_its_own_gets_all_again() -> None:
    seconds = [0.030]
    simulation = Simulation(lambda calls: (seconds[0], "ok"))
    simulation.run(3)
    seconds[0] = 0.200
    simulation.run(10)
    assert simulation.limit.current == 128


def test_few_slow_calls_change_nothing() -> None:
    simulation = Simulation(lambda calls: (0.030 if simulation.calls % 3 else 0.500, "ok"))
    simulation.run(5)
    assert simulation.limit.current == 128


def test_a_slow_moment_is_soon_forgotten() -> None:
    seconds = [0.030]
    simulation = Simulation(lambda calls: (seconds[0], "ok"))
    simulation.run(2)
    seconds[0] = 0.100
    simulation.run(0.6)
    assert simulation.limit.current < 128
    seconds[0] = 0.030
    simulation.run(3)
    assert simulation.limit.current == 128


def test_an_instant_in_which_a_fast_server_is_slow_changes_nothing() -> None:
    pick = random.Random(1)
    seconds = [0.001]
    simulation = Simulation(lambda calls: (seconds[0] * pick.uniform(0.8, 1.2), "ok"))
    simulation.run(0.5)
    for _ in range(10):
        seconds[0] = 0.060
        simulation.run(0.100)
        assert simulation.limit.current == 128
        seconds[0] = 0.001
        simulation.run(0.2)


def test_what_is_too_much_is_found_within_a_moment_and_tried_ever_later() -> None:
    simulation = Simulation(lambda calls: (0.030, "ok") if calls <= 40 else (0.001, "429"))
    simulation.run(2)
    refused = [simulation.run(10)["429"] for _ in range(3)]
    assert simulation.limit.current == 40
    assert refused[0] > refused[1] >= refused[2]
    assert sum(refused) < 20


def test_what_is_too_much_is_held_where_fewer_calls_arrive_than_are_made() -> None:
    pick = random.Random(1)

    def answer(calls: int) -> tuple[float, str]:
        return (0.030 if calls <= 40 + pick.randrange(8) else 0.300), "ok"

    simulation = Simulation(answer)
    simulation.run(10)
    assert simulation.run(60)["ok"] > 0.7 * 60 * 40 / 0.030
