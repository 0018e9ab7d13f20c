"""Drops rows by what Totango has already (`sync_mode`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.models import UPDATE_ONLY, UPSERT
from target_totango.objects import REPEATABLE
from target_totango.pipeline.decisions import Decision, Results, Skipped
from target_totango.pipeline.filters.base import RowFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from target_totango.pipeline.filters.existing_subjects import ExistingSubjects

_NOT_THERE: Final = Skipped("update_only: not in Totango")
_THERE: Final = Skipped("create_only: in Totango already")


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
