"""Tracking calls as a way out: many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from target_totango.delivery.base import call_of, keys_of, written
from target_totango.delivery.executor import OrderedPool
from target_totango.delivery.ordered_calls import OrderedCalls
from target_totango.delivery.results import Confirmed, Failed, WriteResult, outcome_of
from target_totango.models import Row, WriteRequest
from totango_api.errors import ApiError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

    from target_totango.delivery.ordering import Task
    from totango_api.http.call_loop import CallLoop
    from totango_api.writing.tracking import Tracker

    Settle = Callable[[Row, WriteResult], None]
    Prepare = Callable[[list[Row]], None]

ACCOUNTS_REMEMBERED: Final = 10_000

_CONFIRMED: Final = Confirmed()


class Crew(Protocol):
    """Carries out what is submitted, several at once, and in order where that matters."""

    @property
    def unfinished(self) -> int:
        """Rows submitted and not yet settled."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""

    def submit(
        self, job: Row, *, writes: Collection[Hashable], after: Collection[Hashable] = ()
    ) -> None:
        """Queue a row."""

    def collect(self) -> None:
        """Settle what is finished."""

    def drain(self, *, until: float | None = None) -> bool:
        """Settle everything."""

    def cancel_queued(self) -> None:
        """Start nothing new."""

    def close(self) -> None:
        """End it."""


class TrackingDestination:
    """Tracking calls, many at once.

    Args:
        crew: Delivers them.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._accounts: dict[str, dict[str, str]] = {}

    @property
    def unfinished(self) -> int:
        """Rows put in whose outcome is not known yet."""
        return self._crew.unfinished

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""
        return self._crew.busy

    def put(self, row: Row) -> None:
        """Take a row."""
        write = written(row)
        writes, after = keys_of(write, self._says_something_new(write))
        self._crew.submit(row, writes=writes, after=after)

    def _says_something_new(self, write: WriteRequest) -> bool:
        """Tell whether a row's account attributes differ from those of the rows before it.

        Every user of an account may carry the account's name; only a new name has to wait for
        the others.
        """
        if not write.account:
            return False
        before = self._accounts.get(write.account_id)
        if before is None:
            self._accounts[write.account_id] = write.account
        elif any(before.get(name) != text for name, text in write.account.items()):
            self._accounts[write.account_id] = {**before, **write.account}
        else:
            return False
        while len(self._accounts) > ACCOUNTS_REMEMBERED:
            del self._accounts[next(iter(self._accounts))]
        return True

    def collect(self) -> None:
        """Hand on the outcomes that are known."""
        self._crew.collect()

    def drain(self, *, until: float | None = None) -> bool:
        """Hand on every outcome; return False if `until` came first."""
        return self._crew.drain(until=until)

    def cancel(self) -> None:
        """Start no further call."""
        self._crew.cancel_queued()

    def close(self) -> None:
        """End the connections or threads."""
        self._crew.close()


class Callers(OrderedCalls[Row, WriteResult]):
    """Delivers rows from an event loop.

    Args:
        tracker: Delivers them.
        loop: Runs their calls.
        settle: Takes each row and its outcome.
        in_flight: Calls at once.
        prepare: Called with the rows that are about to go out.
        interrupted: Asked while `submit` waits: whether to wait no longer.
    """

    def __init__(
        self,
        tracker: Tracker,
        loop: CallLoop,
        settle: Settle,
        *,
        in_flight: int,
        prepare: Prepare,
        interrupted: Callable[[], bool],
    ) -> None:
        super().__init__(
            loop,
            prepare=lambda rows: _not_prepared(prepare, rows),
            start=self._post,
            settle=settle,
            in_flight=in_flight,
            interrupted=interrupted,
        )
        self._tracker = tracker
        self._poster = tracker.poster(loop, self._answered, limit=in_flight)

    def close(self) -> None:
        """End the connections."""
        self._poster.close()

    def _post(self, task: Task[Row]) -> None:
        call = call_of(written(task.job))
        self._poster.post(self._tracker.form(call), task, idempotent=call.idempotent)

    def _answered(self, task: Task[Row], error: ApiError | None, _: None) -> None:
        if error is None:
            self.finish(task, _CONFIRMED)
        else:
            idempotent = call_of(written(task.job)).idempotent
            self.finish(task, outcome_of(error, idempotent=idempotent))


class Threads(OrderedPool[Row, WriteResult]):
    """Delivers rows from several threads: through a proxy, or for a caller that runs a loop.

    Args:
        tracker: Delivers them.
        settle: Takes each row and its outcome.
        in_flight: Calls at once.
        prepare: Called with a row right before its call, in the thread of the call.
        interrupted: Asked while `submit` waits: whether to wait no longer.
    """

    def __init__(
        self,
        tracker: Tracker,
        settle: Settle,
        *,
        in_flight: int,
        prepare: Prepare,
        interrupted: Callable[[], bool],
    ) -> None:
        super().__init__(self._deliver, settle, workers=in_flight, interrupted=interrupted)
        self._tracker = tracker
        self._prepare = prepare

    def _deliver(self, row: Row) -> WriteResult:
        if (instead := _not_prepared(self._prepare, [row])) is not None:
            return instead
        call = call_of(written(row))
        try:
            self._tracker.deliver(call)
        except ApiError as error:
            return outcome_of(error, idempotent=call.idempotent)
        return _CONFIRMED


def _not_prepared(prepare: Prepare, rows: list[Row]) -> WriteResult | None:
    """Prepare rows; return what becomes of them if the ledger cannot be written."""
    try:
        prepare(rows)
    except ApiError as error:
        return outcome_of(error, idempotent=True)
    except TotangoError as error:
        return Failed(error)
    return None
