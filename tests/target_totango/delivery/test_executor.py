"""The ways to deliver and the gate: whatever goes on at once, order and state are the input's."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_totango.delivery.executor import OrderedPool
from target_totango.delivery.ordered_calls import OrderedCalls
from totango_api.http.call_loop import CallLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_totango.delivery.ordering import Task

keys = st.integers(0, 3)
jobs = st.lists(
    st.tuples(st.sets(keys, min_size=1, max_size=2), st.sets(keys, max_size=1), st.booleans()),
    max_size=40,
)


@settings(deadline=None)
@given(jobs, st.integers(1, 6))
def test_jobs_that_share_a_key_run_in_the_order_of_submission(
    plan: list[tuple[set[int], set[int], bool]], workers: int
) -> None:
    log: list[tuple[str, int]] = []
    lock = threading.Lock()

    def work(job: int) -> int:
        with lock:
            log.append(("start", job))
        if plan[job][2]:
            time.sleep(0.001)
        with lock:
            log.append(("end", job))
        return job * 2

    settled: dict[int, int] = {}
    pool: OrderedPool[int, int] = OrderedPool(work, settled.__setitem__, workers=workers)
    for number, (writes, after, _) in enumerate(plan):
        pool.submit(number, writes=writes, after=after)
    assert pool.drain()
    pool.close()

    assert settled == {number: number * 2 for number in range(len(plan))}
    place = {entry: at for at, entry in enumerate(log)}
    for later, (writes, after, _) in enumerate(plan):
        for earlier in range(later):
            if plan[earlier][0] & (writes | after):
                assert place["end", earlier] < place["start", later]


def test_jobs_without_a_common_key_run_at_once() -> None:
    meeting = threading.Barrier(4, timeout=10)
    pool: OrderedPool[int, int] = OrderedPool(lambda _: meeting.wait(), lambda *_: None, workers=4)
    for number in range(4):
        pool.submit(number, writes=[number])
    assert pool.drain(until=time.monotonic() + 20)
    pool.close()


def test_reading_ahead_is_bounded() -> None:
    gate = threading.Event()
    pool: OrderedPool[int, bool] = OrderedPool(lambda _: gate.wait(10), lambda *_: None, workers=2)
    submitted = []

    def submit() -> None:
        for number in range(1000):
            pool.submit(number, writes=[number])
            submitted.append(number)

    thread = threading.Thread(target=submit)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    assert len(submitted) < 50
    gate.set()
    thread.join(30)
    assert pool.drain()
    pool.close()


def test_what_a_job_raises_is_raised_to_whoever_waits() -> None:
    def work(job: int) -> int:
        return 1 // job

    settled: list[int] = []
    pool: OrderedPool[int, int] = OrderedPool(work, lambda job, _: settled.append(job), workers=2)
    pool.submit(0, writes=[1])
    with pytest.raises(ZeroDivisionError):
        pool.drain()
    pool.submit(1, writes=[1])
    assert pool.drain()
    assert settled == [1]
    pool.close()


def test_a_cancelled_pool_starts_nothing_new() -> None:
    started, release = threading.Semaphore(0), threading.Event()

    def work(job: int) -> int:
        started.release()
        release.wait(10)
        return job

    settled: list[int] = []
    pool: OrderedPool[int, int] = OrderedPool(work, lambda job, _: settled.append(job), workers=1)
    pool.submit(1, writes=[1])
    pool.submit(2, writes=[2])
    assert started.acquire(timeout=10)
    pool.cancel_queued()
    release.set()
    while pool.busy:
        pool.collect()
    assert settled == [1]
    assert not pool.drain(until=time.monotonic() + 0.1)
    pool.close()


# In one thread ---------------------------------------------------------------------------------


class Calls:
    """Jobs that take so many milliseconds in an event loop, and a log of what happened."""

    def __init__(self, *, in_flight: int, interrupted: Callable[[], bool] = lambda: False) -> None:
        self.loop = CallLoop()
        self.log: list[tuple[str, int]] = []
        self.prepared: list[list[int]] = []
        self.settled: dict[int, str] = {}
        self.milliseconds: dict[int, float] = {}
        self.instead: str | None = None
        self.calls: OrderedCalls[int, str] = OrderedCalls(
            self.loop,
            prepare=self._prepare,
            start=self._start,
            settle=self.settled.__setitem__,
            in_flight=in_flight,
            interrupted=interrupted,
        )

    def submit(self, job: int, writes: set[int], after: set[int] | None = None) -> None:
        self.calls.submit(job, writes=writes, after=after or set())

    def _prepare(self, jobs: list[int]) -> str | None:
        self.prepared.append(jobs)
        return self.instead

    def _start(self, task: Task[int]) -> None:
        self.log.append(("start", task.job))
        self.loop.inner.call_later(self.milliseconds.get(task.job, 0) / 1000, self._end, task)

    def _end(self, task: Task[int]) -> None:
        self.log.append(("end", task.job))
        self.calls.finish(task, f"done {task.job}")


@pytest.fixture
def calls() -> Iterator[Callable[..., Calls]]:
    with contextlib.ExitStack() as stack:

        def make(**settings: Any) -> Calls:
            made = Calls(**settings)
            stack.callback(made.loop.close)
            return made

        yield make


@settings(deadline=None, max_examples=50)
@given(jobs, st.integers(1, 3))
def test_calls_that_share_a_key_run_in_the_order_of_submission(
    plan: list[tuple[set[int], set[int], bool]], in_flight: int
) -> None:
    made = Calls(in_flight=in_flight)
    try:
        for number, (writes, after, slow) in enumerate(plan):
            made.milliseconds[number] = 1.0 if slow else 0.0
            made.submit(number, writes, after)
        assert made.calls.drain()
    finally:
        made.loop.close()

    assert made.settled == {number: f"done {number}" for number in range(len(plan))}
    place = {entry: at for at, entry in enumerate(made.log)}
    for later, (writes, after, _) in enumerate(plan):
        for earlier in range(later):
            if plan[earlier][0] & (writes | after):
                assert place["end", earlier] < place["start", later]
    under_way = 0
    for what, _ in made.log:
        under_way += 1 if what == "start" else -1
        assert under_way <= in_flight
    assert sorted(job for group in made.prepared for job in group) == list(range(len(plan)))


def test_calls_that_start_together_are_prepared_together(calls) -> None:
    made = calls(in_flight=4)
    for number in range(20):
        made.submit(number, {number})
    assert made.calls.drain()
    assert made.prepared[0] == [0, 1, 2, 3]
    assert len(made.prepared) < 10


def test_few_calls_wait_for_company_only_until_they_are_looked_after(calls) -> None:
    made = calls(in_flight=4)
    made.submit(1, {1})
    assert made.log == []
    made.calls.collect()
    assert made.log[0] == ("start", 1)
    assert made.calls.drain()


def test_what_cannot_be_prepared_does_not_start(calls) -> None:
    made = calls(in_flight=2)
    made.instead = "no"
    for number in range(5):
        made.submit(number, {0})
    assert made.calls.drain()
    assert made.settled == dict.fromkeys(range(5), "no")
    assert made.log == []


def test_queueing_is_bounded_and_can_be_interrupted(calls) -> None:
    made = calls(in_flight=2, interrupted=lambda: made.calls.unfinished > 0)
    made.milliseconds = dict.fromkeys(range(1000), 60_000)

    def submit_many() -> None:
        for number in range(1000):
            made.submit(number, {number})

    with pytest.raises(InterruptedError):
        submit_many()
    assert made.calls.unfinished < 50
    assert made.calls.busy
    assert not made.calls.drain(until=time.monotonic() + 0.1)


def test_cancelled_calls_do_not_start(calls) -> None:
    made = calls(in_flight=1)
    made.milliseconds = {1: 50}
    made.submit(1, {1})
    made.submit(2, {1})
    made.submit(3, {3})
    made.calls.collect()
    made.calls.cancel_queued()
    while made.calls.busy:
        made.calls.drain(until=time.monotonic() + 0.1)
    assert made.settled == {1: "done 1"}
    assert made.calls.unfinished == 2


def test_what_a_start_raises_is_raised_to_whoever_waits(calls) -> None:
    made = calls(in_flight=1)
    made.calls._start = lambda task: 1 // 0
    with pytest.raises(ZeroDivisionError):
        made.submit(1, {1})


def test_what_settling_raises_leaves_the_other_results(calls) -> None:
    made = calls(in_flight=2)

    def settle(job: int, result: str) -> None:
        made.settled[job] = result
        if job == 0:
            raise KeyError

    made.calls._settle = settle
    made.submit(0, {0})
    made.submit(1, {1})
    with pytest.raises(KeyError):
        made.calls.drain()
    assert made.calls.drain()
    assert set(made.settled) == {0, 1}
