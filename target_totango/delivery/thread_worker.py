"""Runs jobs in threads."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

J = TypeVar("J")
R = TypeVar("R")


class ThreadWorker(Generic[J, R]):
    """Runs jobs in daemon threads.

    Args:
        work: Carries out one job.
        threads: How many.
    """

    def __init__(self, work: Callable[[J], R], *, threads: int) -> None:
        self._work = work
        self._queue: queue.SimpleQueue[tuple[J, Callable[[R | Exception], None]] | None]
        self._queue = queue.SimpleQueue()
        self._most = threads
        self._threads: list[threading.Thread] = []

    @property
    def room(self) -> int:
        """How many jobs it takes now: one may wait for each thread."""
        return self._most - self._queue.qsize()

    def start(self, jobs: Sequence[J], done: Sequence[Callable[[R | Exception], None]]) -> None:
        """Start jobs."""
        for job, call in zip(jobs, done, strict=True):
            self._queue.put((job, call))
            if len(self._threads) < self._most:
                # Daemons, unlike those of concurrent.futures: a call that hangs must not keep a
                # terminated program alive.
                thread = threading.Thread(target=self._run, daemon=True, name="totango-call")
                self._threads.append(thread)
                thread.start()

    def cancel(self) -> None:
        """Start nothing new."""
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            assert item is not None  # noqa: S101 (it is closed last)
            item[1](CancelledError())

    def close(self) -> None:
        """Let idle threads end."""
        for _ in self._threads:
            self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            job, done = item
            result: R | Exception
            try:
                result = self._work(job)
            except Exception as error:  # noqa: BLE001 (raised again where results are collected)
                result = error
            done(result)
