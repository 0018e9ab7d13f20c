"""One run: rows are processed, filtered and delivered, and their results handled, in this order."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from target_totango.clients import Clients
from target_totango.delivery import make_destination
from target_totango.delivery.dry_run import DryRunDestination, Plan
from target_totango.models import Row
from target_totango.pipeline.canary import Canary
from target_totango.pipeline.creation_defaults import CreationDefaults
from target_totango.pipeline.decisions import Rejected, Skipped
from target_totango.pipeline.deletes import HardDeletes
from target_totango.pipeline.filters import (
    DropDelivered,
    DropStale,
    DropSuperseded,
    DropUnchanged,
    SyncModeFilter,
)
from target_totango.pipeline.record_processor import RecordProcessor
from target_totango.pipeline.results import InvalidRowError, ResultHandler
from target_totango.pipeline.verdict import RunEnd
from target_totango.report import Progress, Report, write_report
from target_totango.singer.state import StateCheckpointer, emit
from target_totango.storage.dead_letter import DeadLetterFile
from target_totango.storage.known_groups import KnownGroups
from target_totango.storage.known_users import KnownUsers
from target_totango.storage.ledger import Ledger
from target_totango.storage.run_store import RunStore
from target_totango.verify.read_back import ReadBack
from totango_api.errors import InputError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_totango.config import Settings
    from target_totango.delivery.base import Destination
    from target_totango.mapping.stream_mapping import StreamMapping
    from target_totango.models import SourceStream, ValidationError
    from target_totango.pipeline.decisions import RowResult
    from target_totango.pipeline.filters import Filter
    from totango_api.config import Connection

logger = logging.getLogger("target-totango")

BATCH_ROWS: Final = 500
"""Rows that go through the filters together: as many as one lookup asks for."""

LOOKUP_SECONDS: Final = 5.0
"""How long rows wait for more of them where each batch costs a lookup."""

TICK_SECONDS: Final = 0.2
"""How often a wait looks up."""

DRAIN_SECONDS: Final = 20.0
"""How long a terminated run waits for calls in flight: orchestrators kill after 30 seconds."""


class Run:
    """Everything that happens between reading a record and emitting a state.

    Used by one thread; calls go on while it waits.

    Args:
        settings: The target's settings.
        connection: How to reach Totango.
        config: The whole configuration, for the region's lookup.

    Attributes:
        signal: The signal that asked to stop.
        known_groups: Which group each user was last in, where that is remembered.
    """

    def __init__(
        self, settings: Settings, connection: Connection, config: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self.clients = Clients(settings, connection, config)
        self.report = Report()
        self.states = StateCheckpointer()
        self.rejects = DeadLetterFile(settings.rejects_path)
        self.signal: int | None = None
        self.plan = Plan() if settings.dry_run else None
        self._store = RunStore()
        self._progress = Progress(self.report)
        self._ledger, self._known_users = _opened(settings, connection)
        self.known_groups = _known_groups(settings)
        self._read_back = ReadBack(settings, self._store)
        self._results = ResultHandler(
            states=self.states,
            report=self.report,
            rejects=None if settings.dry_run else self.rejects,
            ledger=self._ledger,
            store=self._store,
            read_back=self._read_back,
            fails_on_invalid=settings.fail_on_invalid,
        )
        self._deletes = HardDeletes(
            is_on=settings.hard_delete,
            limit=settings.max_deletes,
            known_users=self._known_users,
            ledger=self._ledger,
            report=self.report,
        )
        proves = settings.canary and self.clients.has_token and not settings.dry_run
        self._canary = Canary(self.clients, settings) if proves else None
        self._proving: set[int] = set()
        self._delivered: DropDelivered | None = None
        self._filters = self._stages()
        self._destinations: dict[str, Destination] = {}
        self._rows: list[Row] = []
        self._since = 0.0
        self._read_whole = False

    def _stages(self) -> list[Filter]:
        """Return what rows pass between processing and delivery, in this order."""
        stages: list[Filter] = [DropSuperseded(), self._deletes]
        if self._ledger is not None:
            self._delivered = DropDelivered(self._ledger, self._store, self.report)
            stages.append(self._delivered)
        stages.append(DropStale(self._store, self.report))
        if self._ledger is not None:
            stages.append(DropUnchanged(self._ledger, self.clients.way_of))
        if self.settings.looks_up:
            stages.append(SyncModeFilter(self._store, lambda: self.clients.lookup))
        if self.settings.preset is not None and self.settings.segment.default_plan:
            lookup = (lambda: self.clients.lookup) if self.clients.has_token else None
            stages.append(CreationDefaults(self._store, lookup))
        return stages

    # While the input is read ---------------------------------------------------------------

    def processor(
        self,
        mapping: StreamMapping,
        schema_errors: Callable[[Mapping[str, Any]], list[ValidationError]],
        announced: frozenset[str] | None = None,
    ) -> RecordProcessor:
        """Return what turns the records of a mapping into rows: see there."""
        return RecordProcessor(
            mapping,
            states=self.states,
            report=self.report,
            schema_errors=schema_errors,
            announced=announced,
        )

    def add(self, row: Row) -> None:
        """Take a row on its way.

        Raises:
            TotangoError: If the run must end here.
        """
        if row.errors:
            self._results.handle(self._deletes.note_present(row))
            self._results.handle([(row, Rejected(row.errors))])
            return
        if not self._rows:
            self._since = time.monotonic()
        self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS:
            self._advance()

    def skip(
        self,
        message: Mapping[str, Any],
        source: SourceStream,
        *,
        stream: str,
        object_: str,
        reason: str,
    ) -> None:
        """Count a record that asks for nothing, such as a page without a name."""
        row = Row(self.states.next_row(), source, message, stream, object_)
        self.report.tally(row.stream, row.object).received += 1
        self._results.handle([(row, Skipped(reason))])

    def refuse(
        self,
        message: Mapping[str, Any],
        source: SourceStream,
        *,
        stream: str,
        object_: str,
        error: ValidationError,
    ) -> None:
        """Reject a record that did not come through the stream maps, or is no call of a preset."""
        row = Row(self.states.next_row(), source, message, stream, object_)
        self.report.tally(row.stream, row.object).received += 1
        self._results.handle([(row, Rejected([error]))])

    def ignore(self, stream: str) -> None:
        """Count a row of a stream that is ignored."""
        self.report.ignored_streams[stream] += 1

    def state(self, value: Any) -> None:
        """Take a state that covers every record taken so far."""
        if self.plan is None:
            self.states.put(value)
            self._checkpoint()

    def activate_version(self, stream: str, object_: str, version: int) -> None:
        """Note that a version of a stream is complete: what only older ones held is gone."""
        self._advance()
        self._deletes.activate_version(stream, object_, version)

    def pulse(self) -> None:
        """Look after what is under way: called often, also while the tap is silent."""
        if self._rows and time.monotonic() - self._since >= self._patience:
            self._advance()
        self._collect()
        self._checkpoint()
        self._progress.pulse(self.states.incomplete)

    @property
    def _patience(self) -> float:
        """How long rows wait for more of them: where a lookup is made for all of them together."""
        looks_up = self.settings.looks_up or (
            self._canary is not None and self._canary.has_to_look(self._rows)
        )
        return LOOKUP_SECONDS if looks_up else 0.0

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        """Wait for something to read, while calls go on; return whether there is something."""
        return self.clients.wait_readable(descriptor, seconds)

    def _advance(self) -> None:
        """Send the rows that wait through the filters and on to their destinations."""
        rows, self._rows = self._rows, []
        for stage in self._filters:
            if not rows:
                return
            rows, results = stage.apply(rows)
            self._results.handle(results)
        self._deliver(rows)

    def _deliver(self, rows: Sequence[Row]) -> None:
        if self._canary is not None and self._canary.prepare(rows):
            self._deliver_with_canary(rows, self._canary)
            return
        for row in rows:
            self._put(row)

    def _deliver_with_canary(self, rows: Sequence[Row], canary: Canary) -> None:
        sent: set[int] = set()
        for place, row in enumerate(rows):
            if row.seq in sent:
                continue
            if not canary.is_due(row):
                self._put(row)
                continue
            later = [each for each in rows[place + 1 :] if each.seq not in sent]
            results = canary.prove(row, later, self._send_alone, self._wait)
            sent.update(each.seq for each, _ in results)
            self._proving.clear()
            self._results.handle(results)
            self._results.mark_seen(results)

    def _put(self, row: Row) -> None:
        destination = self._destination(row.delivery)
        self._results.expect(row)
        destination.put(row)
        if destination.has_results:
            self._results.handle(destination.collect())

    def _send_alone(self, row: Row) -> RowResult:
        """Send a row while no other is under way, and return its result."""
        self._drain()
        self._proving.add(row.seq)
        destination = self._destination(row.delivery)
        self._results.expect(row)
        destination.put(row)
        while not destination.drain(until=time.monotonic() + TICK_SECONDS):
            self._wait(0)
        [(_, result)] = destination.collect()
        return result

    def _wait(self, seconds: float) -> None:
        """Wait, and say meanwhile how far the run is.

        Raises:
            InterruptedError: If a signal asks to stop.
        """
        until = time.monotonic() + seconds
        while self.signal is None:
            self._progress.pulse(self.states.incomplete)
            if (left := until - time.monotonic()) <= 0:
                return
            time.sleep(min(left, TICK_SECONDS))
        raise InterruptedError

    def _collect(self) -> None:
        for destination in self._destinations.values():
            if results := destination.collect():
                self._results.handle(results)

    def _destination(self, delivery: str) -> Destination:
        name = delivery if self.plan is None else "dry run"
        if name not in self._destinations:
            self._destinations[name] = self._make_destination(delivery)
        return self._destinations[name]

    def _make_destination(self, delivery: str) -> Destination:
        if self.plan is None:
            return make_destination(
                delivery,
                self.clients,
                self.settings,
                prepare=self._prepare,
                is_interrupted=lambda: self.signal is not None,
            )
        lookup = (lambda: self.clients.lookup) if self.clients.has_token else None
        return DryRunDestination(self.plan, lookup, self.clients.known)

    def _prepare(self, rows: list[Row]) -> None:
        """Make durable what the ledger has to know before calls go out; in any thread.

        Rows that go out together share a commit: each costs the disk a few milliseconds.
        """
        if self._ledger is None:
            return
        if fingerprints := [row.fingerprint for row in rows if row.fingerprint is not None]:
            self._ledger.begin(*fingerprints)
        elif any(row.forgotten for row in rows):
            self._ledger.flush()

    def _checkpoint(self, *, now: bool = False) -> None:
        """Emit the newest state that may go out."""
        value = self.states.due(now=now)
        if value is not None:
            self._results.make_durable()
            if self.known_groups is not None:
                self.known_groups.flush()
            emit(value)

    # The end -------------------------------------------------------------------------------

    def finish(self, failure: BaseException | None) -> None:
        """Deliver what is left, emit the last state, write the report, and give the verdict.

        Args:
            failure: Why reading ended early.

        Raises:
            TotangoError: If not everything was done.
            SystemExit: After a signal.
        """
        for step in (self._deliver_rest, self._close, self._write_report):
            try:
                step(failure)
            except Exception as error:  # noqa: BLE001 (raised below, after the other steps)
                failure = failure or error
        if self.signal is not None and isinstance(failure, (InterruptedError, type(None))):
            logger.error(
                "Stopped by signal %d before everything was done; %d rows were not delivered.",
                self.signal,
                self.states.incomplete,
            )
            raise SystemExit(128 + self.signal)
        failure = failure or self._end.verdict()
        if failure is not None:
            raise failure

    def _deliver_rest(self, failure: BaseException | None) -> None:
        """Deliver what can be delivered.

        Raises:
            TotangoError: If that is not everything.
        """
        # What was read before an error in the input is still delivered.
        can_go_on = failure is None or isinstance(failure, (InputError, InvalidRowError))
        if self.signal is not None or not can_go_on:
            self._wind_up()
            return
        try:
            self._advance()
            self._drain()
            if failure is None:
                self._after_delivery()
            self._results.hold_refused()
        except BaseException:
            self._wind_up()
            raise

    def _drain(self) -> None:
        """Wait for every result of the rows that are at their destinations."""
        for destination in self._destinations.values():
            while not destination.drain(until=time.monotonic() + 1.0):
                if self.signal is not None:
                    raise InterruptedError
                self.pulse()
            self._results.handle(destination.collect())

    def _after_delivery(self) -> None:
        """Do what only a run may do that was read to its end and delivered."""
        if self.plan is not None:
            self.plan.delete = self._deletes.count
            return
        for result in self._deletes.carry_out(self.clients.delete_user):
            self._results.handle([result])
        self._read_whole = True
        if self._read_back.is_on:
            self._verify()

    def _verify(self) -> None:
        """Read back what was confirmed, and keep what is not there as it was sent."""
        for checked in self._read_back.verify(self.clients.verifier, self._wait):
            self._results.handle_verification(checked)

    def _wind_up(self) -> None:
        """Start nothing new, and wait a while for the calls that are under way."""
        until = time.monotonic() + DRAIN_SECONDS
        for destination in self._destinations.values():
            destination.cancel()
        while time.monotonic() < until and any(each.busy for each in self._destinations.values()):
            for destination in self._destinations.values():
                try:
                    destination.drain(until=time.monotonic() + TICK_SECONDS)
                    results = destination.collect()
                    # What was to be read back first is not taken for confirmed.
                    self._results.handle(
                        [each for each in results if each[0].seq not in self._proving]
                    )
                except TotangoError as error:
                    logger.debug("While winding up: %s", error)

    def _close(self, failure: BaseException | None) -> None:
        """Emit the last state that may go, and close everything."""
        del failure
        try:
            self._results.make_durable()
            self._checkpoint(now=True)
            # Not before the state is out: killed in between, a run would count twice unsaid.
            if self._read_whole and not self.states.incomplete and self._delivered is not None:
                self._delivered.complete()
            self._results.mark_superseded()
        finally:
            self.rejects.close()
            files = (self._known_users, self.known_groups, self._ledger)
            for closing in (*self._destinations.values(), *files):
                if closing is not None:
                    closing.close()
            self.clients.close()
            self._store.close()

    def _write_report(self, failure: BaseException | None) -> None:
        self._progress.end()
        if self.plan is None:
            self.report.close()
        self._end.log()
        if self.settings.report_path:
            is_complete = failure is None and self.signal is None
            report = self._end.as_dict(is_complete=is_complete, calls=self.clients.usage())
            write_report(Path(self.settings.report_path), report)

    @property
    def _end(self) -> RunEnd:
        return RunEnd(
            self.settings,
            self.report,
            self.states,
            self.rejects,
            failure=self._results.failure,
            plan=self.plan,
            has_ledger=self._ledger is not None,
            canary=self._canary.findings if self._canary else None,
        )


def _known_groups(settings: Settings) -> KnownGroups | None:
    """Open the file of known groups beside the ledger; without one, groups are known for a run."""
    if not settings.segment.remembers_groups:
        return None
    is_kept = settings.ledger_path and not settings.dry_run
    return KnownGroups(Path(f"{settings.ledger_path}.groups") if is_kept else None)


def _opened(settings: Settings, connection: Connection) -> tuple[Ledger | None, KnownUsers | None]:
    """Open the ledger and the file of known users beside it, where they are kept."""
    if not settings.ledger_path or settings.dry_run:
        return None, None
    service_id = connection.service_id
    ledger = Ledger(settings.ledger_path, service=service_id.number if service_id else "")
    if not settings.hard_delete:
        return ledger, None
    return ledger, KnownUsers(Path(f"{settings.ledger_path}.users"))
