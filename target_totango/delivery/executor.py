"""Runs many jobs at once: those that share a key in the order in which they were submitted."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

J = TypeVar("J")
R = TypeVar("R")
J_contra = TypeVar("J_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

LONGEST_WAIT: Final = 0.2
"""Seconds after which a wait looks up, to see whether it was interrupted."""

_NEVER: Final = 1 << 62


class Worker(Protocol[J_contra, R_co]):
    """Runs jobs in other threads or in an event loop."""

    @property
    def room(self) -> int:
        """How many jobs it takes now; 0 while so many wait that more can be handed over later."""

    def start(
        self, jobs: Sequence[J_contra], done: Sequence[Callable[[R_co | Exception], None]]
    ) -> None:
        """Start jobs.

        Args:
            jobs: No more than there is room for. What a few share is done once for all of them.
            done: For each job what to call when it is over, in any thread: with its result, or with
                `CancelledError` if it was not started in the end.
        """

    def cancel(self) -> None:
        """Start nothing new."""

    def close(self) -> None:
        """End threads and connections."""


class _Task(Generic[J, R]):
    """A job, and the jobs that wait for it.

    Attributes:
        waits_for: How many others have to be over before.
        followers: Those that wait for this one.
    """

    __slots__ = ("finished", "followers", "is_over", "job", "keys", "result", "waits_for")

    def __init__(self, job: J, keys: Collection[Hashable], finished: _Finished[J, R]) -> None:
        self.job = job
        self.keys = keys
        self.finished = finished
        self.waits_for = 0
        self.followers: list[_Task[J, R]] | None = None
        self.is_over = False
        self.result: R | Exception

    def done(self, result: R | Exception) -> None:
        """Take the result, in any thread."""
        self.result = result
        self.finished.add(self)


class _Finished(Generic[J, R]):
    """Queue of finished tasks, from worker threads to the thread that submits.

    Waking a thread costs as much as a few rows: it is done once for several tasks.
    """

    def __init__(self) -> None:
        self._tasks: deque[_Task[J, R]] = deque()
        self._wanted = _NEVER
        self._is_enough = threading.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: _Task[J, R]) -> None:
        """Add a task."""
        self._tasks.append(task)
        if len(self._tasks) >= self._wanted:
            self._wanted = _NEVER
            self._is_enough.set()

    def pop(self) -> _Task[J, R]:
        """Return the next task."""
        return self._tasks.popleft()

    def wait(self, wanted: int, seconds: float) -> None:
        """Wait until there are so many, or for some time."""
        self._is_enough.clear()
        self._wanted = wanted
        if len(self._tasks) < wanted:
            self._is_enough.wait(seconds)
        self._wanted = _NEVER


class KeyedExecutor(Generic[J, R]):
    """Runs jobs concurrently, and jobs that share a key in the order of submission.

    Used by one thread: the jobs are carried out in others.

    Args:
        worker: Carries them out.
        capacity: Jobs that may wait or be under way: memory stays flat whatever the input's size.
        is_interrupted: Asked while `submit` waits: whether to wait no longer.
    """

    def __init__(
        self,
        worker: Worker[J, R],
        *,
        capacity: int,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._worker = worker
        self._capacity = capacity
        self._is_interrupted = is_interrupted
        self._last: dict[Hashable, _Task[J, R]] = {}
        self._ready: deque[_Task[J, R]] = deque()
        self._finished: _Finished[J, R] = _Finished()
        self._results: list[tuple[J, R]] = []
        self._started = 0
        self._unfinished = 0
        self._is_cancelled = False

    @property
    def busy(self) -> bool:
        """Whether a job is under way or may start, or a result was not collected yet."""
        return self._started > 0 or bool(self._results or self._ready)

    @property
    def has_results(self) -> bool:
        """Whether enough results are known to be worth collecting."""
        known = len(self._results) + len(self._finished)
        return known > 0 and known >= self._few

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
        if len(self._ready) >= self._few:
            self._start_ready()
        while self._unfinished >= self._capacity:
            if self._is_interrupted():
                raise InterruptedError
            self._wait()
        task = self._add(job, writes, after)
        self._unfinished += 1
        if not task.waits_for:
            self._ready.append(task)

    def collect(self) -> list[tuple[J, R]]:
        """Start what may start, and return the results that are known, without waiting.

        What may start because of these results is started by the next call: the caller may want
        to note them before.

        Raises:
            Exception: What a worker raised that it should not have.
        """
        self._start_ready()
        self._take_finished()
        results, self._results = self._results, []
        return results

    def drain(self, *, until: float) -> bool:
        """Wait for every job; return whether all are over.

        It stops before where there are results to collect, so that they are noted before more jobs
        start, or when `until` of the monotonic clock comes.
        """
        while self._unfinished:
            if self._results or time.monotonic() >= until:
                return False
            self._wait()
        return True

    def cancel(self) -> None:
        """Start no further job; those that are under way go on."""
        self._is_cancelled = True
        self._ready.clear()
        self._worker.cancel()

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    @property
    def _few(self) -> int:
        """How many jobs are worth starting, or waiting for, together."""
        return max(self._started // 4, 1)

    def _wait(self) -> None:
        """Wait for some results: for any if that is what other jobs wait for."""
        self._start_ready()
        wanted = min(self._few, self._unfinished) if self._ready else 1
        self._finished.wait(wanted, LONGEST_WAIT)
        self._take_finished()

    def _start_ready(self) -> None:
        """Start the jobs that may start, as many as the worker has room for."""
        room = min(self._worker.room, len(self._ready))
        if room <= 0 or self._is_cancelled:
            return
        tasks = [self._ready.popleft() for _ in range(room)]
        self._started += room
        self._worker.start([task.job for task in tasks], [task.done for task in tasks])

    def _take_finished(self) -> None:
        while self._finished:
            task = self._finished.pop()
            self._started -= 1
            result = task.result
            if isinstance(result, CancelledError):
                continue
            self._unfinished -= 1
            self._end(task)
            if isinstance(result, Exception):
                raise result
            self._results.append((task.job, result))

    # Order -------------------------------------------------------------------------------------

    def _add(
        self, job: J, writes: Collection[Hashable], after: Collection[Hashable]
    ) -> _Task[J, R]:
        """Return the task for a job, waiting for earlier ones that share its keys."""
        task = _Task(job, writes, self._finished)
        last = self._last
        for keys in (writes, after):
            for key in keys:
                other = last.get(key)
                if other is None or other.is_over:
                    continue
                if other.followers is None:
                    other.followers = [task]
                elif other.followers[-1] is not task:
                    other.followers.append(task)
                else:
                    continue
                task.waits_for += 1
        for key in writes:
            last[key] = task
        return task

    def _end(self, task: _Task[J, R]) -> None:
        """Make the jobs ready that waited for this one only."""
        task.is_over = True
        for key in task.keys:
            if self._last.get(key) is task:
                del self._last[key]
        for follower in task.followers or ():
            follower.waits_for -= 1
            if not follower.waits_for and not self._is_cancelled:
                self._ready.append(follower)
        task.followers = None
