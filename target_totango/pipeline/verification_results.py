"""Records what reading back found: in the counts, the ledger and the rejects file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_totango.pipeline.rejects import Rejects
    from target_totango.report import Report
    from target_totango.storage import Ledger
    from target_totango.verify import Checked


def record_verification(
    checked: Checked, *, report: Report, ledger: Ledger | None, rejects: Rejects
) -> None:
    """Record what reading back found of a key; what is not there goes to the rejects file.

    STATE has passed these rows long ago.
    """
    row = checked.row
    metrics = report.metrics(row.stream, row.object)
    if checked.result == "confirmed":
        metrics.verified += 1
        if ledger is not None and checked.is_whole:
            ledger.mark_seen(checked.key)
        return
    metrics.missing += checked.result == "missing"
    metrics.different += checked.result == "different"
    metrics.reasons.update(error.reason for error in checked.errors)
    if ledger is not None:
        # It was delivered, but is not there: the next run must not take it for unchanged.
        ledger.forget(checked.key)
    rejects.keep_unverified(row, checked.errors)
