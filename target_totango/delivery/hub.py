"""Integration Hub batches as a way out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from target_totango.delivery.base import keys_of, written
from target_totango.delivery.executor import OrderedPool
from target_totango.delivery.hub_calls import HubCalls
from target_totango.delivery.hub_delivery import Batch, HubDelivery, Outcomes
from target_totango.delivery.results import Confirmed
from target_totango.objects import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from target_totango.delivery.results import WriteResult
    from target_totango.models import Row
    from totango_api.http.call_loop import CallLoop


CALLS: Final = 4
"""Batches at once: all REST calls share one budget, so more would only queue there."""

BATCHES_AHEAD: Final = 2
"""Batches that wait for each call: enough for none to wait for rows, few enough to stay cheap."""

LONGEST_WAIT: Final = 5.0
"""Seconds after which a batch no longer waits to be full."""


class HubDestination:
    """Collects rows of a kind into batches, and delivers batches that do not depend on another.

    Args:
        delivery: Delivers them.
        settle: Takes each row and its outcome.
        settle_all: Takes rows that share an outcome.
        max_rows: Most rows of a batch.
        interrupted: Asked while `put` waits: whether to wait no longer.
        loop: Runs calls in this thread; without one, or where calls are paced, threads make them.
    """

    def __init__(
        self,
        delivery: HubDelivery,
        settle: Callable[[Row, WriteResult], None],
        *,
        settle_all: Callable[[Sequence[Row], WriteResult], None],
        max_rows: int,
        interrupted: Callable[[], bool],
        loop: CallLoop | None = None,
    ) -> None:
        self._settle = settle
        self._settle_all = settle_all
        self._max_rows = max_rows
        how: dict[str, Any] = {"ahead": BATCHES_AHEAD, "interrupted": interrupted}
        self._crew: HubCalls | OrderedPool[Batch, Outcomes]
        if loop is not None:
            self._crew = HubCalls(delivery, loop, self._settle_batch, in_flight=CALLS, **how)
        else:
            self._crew = OrderedPool(delivery.deliver, self._settle_batch, workers=CALLS, **how)
        self._open: dict[tuple[str, str | None], Batch] = {}

    @property
    def unfinished(self) -> int:
        """Batches put in whose outcome is not known yet."""
        return self._crew.unfinished + len(self._open)

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""
        return self._crew.busy

    def put(self, row: Row) -> None:
        """Take a row."""
        write = written(row)
        kind = (row.object, write.parts.get("collection_type"))
        writes, after = keys_of(write)
        batch = self._open.get(kind)
        if batch is None or len(self._open) > 1 or not batch.writes.isdisjoint(writes):
            self._make_way(kind, writes)
            batch = self._open.get(kind)
        if batch is None:
            batch = self._open[kind] = Batch(kind)
        batch.rows.append(row)
        batch.writes.update(writes)
        batch.after.update(after)
        if len(batch.rows) >= self._max_rows:
            self._send(batch)

    def collect(self) -> None:
        """Hand on the outcomes that are known; send what has waited for long enough."""
        for batch in list(self._open.values()):
            if time.monotonic() - batch.since >= LONGEST_WAIT:
                self._send(batch)
        self._crew.collect()

    def drain(self, *, until: float | None = None) -> bool:
        """Send everything and hand on every outcome; return False if `until` came first."""
        for batch in list(self._open.values()):
            self._send(batch)
        return self._crew.drain(until=until)

    def cancel(self) -> None:
        """Start no further call."""
        self._open.clear()
        self._crew.cancel_queued()

    def close(self) -> None:
        """End the threads."""
        self._crew.close()

    def _make_way(self, kind: tuple[str, str | None], writes: list[Hashable]) -> None:
        """Send the batches that must go out before a row that changes some keys.

        A batch holds a key once, and what a row changes must not be changed by an older one that
        goes out later. What a row follows may still wait: see _send. Activities change nothing.
        """
        for other in list(self._open.values()):
            if not OBJECTS[other.kind[0]].is_idempotent or other.writes.isdisjoint(writes):
                continue
            if other.kind == kind or OBJECTS[other.kind[0]].rank > OBJECTS[kind[0]].rank:
                self._send(other)

    def _send(self, batch: Batch) -> None:
        """Send a batch, and before it whatever it follows: accounts, then users, then activities.

        So rows of several kinds may come in turn, and still fill their batches.
        """
        if self._open.get(batch.kind) is not batch:
            return
        rank = OBJECTS[batch.kind[0]].rank
        for other in list(self._open.values()):
            follows = other.writes.intersection((*batch.writes, *batch.after))
            if follows and OBJECTS[other.kind[0]].rank < rank:
                self._send(other)
        del self._open[batch.kind]
        self._crew.submit(batch, writes=batch.writes, after=batch.after)

    def _settle_batch(self, batch: Batch, outcomes: Outcomes) -> None:
        if len(outcomes) == 1 and len(outcomes[0][0]) == len(batch.rows):
            self._settle_all(batch.rows, outcomes[0][1])
            return
        by_place = {at: outcome for places, outcome in outcomes for at in places}
        # What was taken first: it tells that the service does not refuse everything.
        for place in sorted(by_place, key=lambda at: not isinstance(by_place[at], Confirmed)):
            self._settle(batch.rows[place], by_place[place])
