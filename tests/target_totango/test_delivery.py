"""The pool and the gate: whatever the threads do, order and state are those of the input."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_totango.delivery import OrderedPool
from target_totango.state import StateGate

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


events = st.lists(st.sampled_from(["row", "state"]), max_size=30)


@given(events, st.randoms(use_true_random=False), st.sets(st.integers(1, 30)))
def test_a_state_goes_out_exactly_when_every_row_before_it_is_settled(
    script: list[str], random: Any, lost: set[int]
) -> None:
    emitted: list[Any] = []
    synced: list[int] = []
    gate = StateGate(emitted.append, lambda: synced.append(len(emitted)))
    covers: dict[int, int] = {}
    tickets = []
    for number, event in enumerate(script):
        if event == "row":
            tickets.append(gate.draw())
        else:
            covers[number] = len(tickets)
            gate.put({"n": number})
    random.shuffle(tickets)
    settled: set[int] = set()
    for ticket in tickets:
        if ticket in lost:
            continue
        gate.settle(ticket)
        settled.add(ticket)
        gate.emit_due(now=True)
        for state in emitted:
            assert set(range(1, covers[state["n"]] + 1)) <= settled
    gate.emit_due(now=True)
    may_go = [n for n, rows in covers.items() if set(range(1, rows + 1)) <= settled]
    assert ([emitted[-1]["n"]] if emitted else []) == may_go[-1:]
    assert [state["n"] for state in emitted] == sorted({state["n"] for state in emitted})
    assert synced == list(range(len(emitted)))


@pytest.mark.parametrize("empty", [{}, None])
def test_an_empty_state_is_none(empty: Any) -> None:
    emitted: list[Any] = []
    gate = StateGate(emitted.append)
    gate.put(empty)
    gate.emit_due(now=True)
    assert emitted == []
