"""Asks what Totango has already, many at once, and drops, holds or completes rows by it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from target_totango.models import ACCOUNTS, UPDATE_ONLY, UPSERT, ValidationError
from target_totango.objects import ENGAGEMENTS, REPEATABLE
from target_totango.pipeline.decisions import Decision, Rejected, Results, Skipped
from target_totango.pipeline.filters.base import Filter, RowFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_totango.models import Row
    from target_totango.pipeline.decisions import RowResult
    from target_totango.storage import RunStore
    from totango_api.search import Lookup

    Subject = tuple[str, ...]


logger = logging.getLogger("target-totango")

MOST_HELD: Final = 10_000
_NOT_THERE: Final = Skipped("update_only: not in Totango")
_THERE: Final = Skipped("create_only: in Totango already")
_COMES: Final = "accounts of this run"
_MESSAGE: Final = "Totango has no account {!r}, and no row about it came before"


class ExistingSubjects:
    """Knows what is in Totango, and what this run's rows bring there.

    Args:
        store: Remembers it.
        lookup: Returns who is asked.
    """

    def __init__(self, store: RunStore, lookup: Callable[[], Lookup]) -> None:
        self._store = store
        self._lookup = lookup

    def look_up(self, subjects: Iterable[Subject]) -> None:
        """Ask for those of which nothing is known: object and ids of each.

        Raises:
            ApiError: If Totango cannot be asked.
        """
        unknown = [one for one in dict.fromkeys(subjects) if self._store.existing(one) is None]
        for object_ in dict.fromkeys(one[0] for one in unknown):
            keys = [one[1:] for one in unknown if one[0] == object_]
            found = self._lookup().find(object_, keys)
            for key in keys:
                self._store.note_existing((object_, *key), there=key in found)

    def has(self, subject: Subject) -> bool:
        """Return whether one is known to be there."""
        return bool(self._store.existing(subject))

    def note(self, subject: Subject) -> None:
        """Note that a row of this run brings one there."""
        self._store.note_existing(subject, there=True)


class SyncModeFilter(RowFilter):
    """Drops rows that `update_only` or `create_only` excludes: asks what exists, many at once.

    Args:
        existing: Knows what is in Totango.
    """

    def __init__(self, existing: ExistingSubjects) -> None:
        self._existing = existing

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others.

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


class RejectUnknownAccounts(RowFilter):
    """Rejects rows whose account is neither in Totango nor among the rows so far.

    A tracking call would make it, without a name. Asks for 500 rows with one call.

    Args:
        existing: Knows what is in Totango.
    """

    def __init__(self, existing: ExistingSubjects) -> None:
        self._existing = existing

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others.

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
        return row.object != ACCOUNTS and row.object not in ENGAGEMENTS

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

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others.

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
        """Return the decisions on rows that were held back: no row follows."""
        results = [pair for pairs in self._held.values() for pair in pairs]
        self._held.clear()
        return results

    def _needs_account(self, row: Row) -> bool:
        """Return whether a row is about an account that has to be there."""
        return row.object != ACCOUNTS


class CreationDefaults(Filter):
    """Adds the attributes of `on_create` to rows whose account is not in Totango yet.

    Asks which accounts exist, many at once, but for those that this run has sent a row about.

    Args:
        existing: Knows what is in Totango; None where nobody can be asked: then nothing is added.
    """

    def __init__(self, existing: ExistingSubjects | None) -> None:
        self._existing = existing
        self._is_logged = False

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows, all of which go on.

        Raises:
            ApiError: If Totango cannot be asked what exists.
        """
        if self._existing is None:
            self._log(rows)
            return rows, []
        requests = [row.request for row in rows]
        self._existing.look_up((ACCOUNTS, one.account_id) for one in requests if one.on_create)
        for request in requests:
            account = (ACCOUNTS, request.account_id)
            if request.on_create and not self._existing.has(account):
                request.account.update(request.on_create)
            self._existing.note(account)
        return rows, []

    def _log(self, rows: Sequence[Row]) -> None:
        if not self._is_logged and any(row.request.on_create for row in rows):
            self._is_logged = True
            logger.warning(
                "Defaults for new accounts are not sent: without app_token nobody tells which "
                "accounts are new."
            )
