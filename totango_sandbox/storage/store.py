"""The state of one emulated Totango service, and the one way to write to it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import InvalidValueError
from totango_sandbox.limits import ACCOUNT_TEXT_MAX, USER_TEXT_MAX
from totango_sandbox.storage.attributes import Definitions, stored_value
from totango_sandbox.storage.collections import collection_table
from totango_sandbox.storage.columns import ROLES
from totango_sandbox.storage.documents import Documents
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
_TEXT_MAX: Final = {"accounts": ACCOUNT_TEXT_MAX, "users": USER_TEXT_MAX}


@dataclass(slots=True)
class Write:
    """One tracking call or one hub row, already checked. A value of None clears."""

    surface: str
    arrival: int
    account_id: str
    account: dict[str, str | None] = field(default_factory=dict)
    account_attributes: list[tuple[str, str | None]] = field(default_factory=list)
    user_id: str | None = None
    user: dict[str, str | None] = field(default_factory=dict)
    user_attributes: list[tuple[str, str | None]] = field(default_factory=list)
    activity: tuple[str, str] | None = None


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

    def write(self, write: Write) -> None:
        """Upsert the account, the user and the activity of one call."""
        if self.is_blocked(write.account_id):
            reason = "account is blocked"
            self.log(write.surface, reason, account_id=write.account_id, user_id=write.user_id)
            return
        account = self.account_row(write.account_id)
        self._set_account(account, write)
        self.accounts.version += 1
        self.database.mark("accounts", write.account_id)
        if write.user_id is not None:
            user = self.user_row(write.account_id, write.user_id)
            self._set_user(user, write)
            self.users.version += 1
            self.database.mark("users", (write.account_id, write.user_id))
        if write.activity is not None:
            self._record_activity(write)

    def is_blocked(self, account_id: str) -> bool:
        """Whether an account was removed for good (Totango: Remove accounts)."""
        blocked = self.switches.listed("blocked_accounts")
        return bool(blocked) and account_id in blocked

    def account_row(self, account_id: str) -> int:
        """Position of an account, created when it is new (Totango: HTTP API)."""
        row = self.accounts.rows_by_key.get(account_id)
        if row is None:
            row = self.accounts.add(account_id)
            self.accounts.base["id"][row] = account_id
            self.accounts.set_base(row, "display", account_id)
            self.database.mark("accounts", account_id)
        return row

    def staff_row(self, login: str) -> int:
        """Position of somebody who works in Totango, created when new."""
        row = self.staff.rows_by_key.get(login)
        if row is None:
            row = self.staff.add(login)
            self.staff.base["id"][row] = login
            self.staff.set_base(row, "display", login)
        return row

    def user_row(self, account_id: str, user_id: str) -> int:
        """Position of a user, created when it is new, below its account."""
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
        """A number that no touchpoint, or no task, has as its id yet."""
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
        """Positions of the users below the account at a position."""
        alive, owners = self.users.alive, self.users.base["account_row"]
        return [user for user, owner in enumerate(owners) if owner == account and alive[user]]

    def collection_table(self) -> Table:
        """All rows of all collections as a table, made anew after every change."""
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

    def _set_account(self, row: int, write: Write) -> None:
        for name, value in write.account.items():
            if name == "name":
                self.name_row(self.accounts, row, value)
            else:
                self._place(write.account_id, name, value)
        if write.account_attributes:
            self._set_attributes(self.accounts, row, write.account_attributes, write)

    def _place(self, account_id: str, name: str, value: str | None) -> None:
        """Set a parent or product id, seen as late as ``hierarchy_visible_after`` says."""

        def change() -> None:
            row = self.accounts.rows_by_key.get(account_id)
            if row is not None:
                self.accounts.set_base(row, name, value)
                self.accounts.touch()
                self.database.mark("accounts", account_id)

        delay = self.switches.number("hierarchy_visible_after")
        if delay:
            self.submit(change, delay)
        else:
            change()

    def _set_user(self, row: int, write: Write) -> None:
        if "name" in write.user:
            self.name_row(self.users, row, write.user["name"])
        if write.user_attributes:
            self._set_attributes(self.users, row, write.user_attributes, write)

    def _set_attributes(
        self, table: Table, row: int, pairs: list[tuple[str, str | None]], write: Write
    ) -> None:
        kind, switches = table.kind, self.switches
        known, columns = self.definitions.by_object[kind], table.attributes
        longest, over_limit = _TEXT_MAX[kind], switches.text("over_limit")
        for name, text in pairs:
            if text is None:
                if name in columns:
                    columns[name][row] = None
                continue
            try:
                text = self._checked(kind, name, text)  # noqa: PLW2901
                definition = known.get(name)
                if definition is None:
                    definition = self.definitions.for_write(kind, name, text, switches)
                    self.database.mark("attributes", (kind, name))
                cell = stored_value(definition, text, longest, over_limit)
            except InvalidValueError as refused:
                self.log(
                    write.surface,
                    str(refused),
                    account_id=write.account_id,
                    user_id=write.user_id,
                    object=kind,
                    attribute=name,
                    value=text[:1000],
                )
                continue
            column = columns.get(name)
            if column is None:
                column = table.attribute_column(name)
            column[row] = cell

    def _checked(self, kind: str, name: str, text: str) -> str:
        """A written value of an attribute that has rules of its own (System and core attributes).

        Raises:
            InvalidValueError: the value is not taken.
        """
        if name == "ofid":
            return text.lower()
        if name == "sfid" and self.switches.text("sfid_writes") == "ignore":
            msg = "sfid cannot be written"
            raise InvalidValueError(msg)
        policy = self.switches.text("owner_values")
        if kind == "accounts" and name in ROLES and policy != "any":
            staff = self.staff
            if policy == "email" and text in staff.rows_by_key:
                return str(staff.base["display"][staff.rows_by_key[text]])
            if not any(staff.base["display"][row] == text for row in staff.live_rows()):
                msg = "not the name of a Totango user"
                raise InvalidValueError(msg)
        return text

    def _record_activity(self, write: Write) -> None:
        """Count usage; its time is the time of arrival (Totango: usage via CSV)."""
        assert write.activity is not None  # noqa: S101 (the caller looked)
        self.become_active(self.accounts, write.account_id, write.arrival)
        if write.user_id is not None:
            self.become_active(self.users, (write.account_id, write.user_id), write.arrival)
        activity, module = write.activity
        record = (write.account_id, write.user_id, activity, module, write.arrival)
        self.database.append("activities", record)

    def become_active(self, table: Table, key: Any, moment: int) -> None:
        """Set a row's last activity, seen as late as ``activity_visible_after`` says."""
        change = partial(self._set_active, table, key, moment)
        delay = self.switches.number("activity_visible_after")
        if delay:
            self.submit(change, delay)
        else:
            change()

    def _set_active(self, table: Table, key: Any, moment: int) -> None:
        row = table.rows_by_key.get(key)
        if row is None:
            return
        last = table.base["last_activity_time"][row]
        if last is None or last < moment:
            table.set_base(row, "last_activity_time", moment)
        if table.base["first_activity_time"][row] is None:
            table.set_base(row, "first_activity_time", moment)
        table.touch()
        self.database.mark(table.kind, key)
