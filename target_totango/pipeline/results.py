"""Every row ends here: confirmed, rejected or uncertain; counted, and told to the state gate."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from target_totango.delivery.results import (
    Confirmed,
    Failed,
    Refused,
    Uncertain,
    WriteResult,
)
from target_totango.models import ACTIVITIES, Row, ValidationError
from target_totango.pipeline.circuit_breaker import CircuitBreaker, OutageError, explained
from target_totango.pipeline.filters import UNCERTAIN
from target_totango.storage.stale_rejects import StaleRejects
from target_totango.verify.read_back import ReadBack
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.report import Report
    from target_totango.singer.state import StateCheckpointer
    from target_totango.storage.dead_letter import DeadLetterFile
    from target_totango.storage.run_store import RunStore

logger = logging.getLogger("target-totango")

REFUSED_ROWS: Final = 500
"""So many rows refused, and none taken: the service refuses everything, whatever rows hold."""


class InvalidRowError(TotangoError):
    """A row cannot be written, and `on_invalid` says to stop there."""


class ResultHandler:
    """Takes what became of rows. Used by one thread.

    Args:
        settings: The target's settings.
        services: Whose ledger is kept.
        report: Counts.
        rejects: Keeps what was not written; None in a dry run, which writes nothing.
        gate: Lets states go.
        journal: Remembers what is to be read back.

    Attributes:
        failure: Why the first row that was not delivered was not.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        services: Clients,
        report: Report,
        rejects: DeadLetterFile | None,
        gate: StateCheckpointer,
        journal: RunStore,
    ) -> None:
        self._settings = settings
        self._services = services
        self._report = report
        self._rejects = rejects
        self._gate = gate
        self._breaker = CircuitBreaker()
        self._refused: list[tuple[Row, Refused]] = []
        self._expected: dict[tuple[str, ...], int] = {}
        self._supersession = StaleRejects(journal)
        self._told_superseded = False
        self.failure: TotangoError | None = None
        self._read_back = ReadBack(settings, services, journal, report, self._keep_unverified)

    def expect(self, row: Row) -> None:
        """Note that a row goes out: from now on, earlier ones of its key are outdated."""
        if row.ledger_key is not None:
            self._expected[row.ledger_key] = row.ticket

    def settle(self, row: Row, outcome: WriteResult) -> None:
        """Take the outcome of a row.

        Raises:
            OutageError: If nothing gets through any more.
        """
        match outcome:
            case Confirmed():
                self._succeed()
                self._confirm(row)
            case Refused():
                self._is_latest(row)
                self._abandon(row)
                self._refuse(row, outcome)
            case Uncertain(error):
                self._is_latest(row)
                self._report.tally(row.stream, row.object).uncertain += 1
                message = f"the activity may or may not have been counted: {error.message}"
                self.keep(row, [ValidationError("", UNCERTAIN, message)])
                self._breaker.failed(row, error)
            case Failed(error):
                self._is_latest(row)
                self._abandon(row)
                self._hold(row, error)
                self._breaker.failed(row, error)

    def settle_all(self, rows: Sequence[Row], outcome: WriteResult) -> None:
        """Take the outcome that rows share.

        Raises:
            OutageError: If nothing gets through any more.
        """
        if not isinstance(outcome, Confirmed):
            for row in rows:
                self.settle(row, outcome)
            return
        self._succeed()
        for row in rows:
            self._confirm(row)

    def _succeed(self) -> None:
        """Note that Totango takes rows: what it refused before, it refused for what it holds."""
        self._breaker.succeeded()
        refused, self._refused = self._refused, []
        for row, outcome in refused:
            self._refuse(row, outcome)

    def _refuse(self, row: Row, outcome: Refused) -> None:
        """Reject a row that Totango refused, unless it has taken none so far.

        Raises:
            OutageError: If it refuses everything.
        """
        if not self._breaker.any_success:
            self._refused.append((row, outcome))
            if len(self._refused) >= REFUSED_ROWS:
                msg = (
                    f"{len(self._refused)} rows were refused, and none was taken: {_said(outcome)}"
                )
                raise OutageError(msg, remedy="Check the service, the region and the URL settings.")
            return
        code = f"refused ({outcome.status or 'no status'})"
        self.reject(row, [ValidationError("", code, _said(outcome))])

    def _hold(self, row: Row, error: TotangoError) -> None:
        """Note that a row is not delivered for a reason outside it: STATE must not pass it."""
        self._report.tally(row.stream, row.object).undelivered += 1
        if self.failure is None:
            self.failure = explained(error, row)
        self._gate.hold(row.ticket)

    def _is_latest(self, row: Row) -> bool:
        """Tell whether no later row of the same key is on its way."""
        if row.ledger_key is None:
            return True
        if self._expected.get(row.ledger_key) != row.ticket:
            return False
        del self._expected[row.ledger_key]
        return True

    def _confirm(self, row: Row) -> None:
        tally = self._report.tally(row.stream, row.object)
        tally.sent += 1
        if row.existed is not None and row.object != ACTIVITIES:
            tally.created += not row.existed
            tally.updated += row.existed
        if (ledger := self._services.ledger) is not None:
            is_latest = self._is_latest(row)
            if row.fingerprint is not None:
                ledger.finish(row.fingerprint)
            elif is_latest and row.ledger_key is not None and row.digest is not None:
                ledger.confirm(row.ledger_key, row.digest)
        self._read_back.note(row)
        self._supersession.note_confirmed(row)
        self._gate.settle(row.ticket)

    def _abandon(self, row: Row) -> None:
        """Note that an activity certainly did not arrive."""
        if row.fingerprint is not None and self._services.ledger is not None:
            self._services.ledger.abandon(row.fingerprint)

    def invalid(self, row: Row, faults: Sequence[ValidationError]) -> None:
        """Take a row that did not pass the checks.

        Raises:
            InvalidRowError: If that ends the run.
        """
        if not self._settings.fail_on_invalid:
            self.reject(row, faults)
            return
        self._report.tally(row.stream, row.object).reject(faults)
        reasons = "; ".join(fault.reason for fault in faults)
        msg = f"Row {row.ticket} (stream {row.stream!r}) is invalid: {reasons}."
        raise InvalidRowError(msg, remedy="on_invalid: fail ends the run there.")

    def reject(self, row: Row, faults: Sequence[ValidationError]) -> None:
        """Count a row as rejected, and keep it."""
        self._report.tally(row.stream, row.object).reject(faults)
        self.keep(row, faults)

    def keep(self, row: Row, faults: Sequence[ValidationError]) -> None:
        """Put a row into the rejects file, after which the state may pass it."""
        if self._rejects is not None:
            self._supersession.note_rejected(row, self._rejects.rows)
            self._rejects.write(row, faults)
        self.let_pass(row)

    def unchanged(self, row: Row) -> None:
        """Take a row that is in Totango already, as an earlier run confirmed."""
        self._supersession.note_confirmed(row)
        self.let_pass(row)

    def superseded(self, row: Row) -> None:
        """Take a row of a rejects file which says that Totango has taken newer ones."""
        if not self._told_superseded:
            self._told_superseded = True
            logger.warning(
                "Rows that are marked as superseded are skipped: Totango has taken newer ones. "
                "Take out the mark to send one all the same."
            )
        self._report.tally(row.stream, row.object).skipped += 1
        self.let_pass(row)

    def deleted(self, user: tuple[str, str]) -> None:
        """Take note that a user was deleted."""
        self._succeed()
        self._supersession.note_deleted(user)

    def mark_superseded(self) -> None:
        """Mark the rows of the rejects file that later ones made outdated, and count them.

        Only at the end: a run that is killed leaves them unmarked.

        Raises:
            TotangoError: If the file cannot be written.
        """
        marks: dict[int, frozenset[str] | None] = {}
        for each in self._supersession:
            marks[each.place] = None if each.wholly else each.newer
            self._report.tally(each.stream, each.object).superseded += each.wholly
        if self._rejects is not None and marks:
            self._rejects.mark(marks)

    def let_pass(self, row: Row) -> None:
        """Note that a row needs no further attention."""
        self._gate.settle(row.ticket)

    def hold_refused(self) -> None:
        """Hold STATE before the rows that were refused by a service that took nothing at all."""
        for row, outcome in self._refused:
            self._hold(row, TotangoError(f"Nothing was taken, and {_said(outcome)}"))
        self._refused.clear()

    def verify(self) -> None:
        """Read back what was confirmed.

        Raises:
            ApiError: If reading fails.
        """
        self._read_back.run()

    def make_durable(self) -> None:
        """Make everything settled so far survive a crash.

        Raises:
            TotangoError: If a file cannot be written.
        """
        if self._rejects is not None:
            self._rejects.sync()
        if self._services.ledger is not None:
            self._services.ledger.flush()

    def _keep_unverified(self, row: Row, faults: Sequence[ValidationError]) -> None:
        """Put a row into the rejects file that the state has passed long ago."""
        if self._rejects is not None:
            self._rejects.write(row, faults)


def _said(outcome: Refused) -> str:
    """Return a refusal in the server's words."""
    answered = f" ({outcome.status})" if outcome.status else ""
    return f"Totango refused the row{answered}: {outcome.reason}"
