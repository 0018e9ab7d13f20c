"""Many calls at once from one thread, in an order that nobody could tell from one by one."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from target_totango.delivery.executor import QUEUED_PER_WORKER
from target_totango.delivery.ordering import Order, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

    from totango_api.http.call_loop import CallLoop

J = TypeVar("J")
R = TypeVar("R")


class OrderedCalls(Generic[J, R]):
    """Starts jobs that go on in an event loop, but jobs that touch the same key in input order.

    The same as :class:`target_totango.delivery.executor.OrderedPool` without threads: whoever calls
    `submit`, `collect` or `drain` runs the loop. Results are handed to `settle` outside of it.

    Args:
        loop: Runs the jobs.
        prepare: Called with the jobs that are about to start, of which a few are better than
            one; returns what became of them if they must not.
        start: Starts one; :meth:`finish` is to be called from within the loop when it is over.
        settle: Takes a job and its result.
        in_flight: Jobs at once.
        ahead: Jobs queued for each of them.
        interrupted: Asked while it waits: whether to wait no longer.
    """

    def __init__(
        self,
        loop: CallLoop,
        *,
        prepare: Callable[[list[J]], R | None],
        start: Callable[[Task[J]], None],
        settle: Callable[[J, R], None],
        in_flight: int,
        ahead: int = QUEUED_PER_WORKER,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = loop
        self._prepare = prepare
        self._start = start
        self._settle = settle
        self._in_flight = in_flight
        self._interrupted = interrupted
        self._window = in_flight * ahead
        # Entering the loop costs as much as a few rows, so that it is left for several at once:
        # but soon enough for every call to be followed by another.
        self._room = max(in_flight // 2, 1)
        self._order: Order[J] = Order()
        self._ready: deque[Task[J]] = deque()
        self._finished: deque[tuple[J, R]] = deque()
        self._running = 0
        self._unfinished = 0
        self._enough = 0
        self._starting = False
        self._cancelled = False

    @property
    def unfinished(self) -> int:
        """Jobs submitted and not yet settled."""
        return self._unfinished

    @property
    def busy(self) -> bool:
        """Whether a job is under way, or a result waits to be settled."""
        return self._running > 0 or bool(self._finished)

    def submit(
        self, job: J, *, writes: Collection[Hashable], after: Collection[Hashable] = ()
    ) -> None:
        """Queue a job; waits while too many are queued.

        Args:
            job: What to do.
            writes: Keys that it changes: jobs that share one run in the order of submission.
            after: Keys whose latest job must be over before.

        Raises:
            InterruptedError: If waiting was interrupted; the job is not queued then.
        """
        if self._unfinished >= self._window:
            self._make_room()
        task = self._order.add(job, writes, after)
        self._unfinished += 1
        if task.waits_for:
            return
        self._ready.append(task)
        # What starts together is prepared together.
        if 0 < self._in_flight - self._running <= len(self._ready):
            self._start_ready()

    def collect(self) -> None:
        """Start what may start, and settle what is finished, without waiting."""
        self._loop.poll()
        self._start_ready()
        self._hand_on()

    def drain(self, *, until: float | None = None) -> bool:
        """Settle everything, waiting for it.

        Args:
            until: Give up at this time of the monotonic clock.

        Returns:
            Whether nothing is left.
        """
        self._hand_on()
        while self._unfinished:
            if until is not None and time.monotonic() >= until:
                return False
            self._wait_for(min(self._room, self._unfinished))
        return True

    def cancel_queued(self) -> None:
        """Start no further job; those that are running go on."""
        self._cancelled = True
        self._ready.clear()

    def close(self) -> None:
        """Nothing to end: the loop is another's."""

    def finish(self, task: Task[J], result: R) -> None:
        """Take the result of a job; to be called from within the loop."""
        self._running -= 1
        self._end(task, result)
        if self._ready and not self._starting:
            self._starting = True
            self._loop.soon(self._start_ready)
        if len(self._finished) >= self._enough:
            self._loop.stop()

    def _make_room(self) -> None:
        while (most := self._unfinished - self._window + self._room) > 0:
            if self._interrupted():
                raise InterruptedError
            self._wait_for(most)

    def _wait_for(self, results: int) -> None:
        """Wait a moment, but not for more than some results."""
        self._start_ready()
        self._enough = results
        if len(self._finished) < results:
            self._loop.step()
            self._start_ready()
        self._hand_on()

    def _start_ready(self) -> None:
        self._starting = False
        slots = min(self._in_flight - self._running, len(self._ready))
        if slots <= 0 or self._cancelled:
            return
        tasks = [self._ready.popleft() for _ in range(slots)]
        instead = self._prepare([task.job for task in tasks])
        if instead is not None:
            for task in tasks:
                self._end(task, instead)
            return
        for task in tasks:
            self._running += 1
            self._start(task)

    def _end(self, task: Task[J], result: R) -> None:
        self._finished.append((task.job, result))
        self._ready.extend(self._order.end(task))

    def _hand_on(self) -> None:
        finished = self._finished
        while finished:
            job, result = finished.popleft()
            self._unfinished -= 1
            self._settle(job, result)
