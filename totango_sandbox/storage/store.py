"""The state of one emulated Totango service, and the one way to write to it."""

from __future__ import annotations

import json
import time
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from totango_sandbox import dates
from totango_sandbox.storage.attributes import Definitions
from totango_sandbox.storage.documents import Documents, collection_table
from totango_sandbox.storage.events import Events
from totango_sandbox.storage.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_sandbox.storage.database import Database
    from totango_sandbox.switches import Switches

ACCOUNT_BASE: Final = (
    "id",
    "name",
    "display",
    "parent_id",
    "product_id",
    "first_activity_time",
    "last_activity_time",
    "health",
    "health_prev",
    "health_change",
)
USER_BASE: Final = (
    "account_row",
    "account_id",
    "id",
    "name",
    "display",
    "first_activity_time",
    "last_activity_time",
)
STAFF_BASE: Final = ("id", "name", "display", "first_activity_time", "last_activity_time")


class Store:
    """Everything that one service holds: accounts, users, staff, definitions, events, documents.

    Args:
        database: where changes are written down.
        switches: how open questions are answered.
    """

    def __init__(self, database: Database, switches: Switches) -> None:
        self.database = database
        self.switches = switches
        self.accounts = Table("accounts", ACCOUNT_BASE)
        self.users = Table("users", USER_BASE)
        self.staff = Table("staff", STAFF_BASE)
        self.tables = {"accounts": self.accounts, "users": self.users, "staff": self.staff}
        self.definitions = Definitions()
        self.events = Events(database)
        self.documents = Documents(database)
        self._collections = (-1, collection_table({}, self.accounts))
        self._delayed: list[tuple[float, int, Callable[[], None]]] = []
        self._submitted = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that a seed could overwrite."""
        return not (self.accounts or self.users or self.events or self.documents)

    def log(self, surface: str, reason: str, **detail: object) -> None:
        """Record something that was swallowed without an answer to the sender."""
        text = json.dumps(detail, ensure_ascii=False)
        self.database.append("log", (dates.now(), surface, reason, text))

    def submit(self, change: Callable[[], None], delay: float | None = None) -> None:
        """Make a change now or later, never before one that was submitted with less delay.

        Args:
            change: what to do.
            delay: seconds; None is what ``visible_after`` says.
        """
        if delay is None:
            delay = self.switches.number("visible_after")
        if delay == 0 and not self._delayed:
            change()
            return
        self._submitted += 1
        heappush(self._delayed, (time.monotonic() + delay, self._submitted, change))

    def settle(self, *, everything: bool = False) -> None:
        """Make the delayed changes whose time has come."""
        while self._delayed and (everything or self._delayed[0][0] <= time.monotonic()):
            heappop(self._delayed)[2]()

    @property
    def delayed(self) -> int:
        """Changes that were accepted but cannot be seen yet."""
        return len(self._delayed)

    def is_blocked(self, account_id: str) -> bool:
        """Return whether an account was removed for good (Totango: Remove accounts)."""
        blocked = self.switches.listed("blocked_accounts")
        return bool(blocked) and account_id in blocked

    def account_row(self, account_id: str) -> int:
        """Return position of an account, created when it is new (Totango: HTTP API)."""
        row = self.accounts.rows_by_key.get(account_id)
        if row is None:
            row = self.accounts.add(account_id)
            self.accounts.base["id"][row] = account_id
            self.accounts.set_base(row, "display", account_id)
            self.database.mark("accounts", account_id)
        return row

    def staff_row(self, login: str) -> int:
        """Return position of somebody who works in Totango, created when new."""
        row = self.staff.rows_by_key.get(login)
        if row is None:
            row = self.staff.add(login)
            self.staff.base["id"][row] = login
            self.staff.set_base(row, "display", login)
        return row

    def user_row(self, account_id: str, user_id: str) -> int:
        """Return position of a user, created when it is new, below its account."""
        row = self.users.rows_by_key.get((account_id, user_id))
        if row is None:
            account = self.account_row(account_id)
            row = self.users.add((account_id, user_id))
            base = self.users.base
            base["account_row"][row] = account
            base["account_id"][row] = account_id
            base["id"][row] = user_id
            self.users.set_base(row, "display", user_id)
        return row

    def next_id(self, kind: str, first: int) -> int:
        """Return a number that no touchpoint, or no task, has as its id yet."""
        highest = self.documents.highest.get(kind, first - 1)
        if kind == "touchpoints":
            highest = max(highest, self.events.highest_note)
        return highest + 1

    def name_row(self, table: Table, row: int, name: str | None) -> None:
        """Set a display name; without one the id is displayed."""
        table.base["name"][row] = name
        table.set_base(row, "display", table.base["id"][row] if name is None else name)

    def delete_user(self, account_id: str, user_id: str) -> None:
        """Remove a user; recorded activities stay (Totango: User Delete API)."""
        self.users.remove((account_id, user_id))
        self.database.mark("users", (account_id, user_id))

    def delete_account(self, account_id: str) -> None:
        """Remove an account and its users, as archiving does (Totango: Remove accounts)."""
        row = self.accounts.rows_by_key[account_id]
        for user in self.users_of(row):
            self.delete_user(account_id, self.users.base["id"][user])
        self.accounts.remove(account_id)
        self.database.mark("accounts", account_id)

    def users_of(self, account: int) -> list[int]:
        """Return positions of the users below the account at a position."""
        alive, owners = self.users.alive, self.users.base["account_row"]
        return [user for user, owner in enumerate(owners) if owner == account and alive[user]]

    def collection_table(self) -> Table:
        """Return all rows of all collections as a table, made again after every change."""
        version = self.documents.version
        if self._collections[0] != version:
            table = collection_table(self.documents.of("collections"), self.accounts)
            table.version = version
            self._collections = (version, table)
        return self._collections[1]

    def reset(self) -> None:
        """Empty the service."""
        for table in self.tables.values():
            version = table.version
            table.clear()
            table.version = version + 1
        self.definitions.clear()
        self.events.clear()
        self.documents.clear()
        self._delayed.clear()
        self.database.clear()

    def close(self) -> None:
        """Make every accepted change, write everything down and close the file."""
        self.settle(everything=True)
        self.database.close()
