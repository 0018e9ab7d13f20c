"""Counts rows whose ids differ from those of other rows in case alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_totango.objects import REPEATABLE

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.report import Report
    from target_totango.storage import RunStore

logger = logging.getLogger("target-totango")


class CaseVariants:
    """Counts and logs ids that differ in case alone: Totango takes them for different ones.

    Args:
        store: What this run has seen.
        report: Counts.
    """

    def __init__(self, store: RunStore, report: Report) -> None:
        self._store = store
        self._report = report

    def note_rejected(self, row: Row) -> None:
        """Note a row that is not written, whose key is not counted."""
        if row.object not in REPEATABLE or row.write is None or "" in row.write.key:
            return
        if self._store.differs_in_case(row.write.key, is_counted=False):
            self.count(row)

    def count(self, row: Row) -> None:
        """Count a row whose ids came before in another case."""
        metrics = self._report.metrics(row.stream, row.object)
        metrics.case_variants += 1
        if metrics.case_variants == 1:
            logger.warning(
                "Stream %r: ids of %s differ in case alone, so Totango takes them for different "
                'ones. {"field": …, "lower": true} in the mapping makes them one.',
                row.stream,
                row.object,
            )
