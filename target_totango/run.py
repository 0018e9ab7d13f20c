"""One run: rows in, outcomes counted, rejects kept, states let go, a verdict at the end."""

from __future__ import annotations

import functools
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_totango.admission import UNCERTAIN, Admission
from target_totango.checks import check, check_ids
from target_totango.deletes import Deletes, Roster
from target_totango.journal import Journal
from target_totango.model import ACTIVITIES, DELETED_FIELD, USERS, Fault, Row
from target_totango.outcomes import Breaker, Confirmed, Failed, Outcome, Refused, Uncertain
from target_totango.plan import Plan, PlanChannel
from target_totango.readback import ReadBack
from target_totango.rejects import RejectsFile
from target_totango.report import Report
from target_totango.services import Services
from target_totango.sources import MISSING
from target_totango.state import StateGate
from target_totango.telling import Progress, tell_end, write_report
from totango_api.errors import InputError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_totango.channels import Channel
    from target_totango.mapping import StreamMapping
    from target_totango.model import SourceStream
    from target_totango.settings import Settings
    from totango_api.connection import Connection

logger = logging.getLogger("target-totango")

DRAIN_SECONDS: Final = 20.0
"""How long a terminated run waits for calls in flight: orchestrators kill after 30 seconds."""


class IncompleteRunError(TotangoError):
    """Not everything that was asked for was done."""


class InvalidRowError(TotangoError):
    """A row cannot be written, and `on_invalid` says to stop there."""


class OutputError(TotangoError):
    """Nobody reads standard output any more."""


class Run:
    """Everything that happens between reading a record and emitting a state.

    Used by one thread; only the calls themselves are made in others.

    Args:
        settings: The target's settings.
        connection: How to reach Totango.
        config: The whole configuration, for the region's lookup.
    """

    def __init__(
        self, settings: Settings, connection: Connection, config: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self.services = Services(settings, connection, config)
        self.report = Report()
        self.rejects = RejectsFile(settings.rejects_path)
        self.gate = StateGate(_emit, self._make_durable)
        self._progress = Progress(self.report)
        self._breaker = Breaker()
        self._channels: dict[str, Channel] = {}
        self._plan = Plan() if settings.dry_run else None
        self._deletes = Deletes(
            wanted=settings.hard_delete,
            most=settings.max_deletes,
            delete=self.services.delete_user,
        )
        self._journal = Journal()

    @functools.cached_property
    def _admission(self) -> Admission:
        return Admission(
            self.settings,
            journal=self._journal,
            ledger=self.services.ledger,
            lookup=lambda: self.services.lookup,
            report=self.report,
            forward=self._forward,
            settle=self._pass,
            keep=self._keep,
        )

    @functools.cached_property
    def _read_back(self) -> ReadBack:
        return ReadBack(
            self.settings, self.services, self._journal, self.report, self.rejects.write
        )

    @functools.cached_property
    def _roster(self) -> Roster | None:
        path, wanted = self.settings.ledger_path, self.settings.hard_delete
        return Roster(Path(f"{path}.users")) if path and wanted and self._plan is None else None

    # While the input is read ---------------------------------------------------------------

    def take(
        self,
        message: Mapping[str, Any],
        source: SourceStream,
        record: Mapping[str, Any],
        mapping: StreamMapping,
        faults: Sequence[Fault] = (),
    ) -> None:
        """Take one record.

        Args:
            message: The RECORD message as it was read.
            source: Its stream.
            record: The record behind the stream maps.
            mapping: What becomes of it.
            faults: What is already known to be wrong with it.

        Raises:
            TotangoError: If the run must end here.
        """
        row = Row(self.gate.draw(), source, message, mapping.stream, mapping.object)
        row.delivery = mapping.delivery
        tally = self.report.tally(row.stream, row.object)
        tally.received += 1
        if record.get(DELETED_FIELD):
            self._take_deleted(row, record, mapping)
            return
        checked = check(record, mapping, self.settings.policy)
        row.write = checked.write
        if row.object == USERS:
            self._note_user(row)
        if faults or checked.faults:
            self._invalid(row, [*faults, *checked.faults])
            return
        tally.truncated += checked.truncated
        tally.converted += checked.converted
        recency = mapping.recency.read(record) if mapping.recency is not None else None
        self._admission.put(row, None if recency is MISSING else recency)

    def skip(self, stream: str) -> None:
        """Count a row that asks for nothing, such as a page without a name."""
        self.gate.settle(self.gate.draw())
        tally = self.report.tally(stream, ACTIVITIES)
        tally.received += 1
        tally.skipped += 1

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
        if object_ != USERS or not self.settings.hard_delete:
            return
        if self._roster is None:
            logger.warning(
                "Stream %r: what a version no longer holds is only deleted with ledger_path.",
                stream,
            )
            return
        self._deletes.put_absent(stream, self._roster.absent(stream, version))

    def pulse(self) -> None:
        """Look after what is under way: called often, also while the tap is silent."""
        if "_admission" in self.__dict__:
            self._admission.pulse()
        for channel in self._channels.values():
            channel.collect()
        self.gate.emit_due()
        self._progress.pulse(self.gate.unsettled)

    def _take_deleted(self, row: Row, record: Mapping[str, Any], mapping: StreamMapping) -> None:
        checked = check_ids(record, mapping, self.settings.policy)
        row.write = checked.write
        if checked.faults:
            self._invalid(row, checked.faults)
        elif not self._deletes.put(row):
            self.report.tally(row.stream, row.object).skipped += 1
            self._pass(row)

    def _note_user(self, row: Row) -> None:
        """Note that the source has a user, whatever becomes of the row."""
        write = row.write
        if write is None or not write.account_id or not write.user_id:
            return
        user = (write.account_id, write.user_id)
        for earlier in self._deletes.cancel(user):
            self.report.tally(earlier.stream, earlier.object).repeated += 1
            self._pass(earlier)
        version = row.message.get("version")
        if version is not None and self._roster is not None:
            self._roster.note(row.stream, int(version), user)

    # Outcomes ------------------------------------------------------------------------------

    def _forward(self, row: Row) -> None:
        name = "plan" if self._plan is not None else row.delivery
        if name not in self._channels:
            self._channels[name] = self._channel(row.delivery)
        self._channels[name].put(row)

    def _channel(self, delivery: str) -> Channel:
        if self._plan is None:
            return self.services.channel(delivery, self._settle)
        lookup = (lambda: self.services.lookup) if self.services.has_token else None
        return PlanChannel(self._plan, self._pass, lookup, self.services.known)

    def _settle(self, row: Row, outcome: Outcome) -> None:
        """Take the outcome of a row."""
        match outcome:
            case Confirmed():
                self._release(self._breaker.succeeded())
                self._confirm(row)
            case Refused(reason, status):
                self._abandon(row)
                said = f"Totango refused the row: {reason}"
                self._reject(row, [Fault("", f"refused ({status or 'no status'})", said)])
            case Uncertain(error):
                self.report.tally(row.stream, row.object).uncertain += 1
                message = f"the activity may or may not have been counted: {error.message}"
                self._keep(row, [Fault("", UNCERTAIN, message)])
                self._breaker.count(error)
            case Failed():
                self._abandon(row)
                self._breaker.failed(row, outcome)

    def _confirm(self, row: Row) -> None:
        tally = self.report.tally(row.stream, row.object)
        tally.sent += 1
        if row.object != ACTIVITIES:
            tally.created += row.existed is False
            tally.updated += row.existed is True
        if (ledger := self.services.ledger) is not None:
            if row.fingerprint is not None:
                ledger.finish(row.fingerprint)
            elif row.ledger_key is not None and row.digest is not None:
                ledger.confirm(row.ledger_key, row.digest)
        self._read_back.note(row)
        self._pass(row)

    def _abandon(self, row: Row) -> None:
        """Note that an activity certainly did not arrive."""
        if row.fingerprint is not None and self.services.ledger is not None:
            self.services.ledger.abandon(row.fingerprint)

    def _release(self, held: list[tuple[Row, Failed]]) -> None:
        for row, outcome in held:
            code = f"not delivered ({outcome.status or 'no answer'})"
            self._reject(row, [Fault("", code, outcome.error.message)])

    def _invalid(self, row: Row, faults: Sequence[Fault]) -> None:
        if not self.settings.fail_on_invalid:
            self._reject(row, faults)
            return
        self.report.tally(row.stream, row.object).reject(faults)
        reasons = "; ".join(fault.reason for fault in faults)
        msg = f"Row {row.ticket} (stream {row.stream!r}) is invalid: {reasons}."
        raise InvalidRowError(msg, remedy="on_invalid: fail ends the run there.")

    def _reject(self, row: Row, faults: Sequence[Fault]) -> None:
        self.report.tally(row.stream, row.object).reject(faults)
        self._keep(row, faults)

    def _keep(self, row: Row, faults: Sequence[Fault]) -> None:
        """Put a row into the rejects file, after which the state may pass it."""
        if self._plan is None:
            self.rejects.write(row, faults)
        self._pass(row)

    def _pass(self, row: Row) -> None:
        self.gate.settle(row.ticket)

    def _make_durable(self) -> None:
        self.rejects.sync()
        if self.services.ledger is not None:
            self.services.ledger.flush()

    # The end -------------------------------------------------------------------------------

    def finish(self, failure: BaseException | None, *, signal: int | None = None) -> None:
        """Deliver what is left, emit the last state, write the report, and give the verdict.

        Args:
            failure: Why reading ended early.
            signal: The signal that ended it.

        Raises:
            TotangoError: If not everything was done.
            SystemExit: After a signal.
        """
        for step in (self._deliver_rest, self._let_go, self._tell_end):
            try:
                step(failure, signal)
            except Exception as error:  # noqa: BLE001 (raised below, after the other steps)
                failure = failure or error
        if failure is not None:
            raise failure
        if signal is not None:
            logger.error(
                "Stopped by signal %d before the input ended; %d rows were not delivered.",
                signal,
                self.gate.unsettled,
            )
            raise SystemExit(128 + signal)
        self._verdict()

    def _deliver_rest(self, failure: BaseException | None, signal: int | None) -> None:
        """Settle what can be settled.

        Raises:
            TotangoError: If that is not everything.
        """
        # What was read before a fault in the input is still delivered.
        if signal is None and (failure is None or isinstance(failure, InputError)):
            try:
                self._settle_all()
                if failure is None:
                    self._after_all()
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
                self.pulse()
        self._release(self._breaker.release())

    def _after_all(self) -> None:
        """Do what only a run may do that was read to its end and delivered."""
        if self._plan is not None:
            self._plan.delete = self._deletes.count
            return
        if self._deletes.count:
            self._deletes.check()
            self._deletes.carry_out(self._deleted, self._pass, self._not_deleted)
        self._read_back.run()

    def _deleted(self, stream: str, user: tuple[str, str]) -> None:
        self.report.tally(stream, USERS).deleted += 1
        if self.services.ledger is not None:
            self.services.ledger.forget((stream, USERS, *user))
        if self._roster is not None:
            self._roster.forget(stream, user)

    def _not_deleted(self, row: Row, faults: Sequence[Fault]) -> None:
        self._reject(row, faults)

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

    def _let_go(self, failure: BaseException | None, signal: int | None) -> None:
        """Emit the last state that may go, and close everything."""
        del failure, signal
        try:
            self._make_durable()
            self.gate.emit_due(now=True)
        finally:
            self.rejects.close()
            for channel in self._channels.values():
                channel.close()
            if self.__dict__.get("_roster") is not None:
                self._roster.close()  # type: ignore[union-attr]
            self.services.close()
            self._journal.close()

    def _tell_end(self, failure: BaseException | None, signal: int | None) -> None:
        self._progress.end()
        rejected = self.report.total("rejected")
        tell_end(self.report, self.rejects)
        if self._plan is not None:
            self._plan.show(rejected=rejected)
        if not self.settings.report_path:
            return
        report = self.report.as_dict()
        report["complete"] = failure is None and signal is None
        report["rejects_path"] = str(self.rejects.path) if self.rejects.rows else None
        report["states_emitted"] = self.gate.emitted
        report["undelivered"] = self.gate.unsettled
        report["calls"] = self.services.usage()
        if self._plan is not None:
            report["plan"] = self._plan.as_dict(rejected=rejected)
        write_report(Path(self.settings.report_path), report)

    def _verdict(self) -> None:
        report, problems = self.report, []
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
            raise IncompleteRunError(msg, remedy="Mend the rows and pipe that file back in.")


def _emit(value: Any) -> None:
    """Write a state to standard output.

    Raises:
        OutputError: If nobody reads it.
    """
    try:
        sys.stdout.write(_encoder.encode(value).decode() + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError) as error:
        # What is still buffered must not raise once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        msg = "Standard output was closed, so no state can be stored."
        raise OutputError(msg) from error


_encoder = msgspec.json.Encoder(decimal_format="number")
