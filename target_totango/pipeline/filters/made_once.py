"""Keeps activities, touchpoints and tasks from being made twice, within a run and across runs."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_totango.models import REJECT_FIELD, Confirmation, Row, ValidationError
from target_totango.objects import ENGAGEMENTS, OBJECTS, REPEATABLE
from target_totango.pipeline.decisions import Decision, Rejected, Skipped
from target_totango.pipeline.filters.base import RowFilter
from target_totango.pipeline.filters.redundant import OLDER, OUTDATED, STALE, UNCHANGED
from target_totango.storage import is_older, reasons_in, row_of_reject, run_of_reject

if TYPE_CHECKING:
    from target_totango.report import Report
    from target_totango.storage import Ledger, RunStore

logger = logging.getLogger("target-totango")

_COMPLETE_RUNS: Final = ("activities without a key", "complete runs")
"""Where the ledger counts them: no object of Totango has such a name."""

_KEYLESS: Final = (
    "Stream %r has no key, so the ledger cannot tell a row from one just like it: whatever comes "
    "again in a later run is written again. Let the tap's SCHEMA name key_properties."
)
_TAKEN_FOR_DELIVERED: Final = (
    "Stream %r has no key, and a run before this one was cut off: rows just like those that it "
    "delivered are taken for them, counted as unchanged and not sent."
)

_REPEATED: Final = Skipped("the same activity came before")
_CUT_OFF: Final = (
    "an earlier run was cut off while it sent this activity, so it may have been counted already; "
    "replaying this row sends it again"
)

UNCERTAIN: Final = "uncertain"
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str, order="sorted").encode


class Fingerprint(NamedTuple):
    """What tells a row from every other.

    Attributes:
        parts: For the ledger.
        is_repeated: Whether a row of this run had it before.
    """

    parts: tuple[str, ...]
    is_repeated: bool


class Fingerprints:
    """Tells rows from one another, by the key of their stream or else by all that they hold.

    Args:
        ledger: What earlier runs have sent.
        store: What this run has seen.
    """

    def __init__(self, ledger: Ledger, store: RunStore) -> None:
        self._ledger = ledger
        self._store = store
        self._keyless: dict[str, str] = {}
        self._logged: set[tuple[str, str]] = set()

    def of(self, row: Row) -> Fingerprint:
        """Return what tells a row from every other.

        That is the stream's key. Without one it is the whole row, and the how-manieth of its
        kind it is, since the same thing may well be done twice. In a later run it may be done
        once more: so nothing is said to be the same across runs, but for the rows of a run that
        was cut off, which come again. That is told by the number of complete runs before. A row
        of a rejects file is the one that was rejected; for another ledger than the one that its
        reasons name, these tell it from all others, as they say when it was rejected.
        """
        record = row.message["record"]
        reasons = reasons_in(row.message)
        keys = row.source.key_properties
        # A row may become several things, of which each is made once.
        about = (row.stream, row.object) if row.object in ENGAGEMENTS else (row.stream,)
        values = [record.get(key) for key in keys]
        if keys and all(value is not None for value in values):
            named = (*about, "key", *(_encode(value).decode() for value in values))
            return Fingerprint(named, self._store.count(named) > 0)
        rejected = row_of_reject(row.message, self._ledger)
        if rejected is not None:
            return Fingerprint(rejected, self._store.count(rejected) > 0)
        whole = {**record, REJECT_FIELD: reasons} if reasons else record
        digest = hashlib.sha256(_encode(whole)).hexdigest()
        hashed: tuple[str, ...]
        if reasons:
            hashed = (*about, "rejected row", digest)
        else:
            hashed = (*about, "row", self._complete_runs(row.stream), digest)
        return Fingerprint((*hashed, str(self._store.count(hashed))), is_repeated=False)

    def note_taken_for_delivered(self, row: Row) -> None:
        """Log that a row is taken for one that an earlier run delivered, if that is a guess."""
        if row.stream in self._keyless:
            self._log_once(row.stream, _TAKEN_FOR_DELIVERED)

    def complete(self) -> None:
        """Note that all was read, delivered and let go: no row will come again."""
        for stream, runs in self._keyless.items():
            self._ledger.note((*_COMPLETE_RUNS, stream), b"%d" % (int(runs) + 1))

    def _complete_runs(self, stream: str) -> str:
        """Return how many runs about a stream without a key were complete, as text."""
        if stream not in self._keyless:
            self._log_once(stream, _KEYLESS)
            found = self._ledger.noted((*_COMPLETE_RUNS, stream))
            self._keyless[stream] = (found or b"0").decode()
        return self._keyless[stream]

    def _log_once(self, stream: str, message: str) -> None:
        if (stream, message) not in self._logged:
            self._logged.add((stream, message))
            logger.warning(message, stream)


def is_replayed(row: Row) -> bool:
    """Return whether somebody read that a row is uncertain, and sends it again nevertheless."""
    errors = reasons_in(row.message).get("faults")
    if not isinstance(errors, list):
        return False
    return any(isinstance(error, dict) and error.get("code") == UNCERTAIN for error in errors)


def rejected_as_uncertain(message: str) -> Rejected:
    """Return that a row is rejected because an earlier run may have delivered it."""
    return Rejected([ValidationError("", UNCERTAIN, message)], is_uncertain=True)


class DropDelivered(RowFilter):
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

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        row.fingerprint, is_repeated = self._fingerprints.of(row)
        if is_repeated:
            row.fingerprint = None
            self._report.metrics(row.stream, row.object).repeated += 1
            return _REPEATED
        state = self._ledger.activity_state(row.fingerprint)
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
