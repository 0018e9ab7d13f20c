"""Filters touchpoints and tasks: each is made once, and changed where its row changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.models import ValidationError
from target_totango.objects import OBJECTS
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters.base import RowFilter
from target_totango.pipeline.filters.fingerprints import is_replayed
from target_totango.pipeline.filters.outdated import OLDER, OUTDATED, STALE
from target_totango.pipeline.filters.unchanged import UNCHANGED
from target_totango.storage import Confirmation, is_older, run_of_reject

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.pipeline.filters.fingerprints import Fingerprints
    from target_totango.report import Report
    from target_totango.storage import Ledger, RunStore


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
        run = run_of_reject(row.message, ledger) or ledger.run
        row.confirmation = Confirmation(ledger.digest(fields), b"", run)
        if record_id is None:
            return self._decide_by_key(row, ledger)
        row.ledger_key = (row.stream, row.object, "id", record_id)
        if self._store.count(row.ledger_key):
            self._report.metrics(row.stream, row.object).repeated += 1
        if (late := self._late(row, row.ledger_key, ledger)) is not None:
            return late
        if row.options.skip_unchanged and _is_confirmed(row, ledger):
            return UNCHANGED
        _forget(row, ledger)
        return None

    def _decide_by_key(self, row: Row, ledger: Ledger) -> Decision | None:
        """Return what keeps a row from being sent that does not know the id of its object."""
        if self._fingerprints is None:
            return None
        row.fingerprint, is_repeated = self._fingerprints.of(row)
        row.ledger_key = (row.stream, row.object, *row.fingerprint)
        if (late := self._late(row, row.fingerprint, ledger)) is not None:
            return late
        if is_repeated:
            # The destination carries out rows of one key in turn: what was made is changed.
            self._report.metrics(row.stream, row.object).repeated += 1
            return None
        row.is_replayed = is_replayed(row)
        if ledger.activity_state(row.fingerprint) != "done":
            return None
        if _is_confirmed(row, ledger):
            self._fingerprints.note_taken_for_delivered(row)
            return UNCHANGED
        _forget(row, ledger)
        return None

    def _late(self, row: Row, key: tuple[str, ...], ledger: Ledger) -> Decision | None:
        """Return why a row comes too late, if it does: something newer was written of its key.

        Args:
            row: The row.
            key: Under which it was counted.
            ledger: What earlier runs have made.
        """
        known = ledger.confirmed(row.ledger_key or ())
        if known is not None and row.confirmation is not None and known.run > row.confirmation[2]:
            return OUTDATED
        if row.recency is None:
            return None
        if is_older(row.recency, ledger.recency(row.ledger_key or ())):
            return OLDER
        return STALE if self._store.is_stale(key, row.recency) else None


def _is_confirmed(row: Row, ledger: Ledger) -> bool:
    """Return whether the values of a row are those that were confirmed last; note when of."""
    if row.ledger_key is None or row.confirmation is None:
        return False
    confirmed = ledger.confirmed(row.ledger_key)
    if confirmed is None or confirmed.digest != row.confirmation[0]:
        return False
    if row.recency is not None:
        ledger.note_recency(row.ledger_key, row.recency)
    return True


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
