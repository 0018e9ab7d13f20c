"""How late an event loop is, on a loop whose clock the test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from totango_api.http.event_loop import TICK_SECONDS, LoopLag

if TYPE_CHECKING:
    from collections.abc import Callable


class StandingLoop:
    """A loop that comes to its timer when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        self.timers.append((when, callback))

    def tick(self, *, late: float) -> None:
        [(when, callback)] = self.timers
        self.timers.clear()
        self.now = when + late
        callback()


def measured(*late: float) -> float:
    loop: Any = StandingLoop()
    lag = LoopLag(loop, lambda: True)
    lag.start()
    lag.start()
    for seconds in late:
        loop.tick(late=seconds)
    return lag.take()


def test_a_loop_that_is_there_in_time_has_none() -> None:
    assert measured() == measured(0.0, 0.0) == 0.0


def test_of_short_ones_it_is_the_mean() -> None:
    assert measured(0.001, 0.003) == pytest.approx(0.002)


def test_a_long_one_counts_for_all_that_came_meanwhile() -> None:
    late = [4 * TICK_SECONDS - number * TICK_SECONDS for number in range(5)]
    assert measured(4 * TICK_SECONDS) == pytest.approx(sum(late) / 5)


def test_it_is_measured_only_while_that_is_wanted() -> None:
    loop: Any = StandingLoop()
    wanted = [False]
    lag = LoopLag(loop, lambda: wanted[0])
    lag.start()
    loop.tick(late=0.0)
    assert not loop.timers
    lag.start()
    assert loop.timers


def test_each_is_told_once() -> None:
    loop: Any = StandingLoop()
    lag = LoopLag(loop, lambda: True)
    lag.start()
    loop.tick(late=0.002)
    assert lag.take() == pytest.approx(0.002)
    assert lag.take() == 0.0
