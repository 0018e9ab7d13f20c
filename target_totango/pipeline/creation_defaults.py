"""Attributes that only rows which create their account are sent with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_totango.models import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import Results
    from target_totango.storage import RunStore
    from totango_api.search import Lookup

logger = logging.getLogger("target-totango")


class CreationDefaults:
    """Adds the attributes of `on_create` to rows whose account is not in Totango yet.

    Asks which accounts exist, many at once, but for those that this run has sent a row about.

    Args:
        store: Remembers what exists.
        lookup: Returns who is asked; None where nobody can be: then nothing is added.
    """

    def __init__(self, store: RunStore, lookup: Callable[[], Lookup] | None) -> None:
        self._store = store
        self._lookup = lookup
        self._is_logged = False

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows, all of which go on.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        if self._lookup is None:
            self._log(rows)
            return list(rows), []
        self._look_up(rows, self._lookup)
        for row in rows:
            request = row.request
            account = (ACCOUNTS, request.account_id)
            if request.on_create and self._store.existing(account) is False:
                request.account.update(request.on_create)
            self._store.note_existing(account, there=True)
        return list(rows), []

    def _look_up(self, rows: Sequence[Row], lookup: Callable[[], Lookup]) -> None:
        asked = dict.fromkeys(row.request.account_id for row in rows if row.request.on_create)
        unknown = [each for each in asked if self._store.existing((ACCOUNTS, each)) is None]
        found = lookup().accounts(unknown) if unknown else {}
        for account_id in unknown:
            self._store.note_existing((ACCOUNTS, account_id), there=account_id in found)

    def _log(self, rows: Sequence[Row]) -> None:
        if not self._is_logged and any(row.request.on_create for row in rows):
            self._is_logged = True
            logger.warning(
                "Defaults for new accounts are not sent: without app_token nobody tells which "
                "accounts are new."
            )
