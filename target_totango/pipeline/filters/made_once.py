"""Keeps activities, touchpoints and tasks from being made twice, within a run and across runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from target_totango.models import Confirmation, Row, ValidationError
from target_totango.objects import ENGAGEMENTS, OBJECTS, REPEATABLE
from target_totango.pipeline.decisions import Decision, Rejected, Skipped
from target_totango.pipeline.filters.base import Filter, RowFilter, without
from target_totango.pipeline.filters.redundant import OLDER, OUTDATED, STALE, UNCHANGED
from target_totango.storage import is_older, reasons_in, run_of_reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.pipeline.decisions import Results
    from target_totango.pipeline.filters.fingerprints import Fingerprints
    from target_totango.report import Report
    from target_totango.storage import ActivityState, Ledger, RunStore

logger = logging.getLogger("target-totango")

_REPEATED: Final = Skipped("the same activity came before")
_CUT_OFF: Final = (
    "an earlier run was cut off while it sent this activity, so it may have been counted already; "
    "replaying this row sends it again"
)

UNCERTAIN: Final = "uncertain"


def is_replayed(row: Row) -> bool:
    """Return whether somebody read that a row is uncertain, and sends it again nevertheless."""
    errors = reasons_in(row.message).get("faults")
    if not isinstance(errors, list):
        return False
    return any(isinstance(error, dict) and error.get("code") == UNCERTAIN for error in errors)


def rejected_as_uncertain(message: str) -> Rejected:
    """Return that a row is rejected because an earlier run may have delivered it."""
    return Rejected([ValidationError("", UNCERTAIN, message)], is_uncertain=True)


class DropDelivered(Filter):
    """Drops an activity that this run or an earlier one has sent: it would count twice.

    Args:
        ledger: What earlier runs have sent.
        fingerprints: Tells activities from one another.
        report: Counts activities that come again.
        repeats: Whether one goes out again that may have been counted.
    """

    objects = frozenset(OBJECTS) - REPEATABLE - ENGAGEMENTS

    def __init__(
        self, ledger: Ledger, fingerprints: Fingerprints, report: Report, *, repeats: bool
    ) -> None:
        self._ledger = ledger
        self._fingerprints = fingerprints
        self._report = report
        self._repeats = repeats

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""
        results: Results = []
        fresh: dict[tuple[str, ...], Row] = {}
        for row in rows:
            if row.object not in self.objects:
                continue
            fingerprint, is_repeated = self._fingerprints.of(row)
            if is_repeated:
                self._report.metrics(row.stream, row.object).repeated += 1
                results.append((row, _REPEATED))
                continue
            row.fingerprint = fingerprint
            fresh[fingerprint] = row
        states = self._ledger.activity_states(list(fresh))
        results += [
            (row, why)
            for row, state in zip(fresh.values(), states, strict=True)
            if (why := self._decide(row, state)) is not None
        ]
        return without(rows, results), results

    def _decide(self, row: Row, state: ActivityState | None) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        if state == "done":
            self._fingerprints.note_taken_for_delivered(row)
            return UNCHANGED
        if state == "sending" and not self._repeats and not is_replayed(row):
            return rejected_as_uncertain(_CUT_OFF)
        return None


class DropMadeEngagements(RowFilter):
    """Drops a row of an object that is made once, if it was made from the same row before.

    Args:
        ledger: What earlier runs have made; None in a dry run.
        fingerprints: Tells rows from one another, beside a ledger.
        store: What this run has seen.
        report: Counts rows that come again.
    """

    objects = ENGAGEMENTS

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
        form = OBJECTS[row.object].engagement
        assert form is not None  # noqa: S101 (it is one of `objects`)
        fields = row.request.fields
        engagement_id = fields.get(form.id_name) or None  # an id that was cleared is none
        if engagement_id is None and (errors := _missing(row)):
            return Rejected(errors)
        ledger, fingerprints = self._ledger, self._fingerprints
        if ledger is None or fingerprints is None:
            return None
        run = run_of_reject(row.message, ledger) or ledger.run
        row.confirmation = Confirmation(ledger.digest(fields), b"", run)
        if engagement_id is None:
            return self._decide_by_key(row, ledger, fingerprints)
        row.ledger_key = (row.stream, row.object, "id", engagement_id)
        if self._store.count(row.ledger_key):
            self._report.metrics(row.stream, row.object).repeated += 1
        if (late := self._late(row, row.ledger_key, ledger)) is not None:
            return late
        if row.options.skip_unchanged and _is_confirmed(row, ledger):
            return UNCHANGED
        _forget(row, ledger)
        return None

    def _decide_by_key(
        self, row: Row, ledger: Ledger, fingerprints: Fingerprints
    ) -> Decision | None:
        """Return what keeps a row from being sent that does not know the id of its object."""
        row.fingerprint, is_repeated = fingerprints.of(row)
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
            fingerprints.note_taken_for_delivered(row)
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
        if known is not None and row.confirmation is not None and known.run > row.confirmation.run:
            return OUTDATED
        if row.recency is None:
            return None
        if is_older(row.recency, ledger.recency(row.ledger_key or ())):
            return OLDER
        return STALE if self._store.is_stale(key, row.recency) else None


def _is_confirmed(row: Row, ledger: Ledger) -> bool:
    """Return whether the values of a row are those that were confirmed last; note when of."""
    assert row.ledger_key is not None  # noqa: S101 (the caller has set both)
    assert row.confirmation is not None  # noqa: S101
    confirmed = ledger.confirmed(row.ledger_key)
    if confirmed is None or confirmed.digest != row.confirmation.digest:
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
