"""Moves rows through the filters to their destinations, and results to their handler."""

from __future__ import annotations

import logging
import select
import time
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from target_totango.models import API
from target_totango.pipeline.decisions import Rejected, Skipped
from target_totango.pipeline.interruption import TICK_SECONDS
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_totango.delivery import Destination
    from target_totango.models import Row
    from target_totango.pipeline.canary import Canary
    from target_totango.pipeline.decisions import RowResult
    from target_totango.pipeline.filters import FilterChain, HardDeletes, ParentsFirst
    from target_totango.pipeline.interruption import Interruption
    from target_totango.pipeline.results import ResultHandler
    from target_totango.pipeline.second_trials import SecondTrials, Send
    from target_totango.report import Progress
    from totango_api.command import Part

logger = logging.getLogger("target-totango")

BATCH_ROWS: Final = 500
"""Rows that go through the filters together: as many as one lookup asks for."""

LOOKUP_SECONDS: Final = 5.0
"""How long rows wait for more of them where each batch costs a lookup."""

BUSY_SECONDS: Final = 0.02
"""How often calls that are under way are looked after while the tap is silent."""

DRAIN_SECONDS: Final = 20.0
"""How long a terminated run waits for calls in flight: orchestrators kill after 30 seconds."""

_DELIVERY: Final = attrgetter("delivery")
_ANOTHER_PART: Final = Skipped("of another part")


class Stages:
    """Takes rows through the filters to their destinations. Used by one thread.

    Args:
        filters: Steps between reading and sending, in this order.
        parents: Puts accounts after their parents.
        deletes: That one of them which also wants to know of rows that are not sent.
        canary: Reads first rows back, where that is wanted.
        make_destination: Makes the destination of a delivery.
        results: Takes what becomes of rows.
        trials: Rows at which the service failed, to be sent once more.
        interruption: Ends every wait.
        progress: Shown while it waits.
        part: Which rows this run writes; None for all.
    """

    def __init__(
        self,
        filters: FilterChain,
        *,
        parents: ParentsFirst,
        deletes: HardDeletes,
        canary: Canary | None,
        make_destination: Callable[[str], Destination],
        results: ResultHandler,
        trials: SecondTrials,
        interruption: Interruption,
        progress: Progress,
        part: Part | None,
    ) -> None:
        self._filters = tuple(filters)
        self._looks_up = filters.looks_up
        self._parents = parents
        self._deletes = deletes
        self._canary = canary
        self._make_destination = make_destination
        self._results = results
        self._trials = trials
        self._interruption = interruption
        self._progress = progress
        self._part = part
        self._destinations: dict[str, Destination] = {}
        self._rows: list[Row] = []
        self._since = 0.0
        self._proving: set[int] = set()

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows on their way, one after the other.

        Raises:
            TotangoError: If the run must end here.
        """
        part = self._part
        for row in rows:
            if row.errors or (part is not None and not row.is_of(part)):
                self.add_unsent(row, Rejected(row.errors))
                continue
            if not self._rows:
                self._since = time.monotonic()
            self._rows.append(row)
            if len(self._rows) >= BATCH_ROWS:
                self.advance()

    def add_unsent(self, row: Row, decision: Rejected | Skipped) -> None:
        """Record why a row is not sent, whose subject is at the source nevertheless.

        Raises:
            TotangoError: If the run must end here.
        """
        if not row.is_deleted:
            self._results.handle(self._deletes.note_present(row))
        self._results.handle([(row, decision if row.is_of(self._part) else _ANOTHER_PART)])

    def pulse(self) -> None:
        """Look after what is under way, and send rows that waited for others for long enough."""
        canary = self._canary
        looks_up = self._looks_up or (canary is not None and canary.has_to_look(self._rows))
        patience = LOOKUP_SECONDS if looks_up else 0.0
        if self._rows and time.monotonic() - self._since >= patience:
            self.advance()
        if self._parents.is_overdue:
            self._deliver(self._parents.give_up())
        self._look_after()

    def _look_after(self) -> None:
        for destination in self._destinations.values():
            while results := destination.collect():
                self._results.handle(results)
        self._progress.pulse()

    def advance(self) -> None:
        """Send the rows that wait through the filters and on to their destinations."""
        self.try_again()
        rows: Sequence[Row] = self._rows
        self._rows = []
        objects = {row.object for row in rows}
        marks = {row.mark for row in rows}
        for stage in self._filters:
            if not rows:
                return
            if stage.objects.isdisjoint(objects) and stage.marks.isdisjoint(marks):
                continue
            rows, results = stage.apply(rows)
            self._results.handle(results)
        # Before the first goes out: a result that comes meanwhile must not put into the ledger what
        # the filters found to be outdated by one of these.
        self._results.expect(rows)
        self._deliver(self._trials.keep_spares(self._parents.order(rows)))

    def send_spares(self, *, overdue: bool = False) -> None:
        """Send the rows that were kept back as witnesses: all of them, or if it is time."""
        self._put(self._trials.release_spares(overdue=overdue))

    def finish(self) -> None:
        """Deliver everything that still waits, or raise InterruptedError: no row follows."""
        self.advance()
        for stage in self._filters:
            self._results.handle(stage.finish())
        self._deliver(self._parents.release())
        self.drain()
        self.try_again()
        self.send_spares()
        self.drain()
        self._results.hold_untried()

    def _deliver(self, rows: Sequence[Row]) -> None:
        if self._canary is not None and self._canary.prepare(rows):
            self._deliver_with_canary(rows, self._canary)
        else:
            self._put(rows)

    def drain(self) -> None:
        """Wait for every result of the rows that are at their destinations.

        Raises:
            InterruptedError: If a signal asks to stop.
        """
        self._drain(list(self._destinations))

    def try_again(self, send: Send | None = None) -> None:
        """Send rows at which the service failed once more, and then another one of their kind.

        Args:
            send: Sends rows of one kind, and returns their results.

        Raises:
            InterruptedError: If a signal asks to stop.
        """
        if not self._trials.waiting:
            return
        self.drain()
        for results in self._trials.verdicts(send or self._send_once_more):
            self._results.handle(results)
        self._results.hold_untried()

    def _drain(self, deliveries: Sequence[str]) -> None:
        for destination in map(self._destinations.__getitem__, deliveries):
            while not destination.drain(until=time.monotonic() + 1.0):
                self._interruption.check()
                self._look_after()
            self._results.handle(destination.collect())

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        """Wait until a descriptor has something to read, or for some time; return which."""
        if any(each.busy for each in self._destinations.values()):
            seconds = min(seconds, BUSY_SECONDS)
        return bool(select.select([descriptor], [], [], seconds)[0])

    def wait(self, seconds: float) -> None:
        """Wait, and show the progress.

        Raises:
            InterruptedError: If a signal asks to stop.
        """
        self._interruption.wait(seconds, self._progress.pulse)

    def wind_up(self) -> None:
        """Start nothing new, and wait a while for the calls that are under way."""
        until = time.monotonic() + DRAIN_SECONDS
        for destination in self._destinations.values():
            destination.cancel()
        while time.monotonic() < until and any(each.busy for each in self._destinations.values()):
            for destination in self._destinations.values():
                try:
                    destination.drain(until=time.monotonic() + TICK_SECONDS)
                    results = destination.collect()
                    # A row that was still to be read back is not taken for confirmed.
                    proven = [each for each in results if each[0].seq not in self._proving]
                    self._results.handle(proven)
                except TotangoError as error:
                    logger.debug("While winding up: %s", error)

    def close(self) -> None:
        """End the threads and connections."""
        for destination in self._destinations.values():
            destination.close()

    def _deliver_with_canary(self, rows: Sequence[Row], canary: Canary) -> None:
        sent: set[int] = set()
        for place, row in enumerate(rows):
            if row.seq in sent:
                continue
            if not canary.is_due(row):
                self._put((row,))
                continue
            later = [each for each in rows[place + 1 :] if each.seq not in sent]
            results = canary.prove(row, later, self._send_alone, self.wait)
            sent.update(each.seq for each, _ in results)
            self._proving.clear()
            self._results.handle(results)
            self._results.mark_seen(results)

    def _put(self, rows: Iterable[Row]) -> None:
        for delivery, together in groupby(rows, _DELIVERY):
            if delivery == API:
                # Only about an account that is there can anything be made: what the others still
                # have may be this one's.
                self._drain([name for name in self._destinations if name != API])
            destination = self._destination(delivery)
            for row in together:
                if destination.put(row):
                    self._results.handle(destination.collect())

    def _send_alone(self, row: Row) -> RowResult:
        """Send a row while no other is under way, and return its result."""
        self.drain()
        [(_, result)] = self._send_together([row])
        return result

    def _send_together(self, rows: Sequence[Row]) -> list[tuple[Row, RowResult]]:
        """Send rows of one delivery while no others are under way, and return their results."""
        destination = self._destination(rows[0].delivery)
        self._proving.update(row.seq for row in rows)
        results: list[tuple[Row, RowResult]] = []
        for row in rows:
            destination.put(row)
        while not destination.drain(until=time.monotonic() + TICK_SECONDS):
            self.wait(0)
            results += destination.collect()
        return [*results, *destination.collect()]

    def _send_once_more(self, rows: Sequence[Row]) -> list[tuple[Row, RowResult]]:
        self._results.expect(rows)
        results = self._send_together(rows)
        self._proving.clear()
        return results

    def _destination(self, delivery: str) -> Destination:
        destination = self._destinations.get(delivery)
        if destination is None:
            destination = self._destinations[delivery] = self._make_destination(delivery)
        return destination
