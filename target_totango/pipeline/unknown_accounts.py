"""Rows about users and activities of accounts that Totango does not have (`unknown_accounts`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.models import ACCOUNTS, ValidationError
from target_totango.objects import RECORDED
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters import RowFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import Results
    from target_totango.storage import RunStore
    from totango_api.search import Lookup

_COMES: Final = "accounts of this run"
_MESSAGE: Final = "Totango has no account {!r}, and no row about it came before"


class RejectUnknownAccounts(RowFilter):
    """Rejects rows whose account is neither in Totango nor among the rows so far.

    A tracking call would make it, without a name. Asks for 500 rows with one call.

    Args:
        store: Remembers what exists.
        lookup: Returns who is asked.
    """

    def __init__(self, store: RunStore, lookup: Callable[[], Lookup]) -> None:
        self._store = store
        self._lookup = lookup

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        coming = {row.request.account_id for row in rows if row.object == ACCOUNTS}
        for account_id in coming:
            self._store.note_existing((_COMES, account_id), there=True)
        asked = {row.request.account_id for row in rows if _needs_account(row)}
        unknown = [
            one
            for one in asked
            if self._store.existing((ACCOUNTS, one)) is None
            and not self._store.existing((_COMES, one))
        ]
        if unknown:
            found = self._lookup().accounts(unknown)
            for one in unknown:
                self._store.note_existing((ACCOUNTS, one), there=one in found)
        return super().apply(rows)

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        account_id = row.request.account_id
        if not _needs_account(row) or any(
            self._store.existing((kind, account_id)) for kind in (_COMES, ACCOUNTS)
        ):
            return None
        message = _MESSAGE.format(account_id)
        return Rejected([ValidationError("account_id", "unknown account", message)])


def _needs_account(row: Row) -> bool:
    """Return whether a row would make the account that it is about; others are refused anyway."""
    return row.object != ACCOUNTS and row.object not in RECORDED
