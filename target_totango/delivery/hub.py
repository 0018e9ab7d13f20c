"""Integration Hub batches as a destination: rows of a kind go out together."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from target_totango.delivery.base import (
    FORBIDDEN,
    Confirmed,
    Failed,
    Refused,
    Uncertain,
    WriteResult,
)
from target_totango.delivery.executor import KeyedExecutor
from target_totango.delivery.thread_worker import ThreadWorker
from target_totango.objects import OBJECTS
from totango_api import writing
from totango_api.errors import ApiError, AuthenticationError, TotangoError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence

    from target_totango.models import Row
    from target_totango.verify import ArrivalCheck
    from totango_api.writing import HubClient

BatchResults: TypeAlias = "list[tuple[Sequence[int], WriteResult]]"
"""What became of the rows of a batch, by their places."""

CALLS: Final = 4
"""Batches at once: all REST calls share one rate limit, so more would only queue there."""

BATCHES_AHEAD: Final = 2
"""Batches that wait for each call: enough for none to wait for rows, few enough to stay cheap."""

_NO_RIGHTS: Final = "Check what app_token may do, and whether a firewall turns rows away."

LONGEST_WAIT: Final = 5.0
"""Seconds after which a batch no longer waits to be full."""


@dataclass(eq=False)
class Batch:
    """Rows of one kind that go out together.

    Attributes:
        kind: Their object, and the type of their collection.
        writes: Keys that they change.
        after: Keys that they follow.
        since: When the first one came.
        encoded: What goes out, once the batch is closed.
    """

    kind: tuple[str, str | None]
    rows: list[Row] = field(default_factory=list)
    writes: set[Hashable] = field(default_factory=set)
    after: set[Hashable] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)
    encoded: writing.HubBatch = field(init=False)

    def close(self) -> None:
        """Encode its rows, once it is complete.

        In the thread that made them: for another one, which may run on another core, each text of
        each row would have to be fetched from this one's memory.
        """
        object_, collection_type = self.kind
        form = OBJECTS[object_].hub
        assert form is not None  # noqa: S101 (a mapping to the hub is to what goes through it)
        rows = [form.row(row.request) for row in self.rows]
        self.encoded = writing.HubBatch(form.surface, rows, collection_type)


class HubDestination:
    """Collects rows of a kind into batches, and delivers batches that do not depend on another.

    Args:
        client: Makes the calls.
        arrivals: Reads rows back that were answered without a receipt.
        prepare: Called with the rows of a batch right before it goes out, in any thread.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(
        self,
        client: HubClient,
        *,
        arrivals: ArrivalCheck,
        prepare: Callable[[list[Row]], None],
        is_interrupted: Callable[[], bool],
    ) -> None:
        self._client = client
        self._arrivals = arrivals
        self._prepare = prepare
        worker: ThreadWorker[Batch, BatchResults] = ThreadWorker(self._deliver, threads=CALLS)
        self._executor = KeyedExecutor(
            worker, capacity=CALLS * BATCHES_AHEAD, is_interrupted=is_interrupted
        )
        self._open: dict[tuple[str, str | None], Batch] = {}

    @property
    def busy(self) -> bool:
        """Whether a batch is under way, or a result was not collected yet."""
        return self._executor.busy

    def put(self, row: Row) -> bool:
        """Take a row; waits while too many are under way. Return whether results are to collect."""
        request = row.request
        parts = request.parts
        kind = (row.object, parts.get("collection_type") if parts else None)
        writes, after = request.ordering_keys()
        batch = self._open.get(kind)
        if batch is None or len(self._open) > 1 or not batch.writes.isdisjoint(writes):
            self._make_way(kind, writes)
            batch = self._open.get(kind)
        if batch is None:
            batch = self._open[kind] = Batch(kind)
        batch.rows.append(row)
        batch.writes.update(writes)
        if after:
            batch.after.update(after)
        if len(batch.rows) < self._client.max_rows:
            return False
        self._send(batch)
        return self._executor.has_results

    def collect(self) -> list[tuple[Row, WriteResult]]:
        """Return the results that are known; send what has waited for long enough."""
        for batch in list(self._open.values()):
            if time.monotonic() - batch.since >= LONGEST_WAIT:
                self._send(batch)
        found: list[tuple[Row, WriteResult]] = []
        for batch, results in self._executor.collect():
            rows = batch.rows
            # What was taken comes first: it tells that the service does not refuse everything.
            for places, result in sorted(results, key=_is_not_taken):
                found += [(rows[place], result) for place in places]
        return found

    def drain(self, *, until: float) -> bool:
        """Send everything and wait for it; return False if results came first, or `until`."""
        for batch in list(self._open.values()):
            self._send(batch)
        return self._executor.drain(until=until)

    def cancel(self) -> None:
        """Start no further call."""
        self._open.clear()
        self._executor.cancel()

    def close(self) -> None:
        """End the threads."""
        self._executor.close()

    def _make_way(self, kind: tuple[str, str | None], writes: Collection[Hashable]) -> None:
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
            is_before = OBJECTS[other.kind[0]].rank < rank
            if is_before and not other.writes.isdisjoint((*batch.writes, *batch.after)):
                self._send(other)
        del self._open[batch.kind]
        batch.close()
        self._executor.submit(batch, writes=batch.writes, after=batch.after)

    # In the threads of calls ---------------------------------------------------------------------

    def _deliver(self, batch: Batch) -> BatchResults:
        """Send a batch, and return the result of every row."""
        found: BatchResults = []
        try:
            self._prepare(batch.rows)
            found.extend(self._results(batch))  # what was known before an error counts
        except TotangoError as error:
            status = error.status if isinstance(error, ApiError) else None
            missing = Failed(error, status)
        else:
            missing = Failed(UnavailableError("The hub", reason="said nothing about the row"))
        known = {at for places, _ in found for at in places}
        if len(known) < len(batch.rows):
            found.append(([at for at in range(len(batch.rows)) if at not in known], missing))
        return found

    def _results(self, batch: Batch) -> Iterator[tuple[Sequence[int], WriteResult]]:
        unclear: dict[int, writing.RowUncertain] = {}
        for places, result in self._client.results(batch.encoded):
            match result:
                case writing.RowAccepted():
                    yield places, Confirmed()
                case writing.RowRefused(reason, status):
                    yield places, Refused(reason, status)
                case writing.RowUncertain(status=status, reason=reason) if status == FORBIDDEN:
                    yield places, Failed(_turned_away(reason), status)
                case writing.RowUncertain(is_answered=True) if self._may_repeat(batch):
                    unclear.update(dict.fromkeys(places, result))
                case _:
                    yield places, self._undelivered(batch, result.reason, result.status)
        if unclear:
            yield from self._read_back(batch, unclear)

    def _read_back(
        self, batch: Batch, unclear: Mapping[int, writing.RowUncertain]
    ) -> Iterator[tuple[Sequence[int], WriteResult]]:
        """Yield the results of rows that were answered, though not with a receipt."""
        arrived = self._arrivals.arrived([batch.rows[place] for place in unclear])
        held: dict[str, list[int]] = {}
        for place, result in unclear.items():
            if batch.rows[place].seq in arrived:
                yield [place], Confirmed()
            elif result.is_about_row:
                yield [place], Refused(result.reason, code="no receipt")
            else:
                held.setdefault(result.reason, []).append(place)
        for reason, places in held.items():
            yield places, self._undelivered(batch, reason)

    def _undelivered(self, batch: Batch, reason: str, status: int | None = None) -> WriteResult:
        """Return the result of rows that may or may not have been taken.

        Rows of one call share its error, by which failed calls are counted.
        """
        error = UnavailableError("The hub", reason=reason)
        return Failed(error, status) if self._may_repeat(batch) else Uncertain(error)

    def _may_repeat(self, batch: Batch) -> bool:
        """Return whether a batch may be sent twice: it is idempotent, or settings allow it."""
        return self._client.repeats_activities or OBJECTS[batch.kind[0]].is_idempotent


def _turned_away(reason: str) -> AuthenticationError:
    said = reason.removeprefix(f"status {FORBIDDEN}").removeprefix(": ")
    return AuthenticationError("The hub", status=FORBIDDEN, reason=said, remedy=_NO_RIGHTS)


def _is_not_taken(known: tuple[Sequence[int], WriteResult]) -> bool:
    return not isinstance(known[1], Confirmed)
