"""Rows as JSON objects: what dump shows, what load takes, and what the file keeps."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.errors import LoadError
from totango_sandbox.storage.attributes import Definition, dumped_value, loaded_value
from totango_sandbox.storage.database import Database
from totango_sandbox.storage.documents import KEYS
from totango_sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from totango_sandbox.storage.table import Column, Table
    from totango_sandbox.switches import Switches

_TIMES: Final = ("first_activity_time", "last_activity_time")


@dataclass(frozen=True)
class _Shape:
    """How the rows of a table are written as JSON objects.

    Attributes:
        ids: What the parts of the key are called, each with its column.
        name: What the name is called.
        plain: Columns with the same name in both.
        place: Returns the row with a key, which is made if it is not there.
    """

    ids: Mapping[str, str]
    name: str
    plain: tuple[str, ...]
    place: Callable[..., int]


_SHAPES: Final = {
    "accounts": _Shape(
        {"account_id": "id"},
        "account_name",
        ("parent_id", "product_id", *_TIMES, "health", "health_prev", "health_change"),
        Store.account_row,
    ),
    "users": _Shape(
        {"account_id": "account_id", "user_id": "id"}, "user_name", _TIMES, Store.user_row
    ),
    "staff": _Shape({"staff_id": "id"}, "staff_name", _TIMES, Store.staff_row),
}
KINDS: Final = ("attributes", *_SHAPES, "events", *KEYS)

# Short texts repeat from row to row; one copy of each is enough.
_INTERN_MAX: Final = 24


def load(store: Store, document: dict[str, Any]) -> dict[str, int]:
    """Insert or update rows exactly as given, nulls included.

    Args:
        store: where to.
        document: any of ``KINDS``, each a list of rows in the shape of the dump.

    Returns:
        How many rows of each were taken.

    Raises:
        LoadError: a row has no key or a wrong type; rows before it stay.
    """
    loaders: dict[str, Callable[[Store, list[dict[str, Any]]], None]] = {
        "attributes": _load_definitions,
        **{kind: partial(_load_table, kind) for kind in _SHAPES},
        "events": _load_events,
        **{kind: partial(_load_documents, kind) for kind in KEYS},
    }
    unknown = set(document) - set(loaders)
    if unknown:
        msg = f"{min(unknown)!r} cannot be loaded; {', '.join(loaders)} can"
        raise LoadError(msg)
    counts = {}
    for kind, loader in loaders.items():
        rows = document.get(kind) or []
        try:
            loader(store, rows)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            msg = f"a row of {kind} is not usable: {error!r}"
            raise LoadError(msg) from error
        counts[kind] = len(rows)
    return counts


def _load_definitions(store: Store, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        definition = store.definitions.define(row)
        store.database.mark("attributes", (definition.object, definition.key_name))


def _load_table(kind: str, store: Store, rows: list[dict[str, Any]]) -> None:
    shape, table = _SHAPES[kind], store.tables[kind]
    table.reserve(len(rows))
    cells = _Cells(store, table)
    for row in rows:
        key = tuple(str(row[name]) for name in shape.ids)
        position = shape.place(store, *key)
        if shape.name in row:
            store.name_row(table, position, _text(row[shape.name]))
        for name in shape.plain:
            if name in row:
                table.set_base(position, name, row[name])
        cells.fill(position, row.get("attributes"))
        store.database.mark(kind, key if len(key) > 1 else key[0])
    table.touch()


def _load_events(store: Store, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        store.events.put(row)


def _load_documents(kind: str, store: Store, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        store.documents.put(kind, row)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class _Cells:
    """Writes loaded attribute values, defining attributes as they turn up."""

    def __init__(self, store: Store, table: Table) -> None:
        self._store = store
        self._table = table
        self._columns: dict[str, tuple[Column, Definition]] = {}

    def fill(self, row: int, attributes: dict[str, Any] | None) -> None:
        """Write the attributes of one row."""
        if not attributes:
            return
        columns, sources, intern = self._columns, self._table.sources, sys.intern
        for name, value in attributes.items():
            known = columns.get(name)
            if known is None:
                known = self._open(name, value)
            column, definition = known
            if name in sources:
                sources[name][row] = 0
            if type(value) is str and definition.type != "date":
                column[row] = intern(value) if len(value) <= _INTERN_MAX else value
            else:
                column[row] = loaded_value(definition, value)

    def _open(self, name: str, value: object) -> tuple[Column, Definition]:
        column = self._table.attribute_column(name)
        definitions = self._store.definitions
        definition = definitions.by_object[self._table.kind].get(name)
        if definition is None:
            definition = Definition(name, _type_of(value), self._table.kind)
            if value is None:
                return column, definition  # too early to tell: the next row decides
            definitions.define(definition.as_row())
            self._store.database.mark("attributes", (self._table.kind, name))
        self._columns[name] = (column, definition)
        return column, definition


def _type_of(value: object) -> str:
    if isinstance(value, list):
        return "multi_list"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else "text"


def _dumped(store: Store, kind: str, row: int) -> dict[str, Any]:
    """Return one row of a table as a JSON object."""
    shape, table = _SHAPES[kind], store.tables[kind]
    return {
        **{name: table.base[column][row] for name, column in shape.ids.items()},
        shape.name: table.base["name"][row],
        **{name: table.base[name][row] for name in shape.plain},
        "attributes": attribute_values(store, table, row),
    }


def attribute_values(store: Store, table: Table, row: int) -> dict[str, Any]:
    """Return the attributes of one row that have a value."""
    definitions = store.definitions.by_object[table.kind]
    return {
        name: dumped_value(definitions.get(name), column[row])
        for name, column in table.attributes.items()
        if column[row] is not None
    }


def all_rows(store: Store, kind: str) -> Iterator[dict[str, Any]]:
    """Return every row of one kind, oldest first."""
    if kind in _SHAPES:
        rows = list(store.tables[kind].live_rows())
        yield from (_dumped(store, kind, row) for row in rows)
    elif kind == "attributes":
        yield from store.definitions.rows()
    elif kind == "events":
        yield from list(store.events.values())
    else:
        yield from list(store.documents.of(kind).values())


def count_rows(store: Store) -> dict[str, int]:
    """Return how many rows there are of each kind."""
    return {
        **{kind: len(table) for kind, table in store.tables.items()},
        "attributes": len(store.definitions.rows()),
        "events": len(store.events),
        **{kind: len(store.documents.of(kind)) for kind in KEYS},
    }


def snapshot(store: Store, kind: str, key: Any) -> tuple[str, dict[str, Any] | None]:
    """Return the key as text and the present row, or None when it is gone."""
    text = key if isinstance(key, str) else "\n".join(key)
    if kind in _SHAPES:
        row = store.tables[kind].rows_by_key.get(key)
        return text, None if row is None else _dumped(store, kind, row)
    if kind == "attributes":
        definition = store.definitions.by_object[key[0]].get(key[1])
        return text, None if definition is None else definition.as_row()
    if kind == "events":
        return text, store.events.get(key)
    return text, store.documents.of(kind).get(key)


def open_store(path: str | None, switches: Switches) -> Store:
    """Open a store over a new or an existing SQLite file, or over memory without a path."""
    database = Database(path)
    store = Store(database, switches)
    database.snapshot = partial(snapshot, store)
    if database.keeps_rows:
        database.keeps_rows = False  # what comes out of the file need not go back into it
        load(store, {kind: list(database.rows(kind)) for kind in KINDS})
        database.keeps_rows = True
    return store
