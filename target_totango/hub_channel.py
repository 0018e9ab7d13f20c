"""Integration Hub batches as a way out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from target_totango.channels import keys_of, written
from target_totango.delivery import OrderedPool
from target_totango.model import ACCOUNTS, ACTIVITIES, COLLECTIONS, USERS, Row
from target_totango.outcomes import Confirmed, Failed, Outcome, Refused, Uncertain
from totango_api import hub
from totango_api.errors import ApiError, TotangoError, UnavailableError
from totango_api.hub import Hub, HubRow

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from target_totango.model import Write

WORKERS: Final = 4
"""Batches at once: all REST calls share one budget, so more would only queue there."""

LONGEST_WAIT: Final = 5.0
"""Seconds after which a batch no longer waits to be full."""


@dataclass(eq=False)
class _Batch:
    kind: tuple[str, str | None]
    rows: list[Row] = field(default_factory=list)
    writes: set[Hashable] = field(default_factory=set)
    after: set[Hashable] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)


class HubChannel:
    """Collects rows of a kind into batches, and delivers batches that do not depend on another.

    Args:
        hub_client: Delivers them.
        settle: Takes each row and its outcome.
        max_rows: Most rows of a batch.
        prepare: Called with the rows of a batch right before it goes out, in another thread.
        interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(
        self,
        hub_client: Hub,
        settle: Callable[[Row, Outcome], None],
        *,
        max_rows: int,
        prepare: Callable[[list[Row]], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._hub = hub_client
        self._settle = settle
        self._max_rows = max_rows
        self._prepare = prepare
        self._pool: OrderedPool[_Batch, list[tuple[Row, Outcome]]] = OrderedPool(
            self._deliver, self._settle_batch, workers=WORKERS, interrupted=interrupted
        )
        self._open: dict[tuple[str, str | None], _Batch] = {}

    @property
    def unfinished(self) -> int:
        """Batches put in whose outcome is not known yet."""
        return self._pool.unfinished + len(self._open)

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""
        return self._pool.busy

    def put(self, row: Row) -> None:
        """Take a row."""
        write = written(row)
        kind = (row.object, write.collection_type)
        writes, after = keys_of(write)
        # A batch holds a key once, and what a row changes must not be changed by an older one
        # that goes out later. What a row follows may still wait: see _send. Activities change
        # nothing.
        for other in [each for each in self._open.values() if not each.writes.isdisjoint(writes)]:
            if other.kind[0] == ACTIVITIES:
                continue
            if other.kind == kind or _RANKS[other.kind[0]] > _RANKS[row.object]:
                self._send(other)
        batch = self._open.get(kind)
        if batch is None:
            batch = self._open[kind] = _Batch(kind)
        batch.rows.append(row)
        batch.writes.update(writes)
        if row.object != ACCOUNTS:  # which follow nothing but earlier rows of their own key
            batch.after.update(after)
        if len(batch.rows) >= self._max_rows:
            self._send(batch)

    def collect(self) -> None:
        """Hand on the outcomes that are known; send what has waited for long enough."""
        for batch in list(self._open.values()):
            if time.monotonic() - batch.since >= LONGEST_WAIT:
                self._send(batch)
        self._pool.collect()

    def drain(self, *, until: float | None = None) -> bool:
        """Send everything and hand on every outcome; return False if `until` came first."""
        for batch in list(self._open.values()):
            self._send(batch)
        return self._pool.drain(until=until)

    def cancel(self) -> None:
        """Start no further call."""
        self._open.clear()
        self._pool.cancel_queued()

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def _send(self, batch: _Batch) -> None:
        """Send a batch, and before it whatever it follows: accounts, then users, then activities.

        So rows of several kinds may come in turn, and still fill their batches.
        """
        if self._open.get(batch.kind) is not batch:
            return
        rank = _RANKS[batch.kind[0]]
        for other in list(self._open.values()):
            follows = other.writes.intersection((*batch.writes, *batch.after))
            if follows and _RANKS[other.kind[0]] < rank:
                self._send(other)
        del self._open[batch.kind]
        self._pool.submit(batch, writes=batch.writes, after=batch.after)

    def _settle_batch(self, batch: _Batch, outcomes: list[tuple[Row, Outcome]]) -> None:
        del batch
        for row, outcome in outcomes:
            self._settle(row, outcome)

    def _deliver(self, batch: _Batch) -> list[tuple[Row, Outcome]]:
        found: dict[int, Outcome] = {}
        try:
            self._prepare(batch.rows)
            found.update(self._outcomes(batch))  # what was known before an error counts
        except TotangoError as error:
            status = error.status if isinstance(error, ApiError) else None
            missing = Failed(error, status)
        else:
            missing = Failed(UnavailableError("The hub", reason="said nothing about the row"))
        return [(row, found.get(place, missing)) for place, row in enumerate(batch.rows)]

    def _outcomes(self, batch: _Batch) -> Iterator[tuple[int, Outcome]]:
        object_, collection_type = batch.kind
        repeatable = object_ != ACTIVITIES
        hub_row = _HUB_ROWS[object_]
        rows = [hub_row(written(row)) for row in batch.rows]
        said = self._hub.outcomes(_OBJECTS[object_], rows, collection_type=collection_type)
        call, error = None, UnavailableError("The hub")
        for place, outcome in said:
            match outcome:
                case hub.Accepted():
                    yield place, _CONFIRMED
                case hub.Refused(reason, status):
                    yield place, Refused(reason, status)
                case hub.Uncertain(reason):
                    # Rows of one call share its error, by which failed calls are counted.
                    if outcome is not call:
                        call, error = outcome, UnavailableError("The hub", reason=reason)
                    yield place, Failed(error) if repeatable else Uncertain(error)


_CONFIRMED: Final = Confirmed()

_RANKS: Final = {ACCOUNTS: 0, USERS: 1, COLLECTIONS: 1, ACTIVITIES: 2}
"""Rows follow rows of lower rank, whatever the order in which they come."""

_OBJECTS: Final[dict[str, hub.HubObject]] = {
    ACCOUNTS: "accounts",
    USERS: "users",
    ACTIVITIES: "usage",
    COLLECTIONS: "collections",
}


_HUB_ROWS: Final[dict[str, Callable[[Write], HubRow]]] = {
    ACCOUNTS: lambda write: HubRow.account(write.account_id, write.account),
    USERS: lambda write: HubRow.user(write.account_id, write.user_id or "", write.user),
    ACTIVITIES: lambda write: HubRow.activity(
        write.account_id, write.user_id or "", write.module or "", write.activity or ""
    ),
    COLLECTIONS: lambda write: HubRow.item(
        write.collection_id or "", write.account_id, write.collection
    ),
}
