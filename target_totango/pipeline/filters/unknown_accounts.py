"""Rejects or holds rows whose account Totango does not have (`unknown_accounts`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.models import ACCOUNTS, ValidationError
from target_totango.objects import RECORDED
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters.base import RowFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import Results, RowResult
    from target_totango.pipeline.filters.existing_subjects import ExistingSubjects

MOST_HELD: Final = 10_000

_COMES: Final = "accounts of this run"
_MESSAGE: Final = "Totango has no account {!r}, and no row about it came before"


class RejectUnknownAccounts(RowFilter):
    """Rejects rows whose account is neither in Totango nor among the rows so far.

    A tracking call would make it, without a name. Asks for 500 rows with one call.

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
        coming = {row.request.account_id for row in rows if row.object == ACCOUNTS}
        for account_id in coming:
            self._existing.note((_COMES, account_id))
        asked = {row.request.account_id for row in rows if self._needs_account(row)}
        self._existing.look_up((ACCOUNTS, one) for one in asked if not self._comes(one))
        return super().apply(rows)

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        account_id = row.request.account_id
        if not self._needs_account(row) or self._comes(account_id):
            return None
        if self._existing.has((ACCOUNTS, account_id)):
            return None
        return self._rejected(account_id)

    def _needs_account(self, row: Row) -> bool:
        """Return whether a row would make the account that it is about; others are refused."""
        return row.object != ACCOUNTS and row.object not in RECORDED

    @staticmethod
    def _rejected(account_id: str) -> Rejected:
        message = _MESSAGE.format(account_id)
        return Rejected([ValidationError("account_id", "unknown account", message)])

    def _comes(self, account_id: str) -> bool:
        """Return whether a row about the account came before."""
        return self._existing.has((_COMES, account_id))


class HoldUnknownAccounts(RejectUnknownAccounts):
    """Holds such rows back until a row about their account came, and rejects them in the end.

    STATE waits with them. Where too many wait, those that came first are rejected.

    Args:
        existing: Knows what is in Totango.
    """

    def __init__(self, existing: ExistingSubjects) -> None:
        super().__init__(existing)
        self._held: dict[str, Results] = {}

    def apply(self, rows: Sequence[Row]) -> tuple[list[Row], Results]:
        """Return the rows that go on, and what becomes of those that do not.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        accounts = {row.request.account_id for row in rows if row.object == ACCOUNTS}
        coming = {account_id for account_id in accounts if not self._comes(account_id)}
        known, unknown = super().apply(rows)
        sent: list[Row] = []
        for row in known:
            account_id = row.request.account_id
            if row.object == ACCOUNTS:
                coming.discard(account_id)
                sent += [row, *(held for held, _ in self._held.pop(account_id, ()))]
            elif account_id in coming:
                # Behind older rows of the same key, that may wait as well.
                self._hold(row, self._rejected(account_id))
            else:
                sent.append(row)
        for row, rejected in unknown:
            self._hold(row, rejected)
        results: Results = []
        while sum(map(len, self._held.values())) > MOST_HELD:
            results += self._held.pop(next(iter(self._held)))
        return sent, results

    def _hold(self, row: Row, result: RowResult) -> None:
        self._held.setdefault(row.request.account_id, []).append((row, result))

    def finish(self) -> Results:
        """Return what becomes of rows that were held back: no row follows."""
        results = [pair for pairs in self._held.values() for pair in pairs]
        self._held.clear()
        return results

    def _needs_account(self, row: Row) -> bool:
        """Return whether a row is about an account that has to be there."""
        return row.object != ACCOUNTS
