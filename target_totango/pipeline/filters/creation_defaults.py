"""Adds attributes to rows that create their account (`on_create`)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_totango.models import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import Results
    from target_totango.pipeline.filters.existing_subjects import ExistingSubjects

logger = logging.getLogger("target-totango")


class CreationDefaults:
    """Adds the attributes of `on_create` to rows whose account is not in Totango yet.

    Asks which accounts exist, many at once, but for those that this run has sent a row about.

    Args:
        existing: Knows what is in Totango; None where nobody can be asked: then nothing is added.
    """

    def __init__(self, existing: ExistingSubjects | None) -> None:
        self._existing = existing
        self._is_logged = False

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows, all of which go on.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        if self._existing is None:
            self._log(rows)
            return list(rows), []
        requests = [row.request for row in rows]
        self._existing.look_up((ACCOUNTS, one.account_id) for one in requests if one.on_create)
        for request in requests:
            account = (ACCOUNTS, request.account_id)
            if request.on_create and not self._existing.has(account):
                request.account.update(request.on_create)
            self._existing.note(account)
        return list(rows), []

    def finish(self) -> Results:
        """Return what becomes of rows that were held back: none were."""
        return []

    def _log(self, rows: Sequence[Row]) -> None:
        if not self._is_logged and any(row.request.on_create for row in rows):
            self._is_logged = True
            logger.warning(
                "Defaults for new accounts are not sent: without app_token nobody tells which "
                "accounts are new."
            )
