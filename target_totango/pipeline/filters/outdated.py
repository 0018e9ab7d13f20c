"""Drops rows that something newer outdates: in this run, in a later one, or by their own mark."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from target_totango.objects import REPEATABLE
from target_totango.pipeline.decisions import Decision, Skipped
from target_totango.pipeline.filters.base import RowFilter
from target_totango.pipeline.filters.case_variants import CaseVariants
from target_totango.storage import run_of_reject

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.report import Report
    from target_totango.storage import Ledger, RunStore

logger = logging.getLogger("target-totango")

_SUPERSEDED: Final = Skipped("marked as superseded")
OUTDATED: Final = Skipped("outdated: a later run confirmed its key")
STALE: Final = Skipped("a more recent row of its key came before")
OLDER: Final = Skipped("an earlier run wrote a more recent row of its key")


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
