"""The ways out: rows go in, outcomes come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from target_totango.delivery import OrderedPool
from target_totango.model import ACCOUNTS, COLLECTIONS, USERS, Row, Write
from target_totango.outcomes import Confirmed, Failed, Outcome, outcome_of
from totango_api.errors import ApiError, TotangoError
from totango_api.tracking import Tracker, TrackingCall

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


ACCOUNTS_REMEMBERED: Final = 10_000


class Channel(Protocol):
    """A way out."""

    @property
    def unfinished(self) -> int:
        """Rows put in whose outcome is not known yet."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""

    def put(self, row: Row) -> None:
        """Take a row; its outcome is handed on later, in this thread."""

    def collect(self) -> None:
        """Hand on the outcomes that are known, without waiting."""

    def drain(self, *, until: float | None = None) -> bool:
        """Hand on every outcome; return False if `until` came first."""

    def cancel(self) -> None:
        """Start nothing new."""

    def close(self) -> None:
        """End the threads."""


class TrackingChannel:
    """Tracking calls, many at once.

    Args:
        tracker: Delivers them.
        settle: Takes each row and its outcome.
        in_flight: Calls at once.
        prepare: Called with a row right before its call, in the thread of the call.
        interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(
        self,
        tracker: Tracker,
        settle: Callable[[Row, Outcome], None],
        *,
        in_flight: int,
        prepare: Callable[[list[Row]], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._tracker = tracker
        self._prepare = prepare
        self._accounts: dict[str, dict[str, str]] = {}
        self._pool: OrderedPool[Row, Outcome] = OrderedPool(
            self._deliver, settle, workers=in_flight, interrupted=interrupted
        )

    @property
    def unfinished(self) -> int:
        """Rows put in whose outcome is not known yet."""
        return self._pool.unfinished

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""
        return self._pool.busy

    def put(self, row: Row) -> None:
        """Take a row."""
        write = written(row)
        writes, after = keys_of(write, self._says_something_new(write))
        self._pool.submit(row, writes=writes, after=after)

    def _says_something_new(self, write: Write) -> bool:
        """Tell whether a row's account attributes differ from those of the rows before it.

        Every user of an account may carry the account's name; only a new name has to wait for
        the others.
        """
        if not write.account:
            return False
        before = self._accounts.get(write.account_id, {})
        new = any(before.get(name) != text for name, text in write.account.items())
        if new:
            self._accounts[write.account_id] = {**before, **write.account}
            while len(self._accounts) > ACCOUNTS_REMEMBERED:
                del self._accounts[next(iter(self._accounts))]
        return new

    def collect(self) -> None:
        """Hand on the outcomes that are known."""
        self._pool.collect()

    def drain(self, *, until: float | None = None) -> bool:
        """Hand on every outcome; return False if `until` came first."""
        return self._pool.drain(until=until)

    def cancel(self) -> None:
        """Start no further call."""
        self._pool.cancel_queued()

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def _deliver(self, row: Row) -> Outcome:
        call = call_of(written(row))
        try:
            self._prepare([row])
            self._tracker.deliver(call)
        except ApiError as error:
            return outcome_of(error, repeatable=call.repeatable)
        except TotangoError as error:  # the ledger cannot be written
            return Failed(error)
        return Confirmed()


def written(row: Row) -> Write:
    """Return the write of a row that has passed its checks."""
    if row.write is None:
        msg = "a row without a write was sent on"
        raise AssertionError(msg)
    return row.write


def call_of(write: Write) -> TrackingCall:
    """Return the tracking call for a write."""
    return TrackingCall(
        write.account_id, write.user_id, write.account, write.user, write.activity, write.module
    )


def keys_of(write: Write, says_new: bool = True) -> tuple[list[Hashable], list[Hashable]]:
    """Return which keys a write changes, and which it must come after.

    A user comes after its account. Users of one account do not wait for each other, unless
    they say something new about the account.
    """
    account: Hashable = (ACCOUNTS, write.account_id)
    if write.object in {ACCOUNTS, COLLECTIONS}:
        changes: list[Hashable] = [write.key]
    else:
        changes = [(USERS, write.account_id, write.user_id)]
    if write.account and says_new and write.object != ACCOUNTS:
        changes.append(account)
    return changes, [account]
