"""Filters rows: by recency, by what changed, by sync mode."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Protocol

from target_totango.models import (
    ACCOUNT,
    ALL,
    FIELDS,
    UPDATE_ONLY,
    UPSERT,
    USER,
    Row,
)
from target_totango.objects import OBJECTS, REPEATABLE
from target_totango.pipeline.case_variants import CaseVariants
from target_totango.pipeline.decisions import Decision, Results, Skipped, Unchanged
from target_totango.storage import REJECTS, Confirmation, is_older, run_of_reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.pipeline.existing_subjects import ExistingSubjects
    from target_totango.pipeline.full_syncs import FullSyncs
    from target_totango.report import Report
    from target_totango.storage import Ledger, RunStore

logger = logging.getLogger("target-totango")

_LAST_WAY: Final = ("deliveries", "last way")

_OTHER_WAY: Final = (
    "By %s, this run reaches Totango with another service id, token or host than the last one. "
    "Rows that were only acknowledged then are sent again. Activities are not, since they might "
    "count twice: set ledger_path to another file to send them again."
)

_SUPERSEDED: Final = Skipped("marked as superseded")
OUTDATED: Final = Skipped("outdated: a later run confirmed its key")
STALE: Final = Skipped("a more recent row of its key came before")
_NOT_THERE: Final = Skipped("update_only: not in Totango")
_THERE: Final = Skipped("create_only: in Totango already")
OLDER: Final = Skipped("an earlier run wrote a more recent row of its key")
UNCHANGED: Final = Unchanged()


class Filter(Protocol):
    """A step between reading and sending. Used by one thread."""

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not."""

    def finish(self) -> Results:
        """Return what becomes of rows that were held back: no row follows."""


class RowFilter(ABC):
    """A filter that looks at one row after the other."""

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not."""
        decide = self.decide
        results: Results = []
        results += [(row, why) for row in rows if (why := decide(row)) is not None]
        if not results:
            return list(rows), results
        dropped = {row.seq for row, _ in results}
        return [row for row in rows if row.seq not in dropped], results

    def finish(self) -> Results:
        """Return what becomes of rows that were held back: none were."""
        return []

    @abstractmethod
    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""


class DropSuperseded(RowFilter):
    """Drops a row of a rejects file which says that Totango has taken newer ones."""

    def __init__(self) -> None:
        self._is_logged = False

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        if not row.is_superseded:
            return None
        if not self._is_logged:
            self._is_logged = True
            logger.warning(
                "Rows that are marked as superseded are skipped: Totango has taken newer ones. "
                "Take out the mark to send one nevertheless."
            )
        return _SUPERSEDED


class DropOutdated(RowFilter):
    """Drops a replayed row if a later run than the one that rejected it confirmed its key.

    Args:
        ledger: What earlier runs had confirmed.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        run = run_of_reject(row.message, self._ledger)
        if run is None or row.object not in REPEATABLE:
            return None
        confirmed = self._ledger.confirmed((row.stream, *row.request.key))
        return OUTDATED if confirmed is not None and confirmed.run > run else None


class DropStale(RowFilter):
    """Drops a row if a more recent one with the same key was read before (`recency_field`).

    Args:
        store: What this run has seen.
        report: Counts keys that come again.
    """

    def __init__(self, store: RunStore, report: Report) -> None:
        self._store = store
        self._report = report
        self._case_variants = CaseVariants(store, report)

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        if row.object not in REPEATABLE:
            return None
        key = row.request.key
        if self._store.count(key):
            self._report.metrics(row.stream, row.object).repeated += 1
        elif self._store.differs_in_case(key):
            self._case_variants.count(row)
        if row.recency is not None and self._store.is_stale(key, row.recency):
            return STALE
        return None


class DropUnchanged(RowFilter):
    """Drops a row whose values an earlier run confirmed, or more recent ones of its key.

    Also prepares every other row for the ledger.

    Args:
        ledger: What earlier runs had confirmed.
        way_of: Returns the texts that stand for how a delivery reaches Totango.
        full_syncs: Says of which streams unchanged rows are sent, too.
    """

    def __init__(
        self, ledger: Ledger, way_of: Callable[[str], Sequence[str]], full_syncs: FullSyncs
    ) -> None:
        self._ledger = ledger
        self._full_syncs = full_syncs
        self._way_of = way_of
        self._has_rejects = ledger.noted(REJECTS) is not None
        self._evidence: dict[str, bytes] = {}

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        if row.object not in REPEATABLE:
            return None
        row.ledger_key = (row.stream, *row.request.key)
        if row.recency is not None and is_older(row.recency, self._ledger.recency(row.ledger_key)):
            return OLDER
        digest, evidence = self._ledger.digest(_contents(row)), self._evidence_of(row.delivery)
        row.confirmation = Confirmation(digest, evidence, self._run_of(row))
        skips = row.options.skip_unchanged and not self._full_syncs.is_due(row.stream)
        confirmed = self._ledger.confirmed(row.ledger_key)
        if confirmed is None:
            return None
        if confirmed.digest != digest:
            # Made durable by the destination before the call: see Ledger.forget.
            self._ledger.forget(row.ledger_key)
            row.forgotten = True
            return None
        if not skips or confirmed.evidence not in (b"", evidence):
            return None
        if confirmed.evidence and _is_to_be_seen(row):
            return None
        if self._has_rejects:
            self._ledger.confirm(row.ledger_key, confirmed._replace(run=row.confirmation.run))
        if row.recency is not None:
            self._ledger.note_recency(row.ledger_key, row.recency)
        return UNCHANGED

    def _run_of(self, row: Row) -> int:
        """Return as of which run a row is right: a replayed one, of that which rejected it."""
        return run_of_reject(row.message, self._ledger) or self._ledger.run

    def _evidence_of(self, delivery: str) -> bytes:
        """Return what an acknowledgement of this run is worth to later ones."""
        if delivery not in self._evidence:
            evidence = self._evidence[delivery] = self._ledger.evidence(*self._way_of(delivery))
            before = self._ledger.noted((*_LAST_WAY, delivery))
            self._ledger.note((*_LAST_WAY, delivery), evidence)
            if before not in {None, evidence}:
                logger.warning(_OTHER_WAY, delivery)
        return self._evidence[delivery]


class SyncModeFilter(RowFilter):
    """Drops rows that `update_only` or `create_only` excludes: asks what exists, many at once.

    Args:
        existing: Knows what is in Totango.
    """

    def __init__(self, existing: ExistingSubjects) -> None:
        self._existing = existing

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        asked = (row.request.subject for row in rows if row.options.sync_mode != UPSERT)
        self._existing.look_up(asked)
        return super().apply(rows)

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        mode = row.options.sync_mode
        if mode == UPSERT:
            return None
        key = row.request.subject
        row.existed = self._existing.has(key)
        if mode == UPDATE_ONLY and not row.existed:
            return _NOT_THERE
        # An activity creates nothing that was asked to be left alone.
        if mode != UPDATE_ONLY and row.existed and row.object in REPEATABLE:
            return _THERE
        self._existing.note(key)
        return None


def _is_to_be_seen(row: Row) -> bool:
    """Return whether all of a row is read back: that it was acknowledged is not enough then."""
    request = row.request
    is_readable = OBJECTS[row.object].display_name is not None
    is_whole = request.scope == ACCOUNT or not request.account
    return row.options.verify == ALL and is_readable and is_whole


def _contents(row: Row) -> dict[str, str]:
    request = row.request
    scopes = {ACCOUNT: request.account, USER: request.user, FIELDS: request.fields}
    return {
        f"{scope}.{name}": text for scope, texts in scopes.items() for name, text in texts.items()
    }
