"""Integration Hub batches as a way out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from target_totango.channels import keys_of, written
from target_totango.delivery import OrderedPool
from target_totango.model import ACCOUNTS, ACTIVITIES, COLLECTIONS, USERS, Row
from target_totango.outcomes import Confirmed, Failed, Outcome, Refused, Uncertain
from totango_api import hub
from totango_api.errors import ApiError, TotangoError, UnavailableError
from totango_api.hub import Hub, HubRow

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from target_totango.model import Write

WORKERS: Final = 4
"""Batches at once: all REST calls share one budget, so more would only queue there."""

BATCHES_AHEAD: Final = 2
"""Batches that wait for each call: enough for none to wait for rows, few enough to stay cheap."""

LONGEST_WAIT: Final = 5.0
"""Seconds after which a batch no longer waits to be full."""


_Outcomes: TypeAlias = "list[tuple[Sequence[int], Outcome]]"
"""What became of the rows of a batch, by their places."""


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
        settle_all: Takes rows that share an outcome.
        max_rows: Most rows of a batch.
        prepare: Called with the rows of a batch right before it goes out, in another thread.
        interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(
        self,
        hub_client: Hub,
        settle: Callable[[Row, Outcome], None],
        *,
        settle_all: Callable[[Sequence[Row], Outcome], None],
        max_rows: int,
        prepare: Callable[[list[Row]], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._hub = hub_client
        self._settle = settle
        self._settle_all = settle_all
        self._max_rows = max_rows
        self._prepare = prepare
        self._pool: OrderedPool[_Batch, _Outcomes] = OrderedPool(
            self._deliver,
            self._settle_batch,
            workers=WORKERS,
            ahead=BATCHES_AHEAD,
            thrifty=True,
            interrupted=interrupted,
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
        batch = self._open.get(kind)
        if batch is None or len(self._open) > 1 or not batch.writes.isdisjoint(writes):
            self._make_way(kind, writes)
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

    def _make_way(self, kind: tuple[str, str | None], writes: list[Hashable]) -> None:
        """Send the batches that must go out before a row that changes some keys.

        A batch holds a key once, and what a row changes must not be changed by an older one that
        goes out later. What a row follows may still wait: see _send. Activities change nothing.
        """
        for other in list(self._open.values()):
            if other.kind[0] == ACTIVITIES or other.writes.isdisjoint(writes):
                continue
            if other.kind == kind or _RANKS[other.kind[0]] > _RANKS[kind[0]]:
                self._send(other)

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

    def _settle_batch(self, batch: _Batch, outcomes: _Outcomes) -> None:
        if len(outcomes) == 1 and len(outcomes[0][0]) == len(batch.rows):
            self._settle_all(batch.rows, outcomes[0][1])
            return
        by_place = {at: outcome for places, outcome in outcomes for at in places}
        for place, row in enumerate(batch.rows):
            self._settle(row, by_place[place])

    def _deliver(self, batch: _Batch) -> _Outcomes:
        found: _Outcomes = []
        try:
            self._prepare(batch.rows)
            found.extend(self._outcomes(batch))  # what was known before an error counts
        except TotangoError as error:
            status = error.status if isinstance(error, ApiError) else None
            missing = Failed(error, status)
        else:
            missing = Failed(UnavailableError("The hub", reason="said nothing about the row"))
        known = {at for places, _ in found for at in places}
        if len(known) < len(batch.rows):
            found.append(([at for at in range(len(batch.rows)) if at not in known], missing))
        return found

    def _outcomes(self, batch: _Batch) -> Iterator[tuple[Sequence[int], Outcome]]:
        object_, collection_type = batch.kind
        repeatable = object_ != ACTIVITIES
        hub_row = _HUB_ROWS[object_]
        rows = [hub_row(written(row)) for row in batch.rows]
        said = self._hub.outcomes(_OBJECTS[object_], rows, collection_type=collection_type)
        for places, outcome in said:
            match outcome:
                case hub.Accepted():
                    yield places, Confirmed()
                case hub.Refused(reason, status):
                    yield places, Refused(reason, status)
                case hub.Uncertain(reason):
                    # Rows of one call share its error, by which failed calls are counted.
                    error = UnavailableError("The hub", reason=reason)
                    yield places, Failed(error) if repeatable else Uncertain(error)


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
