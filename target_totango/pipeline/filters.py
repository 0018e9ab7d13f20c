"""Which rows go out: the most recent of a key, those that changed, those that a mode lets pass."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, Final

import msgspec

from target_totango.config import UPDATE_ONLY, UPSERT
from target_totango.delivery.base import written
from target_totango.models import (
    ACCOUNT,
    ACCOUNTS,
    ACTIVITIES,
    FIELDS,
    REJECT_FIELD,
    USER,
    USERS,
    Row,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.config import Settings
    from target_totango.report import Report
    from target_totango.storage.ledger import Ledger
    from target_totango.storage.run_store import RunStore
    from totango_api.search.lookup import Lookup

logger = logging.getLogger("target-totango")

BATCH_ROWS: Final = 500
"""Rows that wait until Totango is asked which of them exist."""

LONGEST_WAIT: Final = 5.0
"""Seconds after which they no longer wait for more."""

_COMPLETE_RUNS: Final = ("activities without a key", "complete runs")
"""Where the ledger counts them: no object of Totango has such a name."""

_KEYLESS: Final = (
    "Stream %r has no key, so the ledger cannot tell an activity from one just like it: whatever "
    "comes again in a later run counts again. Let the tap's SCHEMA name key_properties."
)
_TAKEN_FOR_DELIVERED: Final = (
    "Stream %r has no key, and a run before this one was cut off: rows just like those that it "
    "delivered are taken for them, counted as unchanged and not sent."
)

UNCERTAIN: Final = "uncertain"
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str, order="sorted").encode


class Admission:
    """Lets rows pass, or settles them without a call. Used by one thread.

    Args:
        settings: The target's settings.
        journal: What this run has seen.
        ledger: What earlier runs had confirmed, if it is kept.
        lookup: Asks what exists; only called for modes that need it.
        report: Counts what does not pass.
        forward: Takes rows that pass.
        settle: Takes rows that need no call.
        keep: Takes rows that belong into the rejects file.
        unchanged: Takes rows that are in Totango already.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        journal: RunStore,
        ledger: Ledger | None,
        lookup: Callable[[], Lookup],
        report: Report,
        forward: Callable[[Row], None],
        settle: Callable[[Row], None],
        keep: Callable[[Row, Sequence[ValidationError]], None],
        unchanged: Callable[[Row], None],
    ) -> None:
        self._settings = settings
        self._upserts = settings.sync_mode == UPSERT
        self._journal = journal
        self._ledger = ledger
        self._lookup = lookup
        self._report = report
        self._forward = forward
        self._settle = settle
        self._keep = keep
        self._unchanged = unchanged
        self._keyless: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._waiting: list[Row] = []
        self._since = 0.0

    def put(self, row: Row) -> None:
        """Take a row that has passed its checks."""
        if row.object == ACTIVITIES:
            if self._ledger is not None and not self._is_new_activity(row, self._ledger):
                return
        elif self._is_superseded(row):
            return
        if self._upserts:
            self._admit(row)
            return
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(row)
        if len(self._waiting) >= BATCH_ROWS:
            self.flush()

    def pulse(self) -> None:
        """Let rows wait no longer than a few seconds."""
        if self._waiting and time.monotonic() - self._since >= LONGEST_WAIT:
            self.flush()

    def flush(self) -> None:
        """Decide on every row that waits.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        rows, self._waiting = self._waiting, []
        self._ask(rows)
        for row in rows:
            key = _subject(row)
            row.existed = self._journal.existing(key)
            if self._is_wanted(row):
                self._journal.note_existing(key, there=True)
                self._admit(row)
            else:
                self._report.tally(row.stream, row.object).skipped += 1
                self._settle(row)

    def _is_wanted(self, row: Row) -> bool:
        if self._settings.sync_mode == UPDATE_ONLY:
            return bool(row.existed)
        # An activity creates nothing that was asked to be left alone.
        return row.object == ACTIVITIES or not row.existed

    def _ask(self, rows: list[Row]) -> None:
        asked = {_subject(row) for row in rows}
        unknown = {key for key in asked if self._journal.existing(key) is None}
        accounts = [key[1] for key in unknown if key[0] == ACCOUNTS]
        users = [(key[1], key[2]) for key in unknown if key[0] == USERS]
        found: set[tuple[str, ...]] = set()
        if accounts:
            found |= {(ACCOUNTS, account_id) for account_id in self._lookup().accounts(accounts)}
        if users:
            found |= {(USERS, *pair) for pair in self._lookup().users(users)}
        for key in unknown:
            self._journal.note_existing(key, there=key in found)

    def _is_superseded(self, row: Row) -> bool:
        key = written(row).key
        if self._journal.count(key):
            self._report.tally(row.stream, row.object).repeated += 1
        if row.recency is None or not self._journal.is_stale(key, row.recency):
            return False
        self._settle(row)
        return True

    def _admit(self, row: Row) -> None:
        ledger = self._ledger
        if ledger is not None and row.object != ACTIVITIES:
            write = written(row)
            row.ledger_key = (row.stream, *write.key)
            row.digest = ledger.digest(_contents(row))
            confirmed = ledger.confirmed(row.ledger_key)
            if self._settings.skip_unchanged and confirmed == row.digest:
                self._report.tally(row.stream, row.object).unchanged += 1
                self._unchanged(row)
                return
            if confirmed is not None and confirmed != row.digest:
                # Made durable by the channel before the call: see Ledger.forget.
                ledger.forget(row.ledger_key)
                row.forgotten = True
        self._forward(row)

    def _is_new_activity(self, row: Row, ledger: Ledger) -> bool:
        row.fingerprint = self._fingerprint(row)
        tally = self._report.tally(row.stream, row.object)
        if row.fingerprint is None:
            tally.repeated += 1
            self._settle(row)
            return False
        state = ledger.activity_state(row.fingerprint)
        if state == "done":
            if row.stream in self._keyless:
                self._tell(row.stream, _TAKEN_FOR_DELIVERED)
            tally.unchanged += 1
            self._settle(row)
            return False
        if state == "sending" and not _is_replayed(row):
            tally.uncertain += 1
            message = (
                "an earlier run was cut off while it sent this activity, so it may have been "
                "counted already; replaying this row sends it again"
            )
            self._keep(row, [ValidationError("", UNCERTAIN, message)])
            return False
        return True

    def _fingerprint(self, row: Row) -> tuple[str, ...] | None:
        """Return what tells an activity from every other; None for one that came before.

        That is the stream's key. Without one it is the whole row, and the how-manieth of its
        kind it is, since the same thing may well be done twice. In a later run it may be done
        once more: so nothing is said to be the same across runs, but for the rows of a run that
        was cut off, which come again. That is told by the number of complete runs before. A row
        of a rejects file is told from all others by its reasons, which say when it was rejected.
        """
        record = row.message["record"]
        keys = row.source.key_properties
        values = [record.get(key) for key in keys]
        if keys and all(value is not None for value in values):
            named = (row.stream, "key", *(_encode(value).decode() for value in values))
            return named if self._journal.count(named) == 0 else None
        digest = hashlib.sha256(_encode(record)).hexdigest()
        hashed: tuple[str, ...]
        if record.get(REJECT_FIELD):
            hashed = (row.stream, "rejected row", digest)
        else:
            hashed = (row.stream, "row", self._complete_runs(row.stream), digest)
        return (*hashed, str(self._journal.count(hashed)))

    def _complete_runs(self, stream: str) -> str:
        """Return how many runs about a stream without a key came to their end, as text."""
        if stream not in self._keyless:
            self._tell(stream, _KEYLESS)
            found = self._ledger and self._ledger.confirmed((*_COMPLETE_RUNS, stream))
            self._keyless[stream] = (found or b"0").decode()
        return self._keyless[stream]

    def complete(self) -> None:
        """Take note that all was read, delivered and let go: no row will come again."""
        for stream, runs in self._keyless.items():
            if self._ledger is not None:
                self._ledger.confirm((*_COMPLETE_RUNS, stream), b"%d" % (int(runs) + 1))

    def _tell(self, stream: str, what: str) -> None:
        if (stream, what) not in self._told:
            self._told.add((stream, what))
            logger.warning(what, stream)


def _subject(row: Row) -> tuple[str, ...]:
    """What has to exist for a row: the account, or the user."""
    write = written(row)
    if row.object == ACCOUNTS or write.user_id is None:
        return (ACCOUNTS, write.account_id)
    return (USERS, write.account_id, write.user_id)


def _contents(row: Row) -> dict[str, str]:
    write = written(row)
    scopes = {ACCOUNT: write.account, USER: write.user, FIELDS: write.fields}
    return {
        f"{scope}.{name}": text for scope, texts in scopes.items() for name, text in texts.items()
    }


def _is_replayed(row: Row) -> bool:
    """Tell whether somebody read that a row is uncertain, and sends it again all the same."""
    why = row.message["record"].get(REJECT_FIELD)
    faults = why.get("faults") if isinstance(why, dict) else None
    if not isinstance(faults, list):
        return False
    return any(isinstance(fault, dict) and fault.get("code") == UNCERTAIN for fault in faults)
