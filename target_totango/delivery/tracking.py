"""Tracking calls as a destination: one call a row, many at once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from target_totango.delivery.base import Confirmed, Failed, WriteResult, result_of
from target_totango.delivery.executor import KeyedExecutor
from target_totango.objects import REPEATABLE
from totango_api.errors import ApiError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row, WriteRequest
    from totango_api.writing import TrackingClient

    Prepare = Callable[[list[Row]], None]
    Done = Callable[[WriteResult | Exception], None]

ACCOUNTS_REMEMBERED: Final = 10_000

QUEUED_PER_CALL: Final = 8
"""How far reading runs ahead of delivering, in rows for each call that may be under way."""

_CONFIRMED: Final = Confirmed()


class TrackingDestination(KeyedExecutor["Row", WriteResult]):
    """Sends a tracking call for each row.

    Args:
        worker: Makes the calls.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(self, worker: TrackingWorker, *, is_interrupted: Callable[[], bool]) -> None:
        capacity = worker.max_in_flight * QUEUED_PER_CALL
        super().__init__(worker, capacity=capacity, is_interrupted=is_interrupted)
        self._accounts: dict[str, dict[str, str]] = {}

    def put(self, row: Row) -> bool:
        """Take a row; waits while too many are under way. Return whether results are to collect."""
        request = row.request
        writes, after = request.ordering_keys(self._changes_account(request))
        self.submit(row, writes=writes, after=after)
        return self.has_results

    def _changes_account(self, request: WriteRequest) -> bool:
        """Return whether a row's account attributes differ from those of the rows before it.

        Every user of an account may carry the account's name; only a new name has to wait for
        the others.
        """
        if not request.account:
            return False
        before = self._accounts.get(request.account_id)
        if before is None:
            self._accounts[request.account_id] = request.account
        elif any(before.get(name) != text for name, text in request.account.items()):
            self._accounts[request.account_id] = {**before, **request.account}
        else:
            return False
        while len(self._accounts) > ACCOUNTS_REMEMBERED:
            del self._accounts[next(iter(self._accounts))]
        return True


class TrackingWorker:
    """Makes tracking calls for rows.

    Args:
        client: Makes the calls.
        max_in_flight: Most calls at once.
        repeats_activities: Whether an activity is sent again that may have been counted.
        prepare: Called with rows that are about to go out.
    """

    def __init__(
        self,
        client: TrackingClient,
        *,
        max_in_flight: int,
        repeats_activities: bool,
        prepare: Prepare,
    ) -> None:
        self.max_in_flight = max_in_flight
        self._client = client
        self._repeats_activities = repeats_activities
        self._prepare = prepare
        self._poster = client.poster(max_in_flight=max_in_flight)

    @property
    def room(self) -> int:
        """How many rows it takes now."""
        return self._poster.room

    def start(self, rows: Sequence[Row], done: Sequence[Done]) -> None:
        """Send rows."""
        try:
            self._prepare(list(rows))
        except TotangoError as error:  # the ledger cannot be written
            for call in done:
                call(Failed(error))
            return
        for row, call in zip(rows, done, strict=True):
            request = row.request
            idempotent = row.object in REPEATABLE or self._repeats_activities
            answered = functools.partial(_answered, call, idempotent)
            form = self._client.form(request.ids, request.account, request.user)
            self._poster.post(form, answered, idempotent=idempotent)

    def cancel(self) -> None:
        """Send nothing new."""
        self._poster.cancel()

    def close(self) -> None:
        """End the connections."""
        self._poster.close()


def _answered(done: Done, idempotent: bool, result: Any) -> None:
    """Report the result of a call."""
    if result is None:
        done(_CONFIRMED)
    elif isinstance(result, ApiError):
        done(result_of(result, idempotent=idempotent))
    else:
        done(result)
