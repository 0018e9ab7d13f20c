"""Defines destinations, and the order in which rows go out to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from target_totango.delivery.executor import KeyedExecutor
from target_totango.models import ACCOUNTS, Row, WriteRequest
from totango_api.writing import TrackingCall

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from target_totango.delivery.executor import Worker
    from target_totango.delivery.results import Planned, WriteResult

J = TypeVar("J")
R = TypeVar("R")


class Destination(Protocol):
    """Takes rows, and returns their results later. Used by one thread."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or a result was not collected yet."""

    def put(self, row: Row) -> bool:
        """Take a row; waits while too many are under way. Return whether results are to collect."""

    def collect(self) -> Sequence[tuple[Row, WriteResult | Planned]]:
        """Return the results that are known, without waiting."""

    def drain(self, *, until: float) -> bool:
        """Wait for every row; return False if results came first, or `until`. Then collect."""

    def cancel(self) -> None:
        """Start nothing new."""

    def close(self) -> None:
        """End the threads and connections."""


class ExecutorDestination(Generic[J, R]):
    """Base of the destinations whose calls an executor makes.

    Args:
        worker: Makes them, several at once.
        capacity: Calls that may wait or be under way.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(
        self, worker: Worker[J, R], *, capacity: int, is_interrupted: Callable[[], bool]
    ) -> None:
        self._executor = KeyedExecutor(worker, capacity=capacity, is_interrupted=is_interrupted)

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or a result was not collected yet."""
        return self._executor.busy

    def drain(self, *, until: float) -> bool:
        """Wait for every row; return False if results came first, or `until`."""
        return self._executor.drain(until=until)

    def cancel(self) -> None:
        """Start no further call."""
        self._executor.cancel()

    def close(self) -> None:
        """End the threads and connections."""
        self._executor.close()


def call_of(write: WriteRequest) -> TrackingCall:
    """Return the tracking call for a write."""
    parts = write.parts
    return TrackingCall(
        write.account_id,
        write.user_id,
        write.account,
        write.user,
        parts.get("activity"),
        parts.get("module"),
    )


Keys: TypeAlias = "tuple[Hashable, ...]"


def keys_of(write: WriteRequest, says_new: bool = True) -> tuple[Keys, Keys]:
    """Return which keys a write changes, and which it must come after.

    An account comes after its parent, everything else after its account, and what a user did after
    what is said about the user. Users of one account do not wait for each other, unless they say
    something new about the account.
    """
    account: Hashable = (ACCOUNTS, write.account_id)
    if write.object == ACCOUNTS:
        parent = write.account.get("parent_id")
        return (account,), ((ACCOUNTS, parent),) if parent else ()
    key: Hashable = write.key if write.user_id is None else write.subject
    return (key, account) if write.account and says_new else (key,), (account,)
