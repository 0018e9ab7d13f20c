"""Searches for accounts and users: one page of rows and how many there are in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.pages import reply_page
from totango_sandbox.endpoints.route import Route
from totango_sandbox.search import read_query, select_fields

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service

_ONLINE: Final = 5 * 60 * 1000


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/accounts`` or ``/users``."""
    service.store.settle()
    table = service.store.tables[request.surface]
    query = read_query(request, service.switches)
    for fault, move in (("shift-delete", "out"), ("shift", "in")):
        if fault in request.faults:
            service.movement.move(table.kind, move, first=True)
    total, rows = service.searcher.page(table, query, request.faults)
    hits_of = _user_hits if table is service.store.users else _account_hits
    hits = hits_of(service, query, rows)
    shown = service.searcher.total_of(table, query, total)
    return reply_page(service, request, table.kind, hits, shown, stats={})


def _account_hits(service: Service, query: Query, rows: list[int]) -> list[dict[str, Any]]:
    table = service.store.accounts
    base = table.base
    ids, names, last = base["id"], base["display"], base["last_activity_time"]
    columns = select_fields(service.store, table, query.fields, rows)
    return [
        {
            "name": ids[row],
            "display_name": names[row],
            "last_activity_time": last[row],
            "selected_fields": selected,
        }
        for row, selected in zip(rows, columns, strict=True)
    ]


def _user_hits(service: Service, query: Query, rows: list[int]) -> list[dict[str, Any]]:
    base, accounts = service.store.users.base, service.store.accounts
    own = select_fields(service.store, service.store.users, query.fields, rows)
    parent_rows = [base["account_row"][row] for row in rows]
    parents = select_fields(service.store, accounts, query.parent_fields, parent_rows)
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
