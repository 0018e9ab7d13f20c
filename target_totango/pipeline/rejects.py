"""Keeps rows that were rejected, or not found when they were read back: counts, examples, file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.storage import StaleRejects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.delivery import DryRunSummary
    from target_totango.models import Row, ValidationError
    from target_totango.report import Report
    from target_totango.storage import RunFiles
    from target_totango.verify import ReadBackResult


class Rejects:
    """The rejected rows of a run. Used by one thread.

    Args:
        files: The rejects file, where it is kept which of its rows are outdated, and the ledger.
        report: Counts them.
        dry_run: Takes what would be rejected, in a dry run.
    """

    def __init__(self, files: RunFiles, report: Report, dry_run: DryRunSummary | None) -> None:
        self._file = files.rejects
        self._ledger = files.ledger
        self._stale = StaleRejects(files.store)
        self._report = report
        self._dry_run = dry_run

    def reject(self, row: Row, errors: Sequence[ValidationError]) -> None:
        """Count a row as rejected, and keep it."""
        self.count(row, errors)
        self.keep(row, errors)

    def count(self, row: Row, errors: Sequence[ValidationError]) -> None:
        """Count a row as rejected."""
        self._report.metrics(row.stream, row.object).reject(errors)
        self._report.note_examples(row, errors)

    def keep(self, row: Row, errors: Sequence[ValidationError]) -> None:
        """Write a row to the rejects file, if there is one."""
        if self._file is not None:
            self._stale.note_rejected(row, self._file.rows)
            self._file.write(row, errors)
        elif self._dry_run is not None:
            self._dry_run.note_rejected(row, errors)

    def record_read_back(self, checked: ReadBackResult) -> None:
        """Record what reading back found of a key; what is not there goes to the rejects file.

        STATE has passed these rows long ago.
        """
        row = checked.row
        metrics = self._report.metrics(row.stream, row.object)
        if checked.result == "confirmed":
            metrics.verified += 1
            if self._ledger is not None and checked.is_whole:
                self._ledger.mark_seen(checked.key)
            return
        metrics.missing += checked.result == "missing"
        metrics.different += checked.result == "different"
        metrics.reasons.update(error.reason for error in checked.errors)
        if self._ledger is not None:
            # It was delivered, but is not there: the next run must not take it for unchanged.
            self._ledger.forget(checked.key)
        self._report.note_examples(row, checked.errors)
        if self._file is not None:
            self._file.write(row, checked.errors)

    def note_confirmed(self, rows: Sequence[Row]) -> None:
        """Note that Totango holds rows now: earlier ones about the same are outdated."""
        self._stale.note_confirmed(rows)

    def note_deleted(self, row: Row) -> None:
        """Note that the user of a row was deleted: no rejected row may bring it back."""
        self._stale.note_deleted(row)

    def mark_superseded(self) -> None:
        """Mark the rows of the rejects file that later ones made outdated, and count them.

        Only at the end: a run that is killed leaves them unmarked.

        Raises:
            TotangoError: If the file cannot be written.
        """
        stale = list(self._stale)
        marks = {reject.place: None if reject.is_superseded else reject.newer for reject in stale}
        if self._file is None or not marks or not self._file.mark(marks):
            return
        for reject in stale:
            self._report.metrics(reject.stream, reject.object).superseded += reject.is_superseded
