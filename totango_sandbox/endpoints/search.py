"""Searches for accounts and users: one page of rows and how many there are in all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.odd_values import reply_rows, spoil
from totango_sandbox.endpoints.route import Route
from totango_sandbox.http import success
from totango_sandbox.search import compile_fields, read_query

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Table

_ONLINE: Final = 5 * 60 * 1000


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/accounts`` or ``/users``."""
    started = time.perf_counter()
    service.store.settle()
    table = service.store.tables[request.surface]
    query = read_query(request, service.switches)
    for fault, move in (("shift-delete", "out"), ("shift", "in")):
        if fault in request.faults:
            service.movement.move(table.kind, move, first=True)
    total, rows = service.searcher.page(table, query, request.faults)
    request.rows = len(rows)
    hits_of = _user_hits if table is service.store.users else _account_hits
    body: dict[str, Any] = {"hits": hits_of(service, query, rows), "stats": {}}
    shown = service.searcher.total_of(table, query, total)
    if shown is not None:
        body["total_hits"] = shown
    spoil(body["hits"], request)
    took = int((time.perf_counter() - started) * 1000)
    document = success(service.number, "search", took, {table.kind: body})
    return reply_rows(document, request, service.switches)


def _selected(
    service: Service, table: Table, fields: list[dict[str, Any]], rows: list[int]
) -> list[list[Any]]:
    values = [values(rows) for values in compile_fields(service.store, table, fields)]
    return [list(row) for row in zip(*values, strict=True)] if values else [[] for _ in rows]


def _account_hits(service: Service, query: Query, rows: list[int]) -> list[dict[str, Any]]:
    table = service.store.accounts
    base = table.base
    ids, names, last = base["id"], base["display"], base["last_activity_time"]
    return [
        {
            "name": ids[row],
            "display_name": names[row],
            "last_activity_time": last[row],
            "selected_fields": selected,
        }
        for row, selected in zip(rows, _selected(service, table, query.fields, rows), strict=True)
    ]


def _user_hits(service: Service, query: Query, rows: list[int]) -> list[dict[str, Any]]:
    base, accounts = service.store.users.base, service.store.accounts
    own = _selected(service, service.store.users, query.fields, rows)
    parent_rows = [base["account_row"][row] for row in rows]
    parents = _selected(service, accounts, query.parent_fields, parent_rows)
    place = service.switches.text("parent_fields") if query.parent_fields else "none"
    online_since = dates.now() - _ONLINE
    hits = []
    for row, account, selected, parent in zip(rows, parent_rows, own, parents, strict=True):
        last = base["last_activity_time"][row]
        of_account: dict[str, Any] = {
            "name": base["account_id"][row],
            "display_name": accounts.base["display"][account],
        }
        if place == "account":
            of_account["selected_fields"] = parent
        hits.append(
            {
                "name": base["id"][row],
                "display_name": base["display"][row],
                "account": of_account,
                "is_online": last is not None and last >= online_since,
                "first_activity_time": base["first_activity_time"][row],
                "last_activity_time": last,
                "selected_fields": selected + parent if place == "appended" else selected,
            }
        )
    return hits


ROUTES: Final = (
    Route("POST", "/api/v1/search/accounts", "accounts", handle),
    Route("POST", "/api/v1/search/users", "users", handle),
)
