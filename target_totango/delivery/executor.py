"""Many calls at once in threads, in an order that nobody could tell from one by one."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from target_totango.delivery.ordering import Order, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

J = TypeVar("J")
R = TypeVar("R")

QUEUED_PER_WORKER: Final = 8
"""How far reading runs ahead of delivering: memory stays flat whatever the input's size."""

LONGEST_WAIT: Final = 0.2
"""Seconds after which a wait looks up, to see whether it was interrupted."""


@dataclass(frozen=True)
class _Crash:
    error: Exception


class OrderedPool(Generic[J, R]):
    """Carries out jobs in several threads, but jobs that touch the same key in input order.

    Results are handed to `settle` in the caller's thread, from within `submit`, `collect` and
    `drain`: everything but the calls themselves stays single-threaded.

    Args:
        work: Carries out one job, in a worker thread. What it raises is raised again by
            `submit`, `collect` or `drain`, and the job is never settled.
        settle: Takes a job and what `work` returned.
        workers: Jobs carried out at once.
        ahead: Jobs queued for each of them.
        interrupted: Asked while it waits: whether to wait no longer.
    """

    def __init__(
        self,
        work: Callable[[J], R],
        settle: Callable[[J, R], None],
        *,
        workers: int,
        ahead: int = QUEUED_PER_WORKER,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._work = work
        self._settle = settle
        self._workers = workers
        self._interrupted = interrupted
        self._window = workers * ahead
        self._lock = threading.Lock()
        self._order: Order[J] = Order()
        self._ready: queue.SimpleQueue[Task[J] | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[Task[J], Any]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0
        self._running = 0
        self._cancelled = False

    @property
    def unfinished(self) -> int:
        """Jobs submitted and not yet settled."""
        return self._unfinished

    def submit(self, job: J, *, writes: Iterable[Hashable], after: Iterable[Hashable] = ()) -> None:
        """Queue a job; waits while too many are queued.

        Args:
            job: What to do.
            writes: Keys that it changes: jobs that share one run in the order of submission.
            after: Keys whose latest job must be over before.

        Raises:
            InterruptedError: If waiting was interrupted; the job is not queued then.
        """
        self.collect()
        while self._unfinished >= self._window:
            if self._interrupted():
                raise InterruptedError
            self._take(block=True, seconds=LONGEST_WAIT)
        with self._lock:
            task = self._order.add(job, list(writes), list(after))
            ready = not task.waits_for
            self._unfinished += 1
        if ready:
            self._ready.put(task)
        if len(self._threads) < self._workers:
            self._start_thread()

    def collect(self) -> None:
        """Settle what is finished, without waiting."""
        while self._take(block=False):
            pass

    def drain(self, *, until: float | None = None) -> bool:
        """Settle everything, waiting for it.

        Args:
            until: Give up at this time of the monotonic clock.

        Returns:
            Whether nothing is left.
        """
        while self._unfinished:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return False
            wait = LONGEST_WAIT if left is None else min(left, LONGEST_WAIT)
            self._take(block=True, seconds=wait)
        return True

    def cancel_queued(self) -> None:
        """Start no further job; those that are running go on."""
        with self._lock:
            self._cancelled = True

    @property
    def busy(self) -> bool:
        """Whether a worker has a job in hand, or a result waits to be settled."""
        return self._running > 0 or not self._finished.empty()

    def close(self) -> None:
        """Let idle workers end."""
        for _ in self._threads:
            self._ready.put(None)

    def _take(self, *, block: bool, seconds: float | None = None) -> bool:
        try:
            task, result = self._finished.get(block=block, timeout=seconds)
        except queue.Empty:
            return False
        self._unfinished -= 1
        if isinstance(result, _Crash):
            raise result.error
        self._settle(task.job, result)
        return True

    def _start_thread(self) -> None:
        # Daemons, unlike the threads of concurrent.futures: a call that hangs must not keep a
        # terminated program alive.
        thread = threading.Thread(target=self._run, daemon=True, name="totango-call")
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        while (task := self._ready.get()) is not None:
            with self._lock:
                if self._cancelled:
                    continue
                self._running += 1
            result: R | _Crash
            try:
                result = self._work(task.job)
            except Exception as error:  # noqa: BLE001 (raised again in the caller's thread)
                result = _Crash(error)
            self._finished.put((task, result))
            with self._lock:
                self._running -= 1
                free = self._order.end(task)
            for follower in free:
                self._ready.put(follower)
