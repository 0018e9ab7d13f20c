"""Which jobs have to wait for which: those that touch the same key run in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

J = TypeVar("J")


class Task(Generic[J]):
    """A job, and the jobs that wait for it.

    Attributes:
        waits_for: How many others have to be over before.
        followers: Those that wait for this one.
    """

    __slots__ = ("followers", "job", "over", "waits_for", "writes")

    def __init__(self, job: J, writes: Collection[Hashable]) -> None:
        self.job = job
        self.writes = writes
        self.waits_for = 0
        self.followers: list[Task[J]] | None = None
        self.over = False


class Order(Generic[J]):
    """Tells when a job may start. Not safe to share between threads without a lock."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Task[J]] = {}

    def add(
        self, job: J, writes: Collection[Hashable], after: Collection[Hashable] = ()
    ) -> Task[J]:
        """Return the task for a job; it may start at once if it waits for none.

        Args:
            job: What to do.
            writes: Keys that it changes: jobs that share one run in the order of submission.
            after: Keys whose latest job must be over before.
        """
        task = Task(job, writes)
        last = self._last
        for keys in (writes, after):
            for key in keys:
                other = last.get(key)
                if other is None or other.over:
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

    def end(self, task: Task[J]) -> list[Task[J]]:
        """Note that a job is over, and return those that may start now."""
        task.over = True
        last = self._last
        for key in task.writes:
            if last.get(key) is task:
                del last[key]
        if task.followers is None:
            return []
        free = []
        for follower in task.followers:
            follower.waits_for -= 1
            if not follower.waits_for:
                free.append(follower)
        task.followers = None
        return free
