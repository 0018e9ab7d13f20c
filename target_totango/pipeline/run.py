"""Composes a run: processes, filters and delivers rows, and handles results, in this order."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from target_totango.clients import Clients
from target_totango.delivery import DryRunDestination, DryRunSummary, make_destination
from target_totango.mapping import describe
from target_totango.models import Row
from target_totango.pipeline.canary import Canary
from target_totango.pipeline.filters import FilterChain, HardDeletes, ParentsFirst
from target_totango.pipeline.interruption import Interruption
from target_totango.pipeline.record_processor import RecordProcessor
from target_totango.pipeline.rejects import Rejects
from target_totango.pipeline.results import InvalidRowError, ResultHandler
from target_totango.pipeline.run_end import RunEnd
from target_totango.pipeline.second_trials import SecondTrials
from target_totango.pipeline.stages import Stages
from target_totango.report import Progress, Report
from target_totango.singer import StateCheckpointer, emit
from target_totango.storage import RunFiles
from target_totango.verify import ReadBack
from totango_api.errors import InputError
from totango_api.notifications import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_totango.config import Settings
    from target_totango.delivery import Destination
    from target_totango.mapping import StreamMapping
    from target_totango.models import SourceStream
    from target_totango.pipeline.decisions import Rejected, Skipped
    from totango_api.config import Connection

logger = logging.getLogger("target-totango")


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
        self._files = _run_files(settings, connection)
        self.known_groups = self._files.known_groups
        self._notifier = Notifier.from_config(config)
        self._report = Report(shows_values=settings.report_values)
        self._states = StateCheckpointer()
        self._progress = Progress(self._report, self._states, self.clients.calls_left)
        self._dry_run = DryRunSummary() if settings.dry_run else None
        self._read_back = ReadBack(settings, self._files.store)
        self._rejects = Rejects(self._files, self._report, self._dry_run)
        trials = SecondTrials(self.clients, settings)
        self._results = ResultHandler(
            self._files,
            states=self._states,
            report=self._report,
            read_back=self._read_back,
            trials=trials,
            rejects=self._rejects,
            fails_on_invalid=settings.fail_on_invalid,
        )
        proves = settings.canary and self.clients.has_token and not settings.dry_run
        self._canary = Canary(self.clients, settings) if proves else None
        self._deletes = HardDeletes(settings, self._files, self._report)
        self._filters = FilterChain(
            settings, self.clients, self._files, deletes=self._deletes, report=self._report
        )
        self._stages = self._make_stages(trials)
        self._is_read_whole = self._is_verified = False

    def _make_stages(self, trials: SecondTrials) -> Stages:
        return Stages(
            self._filters,
            parents=ParentsFirst(self._files.store),
            deletes=self._deletes,
            canary=self._canary,
            make_destination=self._make_destination,
            results=self._results,
            trials=trials,
            interruption=self.interruption,
            progress=self._progress,
            part=self.settings.part,
        )

    def _make_destination(self, delivery: str) -> Destination:
        clients = self.clients
        if self._dry_run is not None:
            verifier = (lambda: clients.verifier) if clients.has_token else None
            return DryRunDestination(self._dry_run, verifier)
        return make_destination(
            delivery,
            clients,
            self.settings,
            self._files,
            is_interrupted=self.interruption.is_requested,
        )

    # While the input is read ---------------------------------------------------------------

    def processor(self, mapping: StreamMapping) -> RecordProcessor:
        """Return what turns the records of a mapping into rows."""
        self._report.understood.setdefault(mapping.stream, describe(mapping))
        return RecordProcessor(mapping, self._states, self._report)

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows on their way: see `Stages.add`."""
        self._stages.add(rows)

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
        self._report.metrics(row.stream, row.object).received += 1
        self._stages.add_unsent(row, decision)

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
        self, source: str, stream: str, object_: str, version: int, identity: str
    ) -> None:
        """Note that a version of a stream is complete: see `HardDeletes.activate_version`."""
        self._stages.advance()
        self._deletes.activate_version(source, stream, object_, version, identity)

    def pulse(self) -> None:
        """Look after what is under way: called often, also while the tap is silent."""
        self._stages.send_spares(overdue=True)
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
        for step in (self._deliver_rest, self._close):
            try:
                step(failure)
            except Exception as error:  # noqa: BLE001 (raised below, after the other steps)
                failure = failure or error
        self._progress.end()
        if self._dry_run is None:
            self._report.close()
        end = RunEnd(
            self.settings,
            self._report,
            self._states,
            self._files,
            first_failure=self._results.failure,
            dry_run=self._dry_run,
            canary=self._canary.findings if self._canary else None,
            is_verified=self._is_verified,
        )
        end.log()
        failure = end.conclude(failure, self.interruption.signal, self.clients, self._notifier)
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
        for result in self._deletes.delete(self.clients, self._stages.wait):
            self._results.handle([result])
        self._stages.try_again(partial(self._deletes.again, self.clients, self._stages.wait))
        self._is_read_whole = True
        if self._read_back.is_on:
            self._is_verified = True
            clients, wait = self.clients, self._stages.wait
            for checked in self._read_back.verify(
                clients.verifier, clients.engagement_verifier, wait
            ):
                self._rejects.record_read_back(checked)

    def _close(self, _failure: BaseException | None) -> None:
        """Emit the last state that may go, and close everything."""
        try:
            self._files.make_durable()
            self._checkpoint(now=True)
            # Not before the state is out: killed in between, a run would count twice unsaid.
            if self._is_read_whole and not self._states.incomplete:
                self._filters.complete()
                if self.known_groups is not None:
                    self.known_groups.keep()
            self._rejects.mark_superseded()
        finally:
            self._stages.close()
            self.clients.close()
            self._files.close()


def _run_files(settings: Settings, connection: Connection) -> RunFiles:
    service = connection.service_id
    return RunFiles(
        settings.paths,
        service=service.number if service else "",
        is_dry=settings.dry_run,
        keeps_users=settings.hard_delete,
        keeps_groups=settings.segment.remembers_groups,
    )
