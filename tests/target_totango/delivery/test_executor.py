"""Whatever goes on at once, results and order are those of one job after another."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.delivery.executor import KeyedExecutor
from target_totango.delivery.thread_worker import ThreadWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

keys = st.integers(0, 3)
jobs = st.lists(
    st.tuples(st.sets(keys, min_size=1, max_size=2), st.sets(keys, max_size=1), st.booleans()),
    max_size=40,
)


def soon() -> float:
    return time.monotonic() + 20


@contextmanager
def executing(
    work: Callable[[int], Any], *, threads: int = 2, capacity: int = 16, **how: Any
) -> Iterator[KeyedExecutor[int, Any]]:
    executor: KeyedExecutor[int, Any] = KeyedExecutor(
        ThreadWorker(work, threads=threads), capacity=capacity, **how
    )
    try:
        yield executor
    finally:
        executor.close()


def drained(executor: KeyedExecutor[int, Any]) -> list[tuple[int, Any]]:
    """Return the results of all jobs."""
    results, deadline = [], soon()
    while not executor.drain(until=deadline):
        assert time.monotonic() < deadline
        results += executor.collect()
    return results + executor.collect()


class GroupWorker:
    """Takes jobs in groups, has more room than threads, and ends jobs in any order."""

    def __init__(self, work: Callable[[int], Any], *, room: int) -> None:
        self.groups: list[list[int]] = []
        self.room = room
        self._work = work
        self._pool = ThreadPoolExecutor(4)
        self._lock = threading.Lock()

    def start(self, jobs: Sequence[int], done: Sequence[Callable[[Any], None]]) -> None:
        assert len(jobs) <= self.room
        self.groups.append(list(jobs))
        with self._lock:
            self.room -= len(jobs)
        for job, call in zip(jobs, done, strict=True):
            self._pool.submit(self._carry_out, job, call)

    def _carry_out(self, job: int, done: Callable[[Any], None]) -> None:
        result = self._work(job)
        with self._lock:
            self.room += 1
        done(result)

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        self._pool.shutdown()


@given(jobs, st.integers(1, 6), st.booleans())
def test_jobs_that_share_a_key_run_in_the_order_of_submission(
    plan: list[tuple[set[int], set[int], bool]], room: int, in_groups: bool
) -> None:
    log: list[tuple[str, int]] = []

    def work(job: int) -> int:
        log.append(("start", job))
        if plan[job][2]:
            time.sleep(0.001)
        log.append(("end", job))
        return job * 2

    worker = GroupWorker(work, room=room) if in_groups else ThreadWorker(work, threads=room)
    executor: KeyedExecutor[int, int] = KeyedExecutor(worker, capacity=7)
    results = []
    for number, (writes, after, _) in enumerate(plan):
        executor.submit(number, writes=writes, after=after)
        if executor.has_results:
            results += executor.collect()
    results += drained(executor)
    assert not executor.busy
    executor.close()

    assert sorted(results) == [(number, number * 2) for number in range(len(plan))]
    place = {entry: at for at, entry in enumerate(log)}
    for later, (writes, after, _) in enumerate(plan):
        for earlier in range(later):
            if plan[earlier][0] & (writes | after):
                assert place["end", earlier] < place["start", later]


def test_jobs_without_a_common_key_run_at_once() -> None:
    meeting = threading.Barrier(4, timeout=10)
    with executing(lambda _: meeting.wait(), threads=4) as executor:
        for number in range(4):
            executor.submit(number, writes=[number])
        assert len(drained(executor)) == 4


def test_results_are_handed_over_before_the_last_job_is_over() -> None:
    gate = threading.Event()
    with executing(lambda job: job == 1 or gate.wait(10), threads=1) as executor:
        executor.submit(1, writes=[1])
        executor.submit(2, writes=[2])
        assert not executor.drain(until=soon())
        assert executor.collect() == [(1, True)]
        gate.set()
        assert drained(executor) == [(2, True)]


def test_reading_ahead_is_bounded() -> None:
    gate = threading.Event()
    submitted = []

    def submit(executor: KeyedExecutor[int, Any]) -> None:
        for number in range(100):
            executor.submit(number, writes=[number])
            submitted.append(number)

    with executing(lambda _: gate.wait(10)) as executor:
        thread = threading.Thread(target=submit, args=(executor,))
        thread.start()
        thread.join(0.3)
        assert len(submitted) == 16
        gate.set()
        thread.join(30)
        assert len(drained(executor)) == 100


def test_what_a_job_raises_is_raised_to_whoever_waits() -> None:
    with executing(lambda job: 1 // job) as executor:
        executor.submit(0, writes=[1])
        with pytest.raises(ZeroDivisionError):
            executor.drain(until=soon())
        executor.submit(1, writes=[1])
        assert drained(executor) == [(1, 1)]


def test_jobs_that_start_together_are_handed_over_together() -> None:
    gate = threading.Event()
    worker = GroupWorker(lambda job: gate.wait(10), room=8)
    executor: KeyedExecutor[int, Any] = KeyedExecutor(worker, capacity=1000)
    for number in range(200):
        executor.submit(number, writes=[number])
    gate.set()
    assert len(drained(executor)) == 200
    executor.close()
    assert sum(map(len, worker.groups)) == 200
    assert sorted(job for group in worker.groups for job in group) == list(range(200))


def test_what_follows_a_job_starts_when_results_are_collected() -> None:
    with executing(lambda job: job) as executor:
        for number in range(3):
            executor.submit(number, writes=["one key"])
        results: list[tuple[int, int]] = []
        deadline = soon()
        while len(results) < 3:
            assert time.monotonic() < deadline
            results += executor.collect()
        assert results == [(0, 0), (1, 1), (2, 2)]


def test_waiting_for_room_can_be_interrupted() -> None:
    gate = threading.Event()
    interrupted = threading.Event()
    with executing(
        lambda _: gate.wait(10), capacity=4, is_interrupted=interrupted.is_set
    ) as executor:
        for number in range(4):
            executor.submit(number, writes=[number])
        interrupted.set()
        with pytest.raises(InterruptedError):
            executor.submit(5, writes=[5])
        gate.set()
        assert len(drained(executor)) == 4


def test_draining_ends_in_time() -> None:
    gate = threading.Event()
    with executing(lambda _: gate.wait(10)) as executor:
        executor.submit(1, writes=[1])
        assert not executor.drain(until=time.monotonic() + 0.05)
        gate.set()


def test_cancelled_jobs_do_not_start() -> None:
    started, release = threading.Semaphore(0), threading.Event()

    def work(job: int) -> int:
        started.release()
        release.wait(10)
        return job

    with executing(work, threads=1) as executor:
        executor.submit(1, writes=[1])
        assert executor.collect() == []  # starts it
        assert started.acquire(timeout=10)
        executor.submit(2, writes=[2])  # waits in the worker
        executor.submit(3, writes=[2])  # waits for it
        executor.submit(4, writes=[4])  # waits for room
        executor.submit(5, writes=[1])  # waits for the one that is under way
        executor.cancel()
        release.set()
        results: list[tuple[int, int]] = []
        deadline = soon()
        while executor.busy:
            assert time.monotonic() < deadline
            results += executor.collect()
        assert results == [(1, 1)]
        assert not executor.drain(until=time.monotonic() + 0.05)


def test_a_job_that_was_cancelled_elsewhere_has_no_result() -> None:
    with executing(lambda job: CancelledError() if job == 1 else job) as executor:
        executor.submit(1, writes=[1])
        executor.submit(2, writes=[2])
        results, deadline = [], soon()
        while executor.busy:
            assert time.monotonic() < deadline
            results += executor.collect()
        assert results == [(2, 2)]
        assert not executor.drain(until=time.monotonic() + 0.05)
