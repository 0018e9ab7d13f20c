"""Drops activities that were delivered before: they would count twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.objects import RECORDED, REPEATABLE
from target_totango.pipeline.decisions import Decision, Skipped, Unchanged
from target_totango.pipeline.filters.base import RowFilter
from target_totango.pipeline.filters.fingerprints import is_replayed, rejected_as_uncertain

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.pipeline.filters.fingerprints import Fingerprints
    from target_totango.report import Report
    from target_totango.storage import Ledger

_REPEATED: Final = Skipped("the same activity came before")
_UNCHANGED: Final = Unchanged()
_CUT_OFF: Final = (
    "an earlier run was cut off while it sent this activity, so it may have been counted already; "
    "replaying this row sends it again"
)


class DropDelivered(RowFilter):
    """Drops an activity that this run or an earlier one has sent: it would count twice.

    Args:
        ledger: What earlier runs have sent.
        fingerprints: Tells activities from one another.
        report: Counts activities that come again.
        repeats: Whether one goes out again that may have been counted.
    """

    def __init__(
        self, ledger: Ledger, fingerprints: Fingerprints, report: Report, *, repeats: bool
    ) -> None:
        self._ledger = ledger
        self._fingerprints = fingerprints
        self._report = report
        self._repeats = repeats

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        if row.object in REPEATABLE or row.object in RECORDED:
            return None
        row.fingerprint, is_repeated = self._fingerprints.of(row)
        if is_repeated:
            row.fingerprint = None
            self._report.metrics(row.stream, row.object).repeated += 1
            return _REPEATED
        state = self._ledger.activity_state(row.fingerprint)
        if state == "done":
            self._fingerprints.note_taken_for_delivered(row)
            return _UNCHANGED
        if state == "sending" and not self._repeats and not is_replayed(row):
            return rejected_as_uncertain(_CUT_OFF)
        return None
