"""Records the result of each row: in the counts, the ledger, the rejects file, and for STATE."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from target_totango.delivery import Confirmed, Failed, Planned, Refused, Uncertain
from target_totango.models import Row, ValidationError
from target_totango.objects import ENGAGEMENTS, REPEATABLE
from target_totango.pipeline.circuit_breaker import CircuitBreaker, with_remedy
from target_totango.pipeline.decisions import Deleted, Rejected, Skipped, Unchanged
from target_totango.pipeline.filters import UNCERTAIN, CaseVariants
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Confirmation
    from target_totango.pipeline.decisions import RowResult
    from target_totango.pipeline.rejects import Rejects
    from target_totango.pipeline.second_trials import SecondTrials
    from target_totango.report import Report
    from target_totango.singer import StateCheckpointer
    from target_totango.storage import Ledger, RunFiles
    from target_totango.verify import ReadBack

logger = logging.getLogger("target-totango")

REFUSED_ROWS: Final = 500
"""So many rows refused, and none taken: the service refuses everything, whatever rows hold."""


class InvalidRowError(TotangoError):
    """A row cannot be written, and `on_invalid` says to stop there."""


class ResultHandler:
    """Counts each result, updates the ledger, writes rejects, and completes the row for STATE.

    Used by one thread.

    Args:
        files: Skipped rows, sent rows, ledger, and what this run has seen.
        states: Told which rows are complete.
        report: Counts.
        read_back: Remembers what is to be read back.
        trials: Keeps rows at which the service failed, and that are to be sent once more.
        rejects: Keeps rejected rows.
        fails_on_invalid: Whether the first invalid row ends the run.
    """

    def __init__(
        self,
        files: RunFiles,
        *,
        states: StateCheckpointer,
        report: Report,
        read_back: ReadBack,
        trials: SecondTrials,
        rejects: Rejects,
        fails_on_invalid: bool,
    ) -> None:
        self._states = states
        self._report = report
        self._rejects = rejects
        self._skipped = files.skipped
        self._sent = files.sent
        self._ledger = files.ledger
        self._case_variants = CaseVariants(files.store, report)
        self._read_back = read_back
        self._trials = trials
        self._fails_on_invalid = fails_on_invalid
        self._breaker = CircuitBreaker()
        self._refused: list[tuple[Row, Refused]] = []
        self._expected: dict[tuple[str, ...], int] = {}
        self._failure: TotangoError | None = None

    @property
    def failure(self) -> TotangoError | None:
        """Why the first row that was not delivered was not."""
        if self._failure is None and self._trials.waiting:
            row, result = self._trials.waiting[0]
            return with_remedy(result.error, row)
        return self._failure

    def expect(self, rows: Sequence[Row]) -> None:
        """Note that rows go out: from now on, earlier ones of their keys are outdated."""
        if self._ledger is not None:
            self._expected.update(
                {row.ledger_key: row.seq for row in rows if row.ledger_key is not None}
            )

    def handle(self, results: Sequence[tuple[Row, RowResult]]) -> None:
        """Record the results of rows.

        Raises:
            InvalidRowError: If one is invalid, and that ends the run.
            OutageError: If nothing gets through any more.
        """
        confirmed = [row for row, result in results if type(result) is Confirmed]
        if confirmed:
            self._note_success()
        if len(confirmed) == len(results):
            self._confirm(confirmed)
        else:
            self._handle_mixed(results)
        self._breaker.check()

    def mark_seen(self, results: Sequence[tuple[Row, RowResult]]) -> None:
        """Tell the ledger which of these rows were read back."""
        for row, result in results:
            is_seen = isinstance(result, Confirmed) and result.is_seen
            if is_seen and self._ledger is not None and row.ledger_key is not None:
                self._ledger.mark_seen(row.ledger_key)

    def _handle_mixed(self, results: Sequence[tuple[Row, RowResult]]) -> None:
        """Record results of any kind, in their order: later rows outdate rejected ones."""
        for row, result in results:
            if type(result) is Confirmed:
                self._breaker.succeeded()
                self._confirm((row,))
            else:
                self._handle_other(row, result)

    def _handle_other(self, row: Row, result: RowResult) -> None:
        match result:
            case Unchanged():
                self._report.metrics(row.stream, row.object).unchanged += 1
                self._rejects.note_confirmed((row,))
                self._states.complete((row.seq,))
            case Skipped(reason):
                self._report.metrics(row.stream, row.object).skip(reason)
                if self._skipped is not None:
                    self._skipped.write(row, [ValidationError("", reason, reason)])
                self._states.complete((row.seq,))
            case Planned():
                self._states.complete((row.seq,))
            case Deleted():
                self._note_success()
                self._report.metrics(row.stream, row.object).deleted += 1
                if self._sent is not None:
                    self._sent.write(row, what="deleted")
                self._rejects.note_deleted(row)
                self._trials.note_delivered((row,))
                self._states.complete((row.seq,))
            case Rejected():
                self._reject_invalid(row, result)
            case _:
                self._handle_undelivered(row, result)

    def _handle_undelivered(self, row: Row, result: RowResult) -> None:
        """Record the result of a row that was not certainly delivered."""
        self._is_latest(row)
        match result:
            case Refused():
                self._abandon(row)
                self._refuse(row, result)
            case Uncertain(error):
                self._report.metrics(row.stream, row.object).uncertain += 1
                message = f"it may or may not have been written: {error.message}"
                self._rejects.keep(row, [ValidationError("", UNCERTAIN, message)])
                self._states.complete((row.seq,))
                self._breaker.failed(row, error)
            case Failed(error):
                self._abandon(row)
                if not self._trials.take(row, result):
                    self._hold(row, error)
                self._breaker.failed(row, error)

    def _confirm(self, rows: Sequence[Row]) -> None:
        self._report.add("sent", rows)
        for row in rows:
            if row.existed is not None and (row.object in REPEATABLE or row.object in ENGAGEMENTS):
                metrics = self._report.metrics(row.stream, row.object)
                metrics.created += not row.existed
                metrics.updated += row.existed
        if self._ledger is not None:
            self._note_in_ledger(rows, self._ledger)
        if self._sent is not None:
            for row in rows:
                self._sent.write(row)
        self._read_back.note(rows)
        self._trials.note_delivered(rows)
        self._rejects.note_confirmed(rows)
        self._states.complete([row.seq for row in rows])

    def _note_in_ledger(self, rows: Sequence[Row], ledger: Ledger) -> None:
        if fingerprints := [row.fingerprint for row in rows if row.fingerprint is not None]:
            ledger.finish(*fingerprints)
        confirmed: dict[tuple[str, ...], Confirmation] = {}
        for row in rows:
            key, confirmation = row.ledger_key, row.confirmation
            if key is not None and self._is_latest(row) and confirmation is not None:
                confirmed[key] = confirmation
                if row.recency is not None:
                    ledger.note_recency(key, row.recency)
        if confirmed:
            ledger.confirm(confirmed)

    def _is_latest(self, row: Row) -> bool:
        """Forget that a row goes out; return whether no later one of its key does."""
        if row.ledger_key is None:
            return True
        if self._expected.get(row.ledger_key) != row.seq:
            return False
        del self._expected[row.ledger_key]
        return True

    def _abandon(self, row: Row) -> None:
        """Note that an activity certainly did not arrive, and that nothing was made."""
        if row.object in ENGAGEMENTS and row.existed:
            return
        if row.fingerprint is not None and self._ledger is not None:
            self._ledger.abandon(row.fingerprint)

    def _note_success(self) -> None:
        """Note that Totango takes rows: what it refused before, it refused for what it holds."""
        self._breaker.succeeded()
        refused, self._refused = self._refused, []
        for row, result in refused:
            self._refuse(row, result)

    def _refuse(self, row: Row, result: Refused) -> None:
        """Reject a row that Totango refused, unless it has taken none so far."""
        if not (self._breaker.any_success or result.is_about_row):
            self._refused.append((row, result))
            if len(self._refused) >= REFUSED_ROWS:
                self._breaker.all_refused(len(self._refused), _quoted(result))
            return
        if result.code:
            error = ValidationError("", result.code, result.reason)
        else:
            code = f"refused ({result.status})" if result.status else "refused"
            error = ValidationError("", code, _quoted(result))
        self._reject(row, [error])

    def _hold(self, row: Row, error: TotangoError) -> None:
        """Note that a row is not delivered for a reason outside it: STATE must not pass it."""
        if self._failure is None:
            self._failure = with_remedy(error, row)
        self._states.hold(row.seq)

    def _reject_invalid(self, row: Row, result: Rejected) -> None:
        """Reject a row that cannot be written as it is.

        Raises:
            InvalidRowError: If that ends the run.
        """
        if result.is_uncertain:
            self._report.metrics(row.stream, row.object).uncertain += 1
            self._rejects.keep(row, result.errors)
            self._states.complete((row.seq,))
        elif not self._fails_on_invalid:
            self._case_variants.note_rejected(row)
            self._reject(row, result.errors)
        else:
            self._rejects.count(row, result.errors)
            reasons = "; ".join(error.reason for error in result.errors)
            msg = f"Row {row.seq} (stream {row.stream!r}) is invalid: {reasons}."
            raise InvalidRowError(msg, remedy="on_invalid: fail ends the run there.")

    def _reject(self, row: Row, errors: Sequence[ValidationError]) -> None:
        """Reject a row, after which STATE may pass it."""
        self._rejects.reject(row, errors)
        self._states.complete((row.seq,))

    # The end -------------------------------------------------------------------------------

    def hold_refused(self) -> None:
        """Hold STATE before the rows that were refused by a service that took nothing at all.

        So do rows that wait for a second trial and will have none.
        """
        for row, result in self._refused:
            self._hold(row, TotangoError(f"Nothing was taken, and {_quoted(result)}"))
        self._refused.clear()
        self.hold_untried()

    def hold_untried(self) -> None:
        """Hold STATE before the rows that wait for a second trial."""
        for row, failed in self._trials.release():
            self._hold(row, failed.error)


def _quoted(result: Refused) -> str:
    """Return a refusal in the server's words."""
    status = f" ({result.status})" if result.status else ""
    return f"Totango refused the row{status}: {result.reason}"
