"""One run: rows in, outcomes counted, rejects kept, states let go, a verdict at the end."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_totango.checks import check
from target_totango.model import Fault, Row
from target_totango.outcomes import Breaker, Confirmed, Failed, Outcome, Refused, Uncertain
from target_totango.rejects import RejectsFile
from target_totango.report import Report
from target_totango.services import Services
from target_totango.state import StateGate
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

PROGRESS_SECONDS: Final = 5.0


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
        self._breaker = Breaker()
        self._channels: dict[str, Channel] = {}
        self._told_at = time.monotonic()

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
        checked = check(record, mapping, self.settings.policy)
        if faults or checked.faults:
            self._invalid(row, [*faults, *checked.faults])
            return
        tally.truncated += checked.truncated
        tally.converted += checked.converted
        row.write = checked.write
        self._channel(row.delivery).put(row)

    def ignore(self, stream: str) -> None:
        """Count a row of a stream that is ignored."""
        self.report.ignored_streams[stream] += 1

    def state(self, value: Any) -> None:
        """Take a state that covers every record taken so far."""
        self.gate.put(value)
        self.gate.emit_due()

    def pulse(self) -> None:
        """Look after what is under way: called often, also while the tap is silent."""
        for channel in self._channels.values():
            channel.collect()
        self.gate.emit_due()
        if time.monotonic() - self._told_at >= PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            self._tell_progress()

    def finish(self, failure: BaseException | None, *, signal: int | None = None) -> None:
        """Deliver what is left, emit the last state, write the report, and give the verdict.

        Args:
            failure: Why reading ended early.
            signal: The signal that ended it.

        Raises:
            TotangoError: If not everything was done.
            SystemExit: After a signal.
        """
        try:
            failure = self._drain(failure, signal)
            self._close_files()
        except TotangoError as error:
            failure = failure or error
        self._tell_end()
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

    def _drain(self, failure: BaseException | None, signal: int | None) -> BaseException | None:
        """Settle what can be settled; return why that was not everything."""
        # What was read before a fault in the input is still delivered.
        if signal is None and (failure is None or isinstance(failure, InputError)):
            try:
                self._settle_all()
            except TotangoError as error:
                failure = error
            else:
                return failure
        self._wind_up()
        return failure

    def _settle_all(self) -> None:
        for channel in self._channels.values():
            while not channel.drain(until=time.monotonic() + 1.0):
                self.pulse()
        self._release(self._breaker.release())

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

    def _settle(self, row: Row, outcome: Outcome) -> None:
        """Take the outcome of a row."""
        tally = self.report.tally(row.stream, row.object)
        match outcome:
            case Confirmed():
                self._release(self._breaker.succeeded())
                tally.sent += 1
                self.gate.settle(row.ticket)
            case Refused(reason, status):
                said = f"Totango refused the row: {reason}"
                self._reject(row, [Fault("", f"refused ({status})", said)])
            case Uncertain(error):
                tally.uncertain += 1
                message = f"the activity may or may not have been counted: {error.message}"
                self._keep(row, [Fault("", "uncertain", message)])
                self._breaker.count(error)
            case Failed():
                self._breaker.failed(row, outcome)

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
        self.rejects.write(row, faults)
        self.gate.settle(row.ticket)

    def _channel(self, delivery: str) -> Channel:
        if delivery not in self._channels:
            self._channels[delivery] = self.services.channel(delivery, self._settle)
        return self._channels[delivery]

    def _make_durable(self) -> None:
        self.rejects.sync()

    def _close_files(self) -> None:
        self.rejects.close()
        self.gate.emit_due(now=True)
        for channel in self._channels.values():
            channel.close()
        self.services.close()

    def _tell_progress(self) -> None:
        report = self.report
        logger.info(
            "%d rows read, %d sent, %d rejected, %d under way; %.0f rows/s",
            report.total("received"),
            report.total("sent"),
            report.total("rejected"),
            self.gate.unsettled,
            report.total("received") / max(report.seconds, 1e-9),
        )

    def _tell_end(self) -> None:
        for line in self.report.table():
            logger.info("%s", line)
        for stream, rows in self.report.ignored_streams.items():
            logger.info("Stream %r was ignored: %d rows.", stream, rows)
        if self.rejects.rows:
            logger.info("%d rows are in %s.", self.rejects.rows, self.rejects.path)
        if self.rejects.moved_to is not None:
            logger.info("Older rejects were moved to %s.", self.rejects.moved_to)
        if self.settings.report_path:
            self._write_report(Path(self.settings.report_path))

    def _write_report(self, path: Path) -> None:
        report = self.report.as_dict()
        report["rejects_path"] = str(self.rejects.path) if self.rejects.rows else None
        report["states_emitted"] = self.gate.emitted
        report["undelivered"] = self.gate.unsettled
        report["calls"] = self.services.usage()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

    def _verdict(self) -> None:
        report, problems = self.report, []
        rejected = report.total("rejected")
        if rejected > self.settings.max_rejected:
            problems.append(f"{rejected} rows were rejected")
        if uncertain := report.total("uncertain"):
            problems.append(f"{uncertain} activities may or may not have been counted")
        if problems:
            msg = f"{' and '.join(problems)}: see {self.rejects.path}."
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
