"""Accounts and users: searched, sorted and paged, and one of them with all that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.pages.overview import dropped_writes
from totango_sandbox.pages.rendering import show
from totango_sandbox.search import event_time
from totango_sandbox.storage import account_of, dumped_value, read_stamp

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Store, Table

_PAGE_ROWS: Final = 50
_SHOWN: Final = 100
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of a list: of the table's own, by which it is sorted, or an attribute."""

    name: str
    label: str
    is_attribute: bool = False


_COLUMNS: Final = {
    "accounts": (
        ListColumn("display", "Name"),
        ListColumn("id", "Account id"),
        ListColumn("health", "Health"),
        ListColumn("Status", "Status", is_attribute=True),
        ListColumn("Success Manager", "Success Manager", is_attribute=True),
        ListColumn("last_activity_time", "Last activity"),
    ),
    "users": (
        ListColumn("display", "Name"),
        ListColumn("id", "User id"),
        ListColumn("account_id", "Account id"),
        ListColumn("last_activity_time", "Last activity"),
    ),
}
# Columns of every row that one row's page shows before its attributes.
_OWN: Final = (
    "name",
    "parent_id",
    "product_id",
    "health",
    "first_activity_time",
    "last_activity_time",
)


def accounts(service: Service, request: Request) -> Response:
    """Answer ``/pages/accounts``."""
    return show(request, "list.html", _list(service, request, service.store.accounts))


def users(service: Service, request: Request) -> Response:
    """Answer ``/pages/users``."""
    return show(request, "list.html", _list(service, request, service.store.users))


def account(service: Service, request: Request) -> Response:
    """Answer ``/pages/accounts/{id}``."""
    store = service.store
    store.settle()
    (account_id,) = request.path_values
    row = _row(store.accounts, account_id)
    base = store.users.base
    people = store.users_of(row)
    events = [event for event in store.events.values() if account_of(event) == account_id]
    document = {
        "title": f"Account {store.accounts.base['display'][row]}",
        "id": account_id,
        "values": _values(store, store.accounts, row),
        "users_total": len(people),
        "users": [
            {
                "id": base["id"][user],
                "name": base["display"][user],
                "last_activity": _time(base["last_activity_time"][user]),
            }
            for user in people[:_SHOWN]
        ],
        "activities": _activities(store, account_id),
        "events_total": len(events),
        "events": [
            {**event, "time": _time(event.get("timestamp"))}
            for event in sorted(events, key=event_time, reverse=True)[:_SHOWN]
        ],
        "dropped": dropped_writes(store, _SHOWN, account_id=account_id),
    }
    return show(request, "account.html", document)


def user(service: Service, request: Request) -> Response:
    """Answer ``/pages/accounts/{account}/users/{user}``."""
    store = service.store
    store.settle()
    account_id, user_id = request.path_values
    row = _row(store.users, (account_id, user_id))
    document = {
        "title": f"User {store.users.base['display'][row]}",
        "id": user_id,
        "account_id": account_id,
        "values": _values(store, store.users, row),
        "activities": _activities(store, account_id, user_id),
    }
    return show(request, "user.html", document)


def _row(table: Table, key: Any) -> int:
    row = table.rows_by_key.get(key)
    if row is None:
        msg = f"There is no such row among the {table.kind}."
        raise ApiError(msg, _NOT_FOUND)
    return row


def _list(service: Service, request: Request, table: Table) -> dict[str, Any]:
    service.store.settle()
    columns = _COLUMNS[table.kind]
    query = request.query()
    sortable = [column.name for column in columns if not column.is_attribute]
    sort = query.get("sort", "display")
    sort = sort if sort in sortable else "display"
    is_descending = query.get("order") == "desc"
    text = query.get("q", "").strip()
    rows = _found(table, text, table.ordered(sort, descending=is_descending))
    pages = max(1, -(-len(rows) // _PAGE_ROWS))
    number = query.get("page", "1")
    page = min(max(1, int(number)), pages) if number.isdigit() else 1
    shown = rows[(page - 1) * _PAGE_ROWS : page * _PAGE_ROWS]
    return {
        "title": table.kind.capitalize(),
        "kind": table.kind,
        "q": text,
        "sort": sort,
        "order": "desc" if is_descending else "asc",
        "page": page,
        "pages": pages,
        "total": len(rows),
        "columns": [
            {"name": column.name, "label": column.label, "is_sortable": column.name in sortable}
            for column in columns
        ],
        "rows": [_listed(table, columns, row) for row in shown],
    }


def _found(table: Table, text: str, rows: list[int]) -> list[int]:
    """Return rows that have a text in their id or name, in upper or lower case."""
    if not text:
        return rows
    wanted, ids, names = text.lower(), table.base["id"], table.base["display"]
    return [row for row in rows if wanted in f"{ids[row]}\n{names[row]}".lower()]


def _listed(table: Table, columns: tuple[ListColumn, ...], row: int) -> dict[str, Any]:
    cells = {}
    for column in columns:
        source = table.attributes if column.is_attribute else table.base
        values = source.get(column.name)
        value = None if values is None else values[row]
        cells[column.name] = _time(value) if column.name.endswith("_time") else value
    account_id = cells.get("account_id", cells["id"])
    return {"cells": cells, "account_id": account_id, "id": cells["id"]}


def _values(store: Store, table: Table, row: int) -> list[dict[str, Any]]:
    """Return everything that a row holds, and what wrote each of it last."""
    definitions = store.definitions.by_object[table.kind]
    values = []
    for name in _OWN:
        if name in table.base and table.base[name][row] is not None:
            value = table.base[name][row]
            shown = _time(value) if name.endswith("_time") else value
            values.append({"name": name, "type": "", "value": shown, **_source(table, row, name)})
    for name, column in table.attributes.items():
        definition = definitions.get(name)
        value = dumped_value(definition, column[row])
        source = _source(table, row, name)
        if value is not None or source["written"] is not None:
            type_name = definition.type if definition else "text"
            values.append({"name": name, "type": type_name, "value": value, **source})
    return values


def _source(table: Table, row: int, name: str) -> dict[str, Any]:
    column = table.sources.get(name)
    surface, moment = read_stamp(0 if column is None else column[row])
    return {"source": surface, "written": _time(moment)}


def _activities(store: Store, account_id: str, user_id: str | None = None) -> list[dict[str, Any]]:
    """Return the latest activities of an account or of one of its users."""
    records = store.database.latest_activities(account_id, user_id, _SHOWN)
    return [
        {"user_id": user, "activity": activity, "module": module, "time": _time(moment)}
        for user, activity, module, moment in records
    ]


def _time(moment: object) -> str | None:
    return dates.time_text(moment) if isinstance(moment, int) else None


ROUTES: Final = (
    Route("GET", "/pages/accounts", "pages", accounts),
    Route("GET", "/pages/users", "pages", users),
    Route("GET", "/pages/accounts/*", "pages", account),
    Route("GET", "/pages/accounts/*/users/*", "pages", user),
)
