"""Filters touchpoints and tasks: each is made once, and changed where its row changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.models import ValidationError
from target_totango.objects import OBJECTS
from target_totango.pipeline.decisions import Decision, Rejected, Skipped, Unchanged
from target_totango.pipeline.filters import RowFilter
from target_totango.pipeline.fingerprints import is_replayed
from target_totango.storage import Confirmation

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.pipeline.fingerprints import Fingerprints
    from target_totango.report import Report
    from target_totango.storage import Ledger, RunStore

_STALE: Final = Skipped("a more recent row of its key came before")
_UNCHANGED: Final = Unchanged()


class DropRecorded(RowFilter):
    """Drops a row of an object that is made once, if it was made from the same row before.

    Args:
        ledger: What earlier runs have made; None in a dry run.
        fingerprints: Tells rows from one another, beside a ledger.
        store: What this run has seen.
        report: Counts rows that come again.
    """

    def __init__(
        self,
        ledger: Ledger | None,
        fingerprints: Fingerprints | None,
        store: RunStore,
        report: Report,
    ) -> None:
        self._ledger = ledger
        self._fingerprints = fingerprints
        self._store = store
        self._report = report

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        form = OBJECTS[row.object].record
        if form is None:
            return None
        fields = row.request.fields
        record_id = fields.get(form.id_name)
        if record_id is None and (errors := _missing(row)):
            return Rejected(errors)
        ledger = self._ledger
        if ledger is None:
            return None
        row.confirmation = Confirmation(ledger.digest(fields), b"", ledger.run)
        if record_id is None:
            return self._decide_by_key(row, ledger)
        row.ledger_key = (row.stream, row.object, "id", record_id)
        if row.options.skip_unchanged and _is_confirmed(row, ledger):
            return _UNCHANGED
        _forget(row, ledger)
        return None

    def _decide_by_key(self, row: Row, ledger: Ledger) -> Decision | None:
        """Return what keeps a row from being sent that does not know the id of its object."""
        if self._fingerprints is None:
            return None
        row.fingerprint, is_repeated = self._fingerprints.of(row)
        row.ledger_key = (row.stream, row.object, *row.fingerprint)
        if row.recency is not None and self._store.is_stale(row.fingerprint, row.recency):
            return _STALE
        if is_repeated:
            # The destination carries out rows of one key in turn: what was made is changed.
            self._report.metrics(row.stream, row.object).repeated += 1
            return None
        row.is_replayed = is_replayed(row)
        if ledger.activity_state(row.fingerprint) != "done":
            return None
        if _is_confirmed(row, ledger):
            self._fingerprints.note_taken_for_delivered(row)
            return _UNCHANGED
        _forget(row, ledger)
        return None


def _is_confirmed(row: Row, ledger: Ledger) -> bool:
    """Return whether the values of a row are those that were confirmed last."""
    confirmed = ledger.confirmed(row.ledger_key or ())
    if confirmed is None or row.confirmation is None:
        return False
    return confirmed.digest == row.confirmation[0]


def _forget(row: Row, ledger: Ledger) -> None:
    """Note that other values will be in Totango: made durable before the call goes out."""
    if row.ledger_key is not None and ledger.confirmed(row.ledger_key) is not None:
        ledger.forget(row.ledger_key)
        row.forgotten = True


def _missing(row: Row) -> list[ValidationError]:
    """Return what a row lacks without which nothing can be made."""
    fields = row.request.fields
    return [
        ValidationError(named.setting, "missing", f"{named.setting} is missing")
        for named in OBJECTS[row.object].named
        if named.is_required and not fields.get(named.api_name)
    ]
