"""One run: rows in, outcomes counted, rejects kept, states let go, a verdict at the end."""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from target_totango.clients import Clients
from target_totango.delivery.dry_run import DryRunDestination, Plan
from target_totango.models import ACTIVITIES, Row, ValidationError
from target_totango.pipeline.departures import HardDeletes
from target_totango.pipeline.filters import Admission
from target_totango.pipeline.record_processor import RecordProcessor
from target_totango.pipeline.results import InvalidRowError, ResultHandler
from target_totango.report import Report
from target_totango.singer.output import emit
from target_totango.singer.state import StateCheckpointer
from target_totango.storage.dead_letter import DeadLetterFile
from target_totango.storage.run_store import RunStore
from target_totango.telling import Progress, tell_end, write_report
from totango_api.errors import InputError, TotangoError
from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_totango.config import Settings
    from target_totango.delivery.base import Destination
    from target_totango.mapping.compiler import StreamMapping
    from target_totango.models import SourceStream
    from totango_api.config import Connection

logger = logging.getLogger("target-totango")

DRAIN_SECONDS: Final = 20.0
"""How long a terminated run waits for calls in flight: orchestrators kill after 30 seconds."""


class IncompleteRunError(TotangoError):
    """Not everything that was asked for was done."""


class Run:
    """Everything that happens between reading a record and emitting a state.

    Used by one thread; calls go on while it waits.

    Args:
        settings: The target's settings.
        connection: How to reach Totango.
        config: The whole configuration, for the region's lookup.
    """

    def __init__(
        self, settings: Settings, connection: Connection, config: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self.services = Clients(settings, connection, config)
        self.report = Report()
        self.rejects = DeadLetterFile(settings.rejects_path)
        self._progress = Progress(self.report)
        self._channels: dict[str, Destination] = {}
        self._plan = Plan() if settings.dry_run else None
        self._journal = RunStore()
        self._read_whole = False
        self.signal: int | None = None
        self.gate = StateCheckpointer(emit, self._make_durable)
        self._settler = ResultHandler(
            settings,
            services=self.services,
            report=self.report,
            rejects=None if settings.dry_run else self.rejects,
            gate=self.gate,
            journal=self._journal,
        )
        self._departures = HardDeletes(settings, self.services, self._settler, self.report)

    def _make_durable(self) -> None:
        self._settler.make_durable()

    @functools.cached_property
    def _admission(self) -> Admission:
        return Admission(
            self.settings,
            journal=self._journal,
            ledger=self.services.ledger,
            lookup=lambda: self.services.lookup,
            report=self.report,
            forward=self._forward,
            settle=self._settler.let_pass,
            keep=self._settler.keep,
            unchanged=self._settler.unchanged,
        )

    # While the input is read ---------------------------------------------------------------

    def intake(
        self,
        mapping: StreamMapping,
        faults: Callable[[Mapping[str, Any]], list[ValidationError]],
        announced: frozenset[str] | None = None,
    ) -> RecordProcessor:
        """Return what takes the records of a mapping: see there."""
        return RecordProcessor(
            mapping,
            self.settings.policy,
            gate=self.gate,
            report=self.report,
            departures=self._departures,
            admission=self._admission,
            settler=self._settler,
            faults=faults,
            announced=announced,
        )

    def skip(self, stream: str) -> None:
        """Count a row that asks for nothing, such as a page without a name."""
        self.gate.settle(self.gate.draw())
        tally = self.report.tally(stream, ACTIVITIES)
        tally.received += 1
        tally.skipped += 1

    def refuse(
        self,
        message: Mapping[str, Any],
        source: SourceStream,
        mapping: StreamMapping,
        fault: ValidationError,
    ) -> None:
        """Take a record that did not come through the stream maps."""
        row = Row(self.gate.draw(), source, message, mapping.stream, mapping.object)
        self.report.tally(row.stream, row.object).received += 1
        self._settler.invalid(row, [fault])

    def ignore(self, stream: str) -> None:
        """Count a row of a stream that is ignored."""
        self.report.ignored_streams[stream] += 1

    def state(self, value: Any) -> None:
        """Take a state that covers every record taken so far."""
        if self._plan is None:
            self.gate.put(value)
            self.gate.emit_due()

    def activate_version(self, stream: str, object_: str, version: int) -> None:
        """Take note that a version of a stream is complete: what older ones held is gone."""
        self._departures.activate_version(stream, object_, version)

    def pulse(self) -> None:
        """Look after what is under way: called often, also while the tap is silent."""
        if "_admission" in self.__dict__:
            self._admission.pulse()
        for channel in self._channels.values():
            channel.collect()
        self.gate.emit_due()
        self._progress.pulse(self.gate.unsettled)

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        """Wait for something to read, while calls go on; return whether there is something."""
        return self.services.wait_readable(descriptor, seconds)

    def _forward(self, row: Row) -> None:
        name = "plan" if self._plan is not None else row.delivery
        if name not in self._channels:
            self._channels[name] = self._channel(row.delivery)
        self._settler.expect(row)
        self._channels[name].put(row)

    def _channel(self, delivery: str) -> Destination:
        if self._plan is None:
            return self.services.channel(delivery, self._settler, lambda: self.signal is not None)
        lookup = (lambda: self.services.lookup) if self.services.has_token else None
        return DryRunDestination(self._plan, self._settler.let_pass, lookup, self.services.known)

    # The end -------------------------------------------------------------------------------

    def finish(self, failure: BaseException | None) -> None:
        """Deliver what is left, emit the last state, write the report, and give the verdict.

        Args:
            failure: Why reading ended early.

        Raises:
            TotangoError: If not everything was done.
            SystemExit: After a signal.
        """
        for step in (self._deliver_rest, self._let_go, self._tell_end):
            try:
                step(failure)
            except Exception as error:  # noqa: BLE001 (raised below, after the other steps)
                failure = failure or error
        if self.signal is not None and isinstance(failure, (InterruptedError, type(None))):
            logger.error(
                "Stopped by signal %d before everything was done; %d rows were not delivered.",
                self.signal,
                self.gate.unsettled,
            )
            raise SystemExit(128 + self.signal)
        if failure is not None:
            raise failure
        self._verdict()

    def _deliver_rest(self, failure: BaseException | None) -> None:
        """Settle what can be settled.

        Raises:
            TotangoError: If that is not everything.
        """
        # What was read before a fault in the input is still delivered.
        faulty = isinstance(failure, (InputError, InvalidRowError))
        if self.signal is None and (failure is None or faulty):
            try:
                self._settle_all()
                if failure is None:
                    self._after_all()
                self._settler.hold_refused()
            except BaseException:
                self._wind_up()
                raise
        else:
            self._wind_up()

    def _settle_all(self) -> None:
        if "_admission" in self.__dict__:
            self._admission.flush()
        for channel in self._channels.values():
            while not channel.drain(until=time.monotonic() + 1.0):
                if self.signal is not None:
                    raise InterruptedError
                self.pulse()

    def _after_all(self) -> None:
        """Do what only a run may do that was read to its end and delivered."""
        if self._plan is not None:
            self._plan.delete = self._departures.count
            return
        self._departures.carry_out()
        self._read_whole = True
        self._settler.verify()

    def _wind_up(self) -> None:
        """Start nothing new, and wait a while for the calls that are under way."""
        until = time.monotonic() + DRAIN_SECONDS
        for channel in self._channels.values():
            channel.cancel()
        while time.monotonic() < until and any(each.busy for each in self._channels.values()):
            try:
                for channel in self._channels.values():
                    channel.drain(until=time.monotonic() + 0.2)
            except TotangoError as error:
                logger.debug("While winding up: %s", error)

    def _let_go(self, failure: BaseException | None) -> None:
        """Emit the last state that may go, and close everything."""
        del failure
        try:
            self._settler.make_durable()
            self.gate.emit_due(now=True)
            # Not before the state is out: killed in between, a run would count twice unsaid.
            if self._read_whole and not self.gate.unsettled and "_admission" in self.__dict__:
                self._admission.complete()
            self._settler.mark_superseded()
        finally:
            self.rejects.close()
            for channel in self._channels.values():
                channel.close()
            self._departures.close()
            self.services.close()
            self._journal.close()

    def _tell_end(self, failure: BaseException | None) -> None:
        self._progress.end()
        rejected = self.report.total("rejected")
        tell_end(self.report, self.rejects)
        self._tell_held()
        if self._plan is not None:
            self._plan.show(rejected=rejected)
        if not self.settings.report_path:
            return
        report = self.report.as_dict()
        report["finished_at"] = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
        report["complete"] = not (failure or self.signal or self.gate.unsettled)
        report["rejects_path"] = str(self.rejects.path) if self.rejects.rows else None
        report["states_emitted"] = self.gate.emitted
        report["undelivered"] = self.gate.unsettled
        report["states_held"] = self.gate.held.count if self.gate.held else 0
        report["calls"] = self.services.usage()
        if self._plan is not None:
            report["plan"] = self._plan.as_dict(rejected=rejected)
        write_report(Path(self.settings.report_path), report)

    def _tell_held(self) -> None:
        """Log which STATE is held, and why."""
        held, failure = self.gate.held, self._settler.failure
        if held is None:
            return
        logger.warning(
            "STATE is held: %d of the input's STATE messages, the first after row %d (%s), "
            "are not emitted, because %d rows were not delivered%s",
            held.count,
            held.rows,
            excerpt(json.dumps(held.first, default=str)),
            self.gate.unsettled,
            f": {failure.message}" if failure else ".",
        )
        if self.services.ledger is None and (sent := self.report.sent(ACTIVITIES)):
            logger.warning(
                "%d activities were delivered without ledger_path: those that the tap sends "
                "again count again.",
                sent,
            )

    def _verdict(self) -> None:
        report, problems = self.report, []
        if undelivered := report.total("undelivered"):
            problem = self._settler.failure
            msg = f"{undelivered} rows were not delivered: {problem.message if problem else ''}"
            remedy = "Run again: their STATE is held, so the tap sends them again."
            if problem and problem.remedy:
                remedy = f"{problem.remedy} {remedy}"
            raise IncompleteRunError(msg, remedy=remedy)
        rejected = report.total("rejected")
        if rejected > self.settings.max_rejected:
            problems.append(f"{rejected} rows were rejected")
        if uncertain := report.total("uncertain"):
            problems.append(f"{uncertain} activities may or may not have been counted")
        unverified = report.total("different") + report.total("missing")
        if unverified and self.settings.warn_on_mismatch:
            logger.warning("%d rows are not in Totango as they were sent.", unverified)
        elif unverified:
            problems.append(f"{unverified} rows are not in Totango as they were sent")
        if problems:
            where = "" if self._plan is not None else f": see {self.rejects.path}"
            msg = f"{' and '.join(problems)}{where}."
            remedy = "Mend the rows and pipe that file back in."
            if uncertain:
                remedy += (
                    " First take out the activities that Totango did count: a replay counts "
                    "them again."
                )
            raise IncompleteRunError(msg, remedy=remedy)
