"""Rows that are gone at their source: which users to delete, and the deleting of them."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from target_totango.models import USERS, Row
from target_totango.pipeline.deletes import Deletes, KnownUsers

if TYPE_CHECKING:
    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.mapping.transform import Transformed
    from target_totango.pipeline.results import ResultHandler
    from target_totango.report import Report

logger = logging.getLogger("target-totango")


class HardDeletes:
    """Decides what becomes of rows that say they are deleted, and of those that stay away.

    Args:
        settings: The target's settings.
        services: Deletes users, and keeps the ledger.
        settler: Takes rows.
        report: Counts.
    """

    def __init__(
        self, settings: Settings, services: Clients, settler: ResultHandler, report: Report
    ) -> None:
        self._settings = settings
        self._services = services
        self._settler = settler
        self._report = report
        self._deletes = Deletes(
            wanted=settings.hard_delete,
            most=settings.max_deletes,
            delete=services.delete_user,
        )

    @property
    def count(self) -> int:
        """How many users are to be deleted."""
        return self._deletes.count

    def take(self, row: Row, transformed: Transformed) -> None:
        """Take a row that says it is deleted."""
        row.write = transformed.request
        if transformed.errors:
            self._settler.invalid(row, transformed.errors)
        elif not self._deletes.put(row):
            self._report.tally(row.stream, row.object).skipped += 1
            self._settler.let_pass(row)

    def note_user(self, row: Row) -> None:
        """Note that the source has a user, whatever becomes of the row."""
        write = row.write
        if write is None or not write.account_id or not write.user_id:
            return
        user = (write.account_id, write.user_id)
        for earlier in self._deletes.cancel(user):
            self._report.tally(earlier.stream, earlier.object).repeated += 1
            self._settler.let_pass(earlier)
        version = row.message.get("version")
        if isinstance(version, int) and self._roster is not None:
            self._roster.note(row.stream, version, user)

    def activate_version(self, stream: str, object_: str, version: int) -> None:
        """Take note that a version of a stream is complete: what older ones held is gone."""
        if object_ != USERS or not self._settings.hard_delete:
            return
        if self._roster is None:
            logger.warning(
                "Stream %r: what a version no longer holds is only deleted with ledger_path.",
                stream,
            )
            return
        self._deletes.put_absent(stream, self._roster.absent(stream, version))

    def carry_out(self) -> None:
        """Delete them.

        Raises:
            TooManyDeletesError: If they are too many; then none is deleted.
            ApiError: If a user without a row could not be deleted.
        """
        if self.count:
            self._deletes.check()
            self._forget()
            self._deletes.carry_out(self._deleted, self._settler.let_pass, self._settler.settle)

    def close(self) -> None:
        """Keep what was noted."""
        if self.__dict__.get("_roster") is not None:
            self._roster.close()  # type: ignore[union-attr]

    @functools.cached_property
    def _roster(self) -> KnownUsers | None:
        settings = self._settings
        if not settings.ledger_path or not settings.hard_delete or settings.dry_run:
            return None
        return KnownUsers(Path(f"{settings.ledger_path}.users"))

    def _forget(self) -> None:
        """Let the ledger forget the users before the first one goes.

        If the run is killed after a deletion, or its answer gets lost, the next run must not take
        the user for confirmed.
        """
        ledger = self._services.ledger
        if ledger is not None:
            ledger.forget(*((stream, USERS, *user) for stream, user in self._deletes.going()))
            ledger.flush()

    def _deleted(self, stream: str, user: tuple[str, str]) -> None:
        self._report.tally(stream, USERS).deleted += 1
        self._settler.deleted(user)
        if self._roster is not None:
            self._roster.forget(stream, user)
