"""Accounts and users that come, go, get another name, become active or are edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.limits import ACCOUNT_NAME_MAX
from totango_sandbox.storage import MOVEMENT, become_active, stamp

if TYPE_CHECKING:
    import random

    from totango_sandbox.storage import Store, Table

Move = dict[str, Any]
_CREATED: Final = "Create Date"
_PAST_DAYS: Final = 2_000
_SORTS_FIRST: Final = " "


class RowMover:
    """Moves rows of one table.

    New rows take after a living row chosen by chance: its attributes, a name that sorts near its
    own, and a date wherever it has one. A table whose rows have no dates gets none.
    """

    def __init__(self, store: Store, table: Table, dice: random.Random, clock: dates.Clock) -> None:
        self._store = store
        self._table = table
        self._dice = dice
        self._serial = 0
        self._clock = clock

    def move(self, kind: str, *, first: bool) -> list[Move]:
        """Make one move and return the journal's entries of it."""
        if kind == "in":
            return self._come(0, first=first)
        if kind == "backdated":
            return self._come(self._dice.randrange(1, _PAST_DAYS) * dates.DAY, first=first)
        if not len(self._table):
            return []
        if kind == "out":
            return self._go(first=first)
        if kind == "replaced":
            return self._go(first=first) + self._come(0, first=first)
        changes = {"renamed": self._rename, "active": self._become_active, "edited": self._edit}
        return changes[kind](self._living_row())

    def _come(self, age: int, *, first: bool) -> list[Move]:
        model = self._living_row() if len(self._table) else None
        key = self._new_key()
        row = self._add(key)
        self._name(row, self._new_name(None if first else model))
        moment = self._clock.now()
        if model is not None:
            self._take_after(row, model, moment - age, moment)
        self._changed(key)
        return [self._entry("in", key, moment)]

    def _go(self, *, first: bool) -> list[Move]:
        row = self._table.ordered("display")[0] if first else self._living_row()
        moment, store, key = self._clock.now(), self._store, self._key(row)
        if self._table is store.users:
            store.delete_user(*key)
            return [self._entry("out", key, moment)]
        owned = [
            {**_entry("users", "out", moment), "account_id": key, "user_id": identifier}
            for identifier in map(store.users.base["id"].__getitem__, store.users_of(row))
        ]
        store.delete_account(key)
        return [self._entry("out", key, moment), *owned]

    def _rename(self, row: int) -> list[Move]:
        before = self._table.base["display"][row]
        name = self._new_name(self._living_row())
        self._name(row, name)
        self._changed(self._key(row))
        entry = self._entry("renamed", self._key(row), self._clock.now())
        return [{**entry, "before": before, "after": name}]

    def _become_active(self, row: int) -> list[Move]:
        moment = self._clock.now()
        before = self._table.base["last_activity_time"][row]
        become_active(self._store, self._table, self._key(row), moment)
        entry = self._entry("active", self._key(row), moment)
        return [{**entry, "before": before, "after": moment}]

    def _edit(self, row: int) -> list[Move]:
        """Give a row a value that another row has; its dates stay."""
        other = self._living_row()
        names = [name for name in self._table.attributes if name != _CREATED]
        if not names:
            return []
        name = self._dice.choice(names)
        column = self._table.attributes[name]
        before, column[row] = column[row], column[other]
        self._table.set_source(row, name, stamp(MOVEMENT, self._clock.now()))
        self._changed(self._key(row))
        entry = self._entry("edited", self._key(row), self._clock.now())
        return [{**entry, "attribute": name, "before": before, "after": column[row]}]

    def _take_after(self, row: int, model: int, created: int, now: int) -> None:
        table = self._table
        written = stamp(MOVEMENT, now)
        for name, column in table.attributes.items():
            column[row] = column[model]
            table.set_source(row, name, written)
        if table.attributes.get(_CREATED, {model: None})[model] is not None:
            table.attributes[_CREATED][row] = created
        for name, moment in (("first_activity_time", created), ("last_activity_time", now)):
            if table.base[name][model] is not None:
                table.set_base(row, name, moment)
        for name in ("health", "health_prev", "health_change"):
            if name in table.base:
                table.base[name][row] = table.base[name][model]

    def _add(self, key: Any) -> int:
        if self._table is self._store.users:
            return self._store.user_row(*key)
        return self._store.account_row(key)

    def _name(self, row: int, name: str) -> None:
        self._store.name_row(self._table, row, name)
        self._table.set_source(row, "name", stamp(MOVEMENT, self._clock.now()))

    def _changed(self, key: Any) -> None:
        self._table.touch()
        self._store.database.mark(self._table.kind, key)

    def _new_key(self) -> Any:
        """Return a key that no row has: the dice spread it over the order of ids."""
        store = self._store
        owner = ""
        if self._table is store.users and len(store.accounts):
            owner = store.accounts.base["id"][_living_row(store.accounts, self._dice)]
        while True:
            self._serial += 1
            name = f"{self._dice.getrandbits(32):08x}-{self._serial}"
            key = name if self._table is store.accounts else (owner or name, f"{name}@mail.example")
            if key not in self._table.rows_by_key:
                return key

    def _new_name(self, model: int | None) -> str:
        """Return a name that sorts near that of the model, without one before all others."""
        self._serial += 1
        if model is None:
            return f"{_SORTS_FIRST}{self._serial:09}"
        near = self._table.base["display"][model][: ACCOUNT_NAME_MAX // 2]
        return f"{near} {self._serial}"

    def _living_row(self) -> int:
        return _living_row(self._table, self._dice)

    def _key(self, row: int) -> Any:
        base = self._table.base
        if self._table is self._store.users:
            return base["account_id"][row], base["id"][row]
        return base["id"][row]

    def _entry(self, move: str, key: Any, moment: int) -> Move:
        if self._table is self._store.accounts:
            return {**_entry("accounts", move, moment), "account_id": key}
        return {**_entry("users", move, moment), "account_id": key[0], "user_id": key[1]}


def _entry(kind: str, move: str, moment: int) -> Move:
    return {"object": kind, "move": move, "time": moment}


def _living_row(table: Table, dice: random.Random) -> int:
    """Return a row chosen by chance from a table that has some."""
    while True:
        row = dice.randrange(table.size)
        if table.alive[row]:
            return row
