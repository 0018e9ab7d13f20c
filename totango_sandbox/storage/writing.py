"""What a write does to a store: one tracking call, or one row of a hub batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.errors import InvalidValueError
from totango_sandbox.limits import ACCOUNT_TEXT_MAX, USER_TEXT_MAX
from totango_sandbox.storage.attributes import ROLES, stored_value
from totango_sandbox.storage.table import MOVEMENT, stamp

if TYPE_CHECKING:
    from totango_sandbox.storage.store import Store
    from totango_sandbox.storage.table import Table

_TEXT_MAX: Final = {"accounts": ACCOUNT_TEXT_MAX, "users": USER_TEXT_MAX}


@dataclass(slots=True)
class Write:
    """One tracking call or one hub row, already checked. A value of None clears.

    An activity is one of a user.
    """

    surface: str
    arrival: int
    account_id: str
    account: dict[str, str | None] = field(default_factory=dict)
    account_attributes: list[tuple[str, str | None]] = field(default_factory=list)
    user_id: str | None = None
    user: dict[str, str | None] = field(default_factory=dict)
    user_attributes: list[tuple[str, str | None]] = field(default_factory=list)
    activity: tuple[str, str] | None = None


def apply_write(store: Store, write: Write) -> None:
    """Upsert the account, the user and the activity of one call."""
    if store.is_blocked(write.account_id):
        reason = "account is blocked"
        store.log(write.surface, reason, account_id=write.account_id, user_id=write.user_id)
        return
    account = store.account_row(write.account_id)
    _set_account(store, account, write)
    store.accounts.version += 1
    store.database.mark("accounts", write.account_id)
    if write.user_id is not None:
        user = store.user_row(write.account_id, write.user_id)
        _set_user(store, user, write)
        store.users.version += 1
        store.database.mark("users", (write.account_id, write.user_id))
        if write.activity is not None:
            _record_activity(store, write, write.user_id, *write.activity)


def become_active(
    store: Store, table: Table, key: Any, moment: int, surface: str = MOVEMENT
) -> None:
    """Set a row's last activity, seen as late as ``activity_visible_after`` says."""
    change = partial(_set_active, store, table, key, moment, surface)
    delay = store.switches.number("activity_visible_after")
    if delay:
        store.submit(change, delay)
    else:
        change()


def _set_active(store: Store, table: Table, key: Any, moment: int, surface: str) -> None:
    row = table.rows_by_key.get(key)
    if row is None:
        return
    last = table.base["last_activity_time"][row]
    if last is None or last < moment:
        table.set_base(row, "last_activity_time", moment)
        table.set_source(row, "last_activity_time", stamp(surface, moment))
    if table.base["first_activity_time"][row] is None:
        table.set_base(row, "first_activity_time", moment)
        table.set_source(row, "first_activity_time", stamp(surface, moment))
    table.touch()
    store.database.mark(table.kind, key)


def _set_account(store: Store, row: int, write: Write) -> None:
    for name, value in write.account.items():
        if name == "name":
            store.name_row(store.accounts, row, value)
            store.accounts.set_source(row, name, stamp(write.surface, write.arrival))
        else:
            _place(store, write, name, value)
    if write.account_attributes:
        _set_attributes(store, store.accounts, row, write.account_attributes, write)


def _place(store: Store, write: Write, name: str, value: str | None) -> None:
    """Set a parent or product id, seen as late as ``hierarchy_visible_after`` says."""

    def change() -> None:
        row = store.accounts.rows_by_key.get(write.account_id)
        if row is not None:
            store.accounts.set_base(row, name, value)
            store.accounts.set_source(row, name, stamp(write.surface, write.arrival))
            store.accounts.touch()
            store.database.mark("accounts", write.account_id)

    delay = store.switches.number("hierarchy_visible_after")
    if delay:
        store.submit(change, delay)
    else:
        change()


def _set_user(store: Store, row: int, write: Write) -> None:
    if "name" in write.user:
        store.name_row(store.users, row, write.user["name"])
        store.users.set_source(row, "name", stamp(write.surface, write.arrival))
    if write.user_attributes:
        _set_attributes(store, store.users, row, write.user_attributes, write)


def _set_attributes(
    store: Store, table: Table, row: int, pairs: list[tuple[str, str | None]], write: Write
) -> None:
    kind, switches = table.kind, store.switches
    known, columns, sources = store.definitions.by_object[kind], table.attributes, table.sources
    longest = _TEXT_MAX[kind]
    written = stamp(write.surface, write.arrival)
    for name, text in pairs:
        cell = None
        if text is None:
            if name not in columns:
                continue
        else:
            try:
                text = _checked(store, kind, name, text)  # noqa: PLW2901
                definition = known.get(name)
                if definition is None:
                    definition = store.definitions.for_write(kind, name, text, switches)
                    store.database.mark("attributes", (kind, name))
                cell = stored_value(definition, text, longest, switches)
            except InvalidValueError as refused:
                _log_refused(store, write, kind, name, text, str(refused))
                continue
        column = columns.get(name)
        if column is None:
            column = table.attribute_column(name)
        column[row] = cell
        source = sources.get(name)
        if source is None:
            table.set_source(row, name, written)
        else:
            source[row] = written


def _log_refused(store: Store, write: Write, kind: str, name: str, text: str, reason: str) -> None:
    store.log(
        write.surface,
        reason,
        account_id=write.account_id,
        user_id=write.user_id,
        object=kind,
        attribute=name,
        value=text[:1000],
    )


def _checked(store: Store, kind: str, name: str, text: str) -> str:
    """Check a value of an attribute that has its own rules (System and core attributes).

    Raises:
        InvalidValueError: the value is not taken.
    """
    if name == "ofid":
        return text.lower()
    if name == "sfid" and store.switches.text("sfid_writes") == "ignore":
        msg = "sfid cannot be written"
        raise InvalidValueError(msg)
    policy = store.switches.text("owner_values")
    if kind == "accounts" and name in ROLES and policy != "any":
        staff = store.staff
        if policy == "email" and text in staff.rows_by_key:
            return str(staff.base["display"][staff.rows_by_key[text]])
        if not any(staff.base["display"][row] == text for row in staff.live_rows()):
            msg = "not the name of a Totango user"
            raise InvalidValueError(msg)
    return text


def _record_activity(store: Store, write: Write, user_id: str, activity: str, module: str) -> None:
    """Count usage of a user; its time is the time of arrival (Totango: usage via CSV)."""
    account_id, moment = write.account_id, write.arrival
    become_active(store, store.accounts, account_id, moment, write.surface)
    become_active(store, store.users, (account_id, user_id), moment, write.surface)
    store.database.append("activities", (account_id, user_id, activity, module, moment))
