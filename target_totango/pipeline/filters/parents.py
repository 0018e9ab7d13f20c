"""Sends accounts after their parents, where the parent comes later in the input."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from target_totango.models import ACCOUNTS
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_totango.models import Row
    from target_totango.storage import RunStore

logger = logging.getLogger("target-totango")

MOST_HELD: Final = 10_000
LONGEST_HELD: Final = 60.0
"""Rows, and seconds, for which children wait: STATE waits with them."""

PARENT_ID: Final = "parent_id"

_GIVEN_UP: Final = (
    "Waited for parent accounts that did not come within %d rows or %d seconds: %s. They go out "
    "now, and what comes later of their parents after them."
)


class ParentsFirst:
    """Holds back rows about accounts whose parent has not come yet.

    Whatever else is about such an account, its users among it, waits with it. A parent that never
    comes is most likely there already: its children wait for the end, or for long enough.

    Args:
        store: Knows which accounts have come.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._held: dict[str, deque[Row]] = {}
        self._parent_of: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        self._since = 0.0
        self._is_logged = False

    def order(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that may go out now, in the order in which they may."""
        accounts = [row.request.account for row in rows]
        if not self._held and not [account for account in accounts if PARENT_ID in account]:
            return rows
        coming = {row.request.account_id for row in rows if row.object == ACCOUNTS}
        ordered: list[Row] = []
        for parent in list(self._children):
            if self._is_there(parent, coming):
                ordered += self._released([parent])
        for row in rows:
            account_id = row.request.account_id
            awaited = self._awaited(row, coming)
            if awaited is not None or account_id in self._parent_of:
                self._hold(row, awaited)
                continue
            ordered.append(row)
            if row.object == ACCOUNTS:
                coming.discard(account_id)
                ordered += self._released([account_id])
        if sum(map(len, self._held.values())) > MOST_HELD:
            ordered += self.give_up()
        return ordered

    @property
    def is_overdue(self) -> bool:
        """Whether rows have waited for long enough."""
        return bool(self._held) and time.monotonic() - self._since > LONGEST_HELD

    def give_up(self) -> list[Row]:
        """Return what waits for parents that did not come, and log it once."""
        if not self._is_logged:
            self._is_logged = True
            count = sum(map(len, self._held.values()))
            logger.warning(_GIVEN_UP, MOST_HELD, LONGEST_HELD, counted(count, "row"))
        return self.release()

    def release(self) -> list[Row]:
        """Return everything that waits, parents first."""
        ordered = self._released([one for one in self._children if one not in self._parent_of])
        # What is left is about accounts that are each other's parents.
        rest = [row for rows in self._held.values() for row in rows]
        self._held.clear()
        self._parent_of.clear()
        self._children.clear()
        return ordered + sorted(rest, key=lambda row: row.seq)

    def _is_there(self, account_id: str, coming: Collection[str]) -> bool:
        """Return whether nothing has to wait for an account: it came, or was there before."""
        key = (ACCOUNTS, account_id)
        if account_id in coming or account_id in self._parent_of:
            return False
        return self._store.has_counted(key) or bool(self._store.existing(key))

    def _awaited(self, row: Row, coming: Collection[str]) -> str | None:
        """Return the parent for which a row has to wait; None if for none."""
        if row.object != ACCOUNTS:
            return None
        parent = row.request.account.get(PARENT_ID)
        if not parent or parent == row.request.account_id:
            return None
        return None if self._is_there(parent, coming) else parent

    def _hold(self, row: Row, parent: str | None) -> None:
        if not self._held:
            self._since = time.monotonic()
        account_id = row.request.account_id
        self._held.setdefault(account_id, deque()).append(row)
        if parent is not None and account_id not in self._parent_of:
            self._parent_of[account_id] = parent
            self._children.setdefault(parent, []).append(account_id)

    def _released(self, parents: Sequence[str]) -> list[Row]:
        """Return what waits for some accounts, and what waits for that."""
        ordered: list[Row] = []
        waiting = deque(parents)
        while waiting:
            for child in self._children.pop(waiting.popleft(), ()):
                ordered += self._held.pop(child)
                del self._parent_of[child]
                waiting.append(child)
        return ordered
