"""One run: rows are processed, filtered and delivered, and their results handled, in this order."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from target_totango.clients import Clients
from target_totango.delivery import DryRunDestination, DryRunSummary, make_destination
from target_totango.models import Row
from target_totango.pipeline.canary import Canary
from target_totango.pipeline.creation_defaults import CreationDefaults
from target_totango.pipeline.decisions import Skipped
from target_totango.pipeline.deletes import HardDeletes
from target_totango.pipeline.delivered_activities import DropDelivered
from target_totango.pipeline.filters import (
    DropOutdated,
    DropStale,
    DropSuperseded,
    DropUnchanged,
    SyncModeFilter,
)
from target_totango.pipeline.fingerprints import Fingerprints
from target_totango.pipeline.full_syncs import FullSyncs
from target_totango.pipeline.matching import MatchKeys
from target_totango.pipeline.owners import ResolveOwners
from target_totango.pipeline.parents import ParentsFirst
from target_totango.pipeline.record_processor import RecordProcessor
from target_totango.pipeline.records import DropRecorded
from target_totango.pipeline.references import ResolveNames
from target_totango.pipeline.results import InvalidRowError, ResultHandler
from target_totango.pipeline.stages import Interruption, Stages
from target_totango.pipeline.unknown_accounts import RejectUnknownAccounts
from target_totango.pipeline.verdict import RunEnd
from target_totango.report import Progress, Report, write_report
from target_totango.singer import StateCheckpointer, emit
from target_totango.storage import RunFiles
from target_totango.verify import ReadBack
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_totango.config import Settings
    from target_totango.delivery import Destination
    from target_totango.mapping import StreamMapping
    from target_totango.models import SourceStream, ValidationError
    from target_totango.pipeline.decisions import Rejected
    from target_totango.pipeline.filters import Filter
    from totango_api.config import Connection

logger = logging.getLogger("target-totango")

_ANOTHER_PART: Final = Skipped("of another part")


class Run:
    """Everything that happens between reading a record and emitting a state.

    Used by one thread; calls go on while it waits.

    Args:
        settings: The target's settings.
        connection: How to reach Totango.
        config: The whole configuration, for the region's lookup.

    Attributes:
        interruption: Whether it is asked to stop.
        known_groups: Which group each user was last in, where that is remembered.
    """

    def __init__(
        self, settings: Settings, connection: Connection, config: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self.clients = Clients(settings, connection, config)
        self.interruption = Interruption()
        service = connection.service_id
        self._files = RunFiles(
            settings.paths,
            service=service.number if service else "",
            is_dry=settings.dry_run,
            keeps_users=settings.hard_delete,
            keeps_groups=settings.segment.remembers_groups,
        )
        self.known_groups = self._files.known_groups
        self._report = Report()
        self._states = StateCheckpointer()
        self._progress = Progress(self._report, self._states)
        self._dry_run = DryRunSummary() if settings.dry_run else None
        self._read_back = ReadBack(settings, self._files.store)
        self._results = ResultHandler(
            self._files,
            states=self._states,
            report=self._report,
            read_back=self._read_back,
            fails_on_invalid=settings.fail_on_invalid,
            dry_run=self._dry_run,
        )
        proves = settings.canary and self.clients.has_token and not settings.dry_run
        self._canary = Canary(self.clients, settings) if proves else None
        self._deletes = HardDeletes(
            is_on=settings.hard_delete,
            limit=settings.max_deletes,
            timeout=settings.verify_timeout,
            known_users=self._files.known_users,
            ledger=self._files.ledger,
            report=self._report,
        )
        self._full_syncs: FullSyncs | None = None
        ledger, store = self._files.ledger, self._files.store
        self._fingerprints = None if ledger is None else Fingerprints(ledger, store)
        self._stages = Stages(
            self._filters(),
            parents=ParentsFirst(self._files.store),
            deletes=self._deletes,
            canary=self._canary,
            make_destination=self._make_destination,
            results=self._results,
            interruption=self.interruption,
            progress=self._progress,
            looks_up=(settings.looks_up or settings.matches or settings.rejects_unknown_accounts),
        )
        self._is_read_whole = False
        self._is_verified = False

    def _filters(self) -> list[Filter]:
        """Return what rows pass between processing and delivery, in this order."""
        files = self._files
        filters: list[Filter] = [DropSuperseded(), MatchKeys(self.clients.matcher), self._deletes]
        if files.ledger is not None:
            filters.append(DropOutdated(files.ledger))
            if self._fingerprints is not None:
                filters.append(
                    DropDelivered(
                        files.ledger,
                        self._fingerprints,
                        self._report,
                        repeats=self.settings.repeats_activities,
                    )
                )
        filters.append(DropRecorded(files.ledger, self._fingerprints, files.store, self._report))
        filters.append(ResolveNames(self.clients.references))
        if self.clients.has_token:
            filters.append(ResolveOwners(self.clients.roles, lambda: self.clients.staff))
        filters.append(DropStale(files.store, self._report))
        if files.ledger is not None:
            self._full_syncs = FullSyncs(files.ledger, self.settings.full_sync_every_hours)
            filters.append(DropUnchanged(files.ledger, self.clients.way_of, self._full_syncs))
        if self.settings.looks_up:
            filters.append(SyncModeFilter(files.store, lambda: self.clients.lookup))
        if self.settings.rejects_unknown_accounts:
            filters.append(RejectUnknownAccounts(files.store, lambda: self.clients.lookup))
        if self.settings.preset is not None and self.settings.segment.default_plan:
            lookup = (lambda: self.clients.lookup) if self.clients.has_token else None
            filters.append(CreationDefaults(files.store, lookup))
        return filters

    def _make_destination(self, delivery: str) -> Destination:
        clients = self.clients
        if self._dry_run is not None:
            lookup = (lambda: clients.lookup) if clients.has_token else None
            return DryRunDestination(self._dry_run, lookup, clients.known)
        return make_destination(
            delivery,
            clients,
            self.settings,
            ledger=self._files.ledger,
            prepare=self._prepare,
            is_interrupted=lambda: self.interruption.signal is not None,
        )

    def _prepare(self, rows: list[Row]) -> None:
        """Make durable what the ledger has to know before calls go out; in any thread.

        Rows that go out together share a commit: each costs the disk a few milliseconds.
        """
        ledger = self._files.ledger
        if ledger is None:
            return
        if fingerprints := [row.fingerprint for row in rows if row.fingerprint is not None]:
            ledger.begin(*fingerprints)
        elif any(row.forgotten for row in rows):
            ledger.flush()

    # While the input is read ---------------------------------------------------------------

    def processor(
        self,
        mapping: StreamMapping,
        schema_errors: Callable[[Mapping[str, Any]], list[ValidationError]],
        announced: frozenset[str] | None = None,
        fields: Iterable[str] = (),
    ) -> RecordProcessor:
        """Return what turns the records of a mapping into rows: see there."""
        return RecordProcessor(
            mapping,
            states=self._states,
            report=self._report,
            schema_errors=schema_errors,
            announced=announced,
            fields=fields,
        )

    def add(self, row: Row) -> None:
        """Take a row on its way.

        Raises:
            TotangoError: If the run must end here.
        """
        if self._is_another_part(row):
            self._skip(row)
        else:
            self._stages.add(row)

    def _is_another_part(self, row: Row) -> bool:
        """Return whether a run of another part writes the row, or rejects it."""
        part = self.settings.part
        if part is None:
            return False
        if row.write is not None and row.write.account_id:
            return not part.holds(row.write.account_id)
        return not part.holds(json.dumps(row.message.get("record"), sort_keys=True, default=str))

    def _skip(self, row: Row) -> None:
        """Count a row of another part, which is present nevertheless."""
        if not row.is_deleted:
            self._results.handle(self._deletes.note_present(row))
        self._results.handle([(row, _ANOTHER_PART)])

    def add_unsent(
        self,
        message: Mapping[str, Any],
        source: SourceStream,
        about: tuple[str, str],
        decision: Skipped | Rejected,
    ) -> None:
        """Count a record that is not sent, such as one on which a stream map failed.

        Args:
            message: Its message as it was read.
            source: Its stream.
            about: Stream and object as which it counts.
            decision: Why it is not sent.
        """
        row = Row(self._states.next_row(), source, message, *about)
        self._report.tally(row.stream, row.object).received += 1
        if self._is_another_part(row):
            self._skip(row)
            return
        self._deletes.note_present(row)
        self._results.handle([(row, decision)])

    def ignore(self, stream: str) -> None:
        """Count a row of a stream that is ignored."""
        self._report.ignored_streams[stream] += 1

    def state(self, value: Any) -> None:
        """Take a state that covers every record taken so far."""
        if self._dry_run is None:
            self._states.put(value)
            if self.known_groups is not None:
                self.known_groups.note_state(self._states.rows)
            self._checkpoint()

    def activate_version(
        self, source: str, stream: str, object_: str, version: int, way: str
    ) -> None:
        """Note that a version of a stream is complete: what only older ones held is gone.

        Args:
            source: The stream before the stream maps.
            stream: Its name behind them.
            object_: What it is about.
            version: The version.
            way: How its ids are made and its rows filtered.
        """
        self._stages.advance()
        self._deletes.activate_version(source, stream, object_, version, way)

    def pulse(self) -> None:
        """Look after what is under way: called often, also while the tap is silent."""
        self._stages.pulse()
        self._checkpoint()

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        """Wait for something to read, while calls go on; return whether there is something."""
        return self._stages.wait_readable(descriptor, seconds)

    def _checkpoint(self, *, now: bool = False) -> None:
        """Emit the newest state that may go out."""
        value = self._states.due(now=now)
        if value is not None:
            self._files.make_durable()
            if self.known_groups is not None:
                self.known_groups.keep(self._states.passed)
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
        signal = self.interruption.signal
        if signal is not None and isinstance(failure, (InterruptedError, type(None))):
            logger.error(
                "Stopped by signal %d before everything was done; %d rows were not delivered.",
                signal,
                self._states.incomplete,
            )
            raise SystemExit(128 + signal)
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
        if self.interruption.signal is not None or not can_go_on:
            self._stages.wind_up()
            return
        try:
            self._stages.finish()
            self._stages.drain()
            if failure is None:
                self._after_delivery()
            self._results.hold_refused()
        except BaseException:
            self._stages.wind_up()
            raise

    def _after_delivery(self) -> None:
        """Do what only a run may do that was read to its end and delivered."""
        if self._dry_run is not None:
            self._dry_run.delete = self._deletes.count
            return
        for result in self._deletes.carry_out(self.clients, self._stages.wait):
            self._results.handle([result])
        self._is_read_whole = True
        if self._read_back.is_on:
            self._is_verified = True
            clients = self.clients
            for checked in self._read_back.verify(
                clients.verifier, clients.record_verifier, self._stages.wait
            ):
                self._results.handle_verification(checked)

    def _close(self, failure: BaseException | None) -> None:
        """Emit the last state that may go, and close everything."""
        del failure
        try:
            self._files.make_durable()
            self._checkpoint(now=True)
            # Not before the state is out: killed in between, a run would count twice unsaid.
            is_complete = self._is_read_whole and not self._states.incomplete
            if is_complete and self._full_syncs is not None:
                self._full_syncs.complete()
            if is_complete and self._fingerprints is not None:
                self._fingerprints.complete()
            if is_complete and self.known_groups is not None:
                self.known_groups.keep()
            self._results.mark_superseded()
        finally:
            self._stages.close()
            self.clients.close()
            self._files.close()

    def _write_report(self, failure: BaseException | None) -> None:
        self._progress.end()
        if self._dry_run is None:
            self._report.close()
        self._end.log()
        if self._files.report_path is not None:
            is_complete = failure is None and self.interruption.signal is None
            report = self._end.as_dict(is_complete=is_complete, calls=self.clients.usage())
            write_report(self._files.report_path, report)

    @property
    def _end(self) -> RunEnd:
        return RunEnd(
            self.settings,
            self._report,
            self._states,
            self._files,
            failure=self._results.failure,
            dry_run=self._dry_run,
            canary=self._canary.findings if self._canary else None,
            is_verified=self._is_verified,
        )
