"""Searches for accounts and users: one page of rows and how many there are in all."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates as moments
from totango_sandbox.search.fields import compile_fields
from totango_sandbox.search.filters import compile_terms
from totango_sandbox.search.paging import page
from totango_sandbox.search.query import Query, read_query
from totango_sandbox.server.envelopes import Failure, success
from totango_sandbox.server.http import Request, Response, reply
from totango_sandbox.storage import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_sandbox.server.service import Service
    from totango_sandbox.storage.table import Table

_ANSWERS_KEPT: Final = 32
_ONLINE: Final = 5 * 60 * 1000
_TEAMS: Final = 3


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/accounts`` or ``/users``."""
    started = time.perf_counter()
    service.store.settle()
    table = service.store.tables[request.surface]
    query = read_query(request, service.switches)
    if "shift" in request.twists or "shift-delete" in request.twists:
        _shift(service, table, request)
    total, chosen = _find(service, table, query, request.twists)
    request.rows = len(chosen)
    answer = _user_hits if table is service.store.users else _account_hits
    hits = answer(service, query, chosen)
    body: dict[str, Any] = {"hits": hits, "stats": {}}
    shown = total_hits(service, total)
    if shown is not None:
        body["total_hits"] = shown
    took = int((time.perf_counter() - started) * 1000)
    return reply(success(service, "search", took, {table.kind: body}))


def total_hits(service: Service, total: int) -> int | None:
    """What total_hits says, as switched; None leaves it out."""
    mode = service.switches.text("total_hits")
    if mode == "missing":
        return None
    return total + int(mode.partition(":")[2] or 0)


def matching(service: Service, table: Table, query: Query) -> Sequence[int]:
    """All rows that a query selects, sorted, remembered until something changes."""
    store = service.store
    key = json.dumps([table.kind, query.terms, query.sort_by, query.descending])
    key += str(query.sees_all_teams)
    state = (
        store.accounts.version,
        store.users.version,
        service.switches.revision,
        moments.day_start(),
    )
    known = service.answers.get(key)
    if known is not None and known[0] == state:
        return known[1]
    select = compile_terms(store, table, query.terms)
    rows = table.ordered(query.sort_by, descending=query.descending)
    if select is not None:
        rows = _in_order(rows, select(range(table.size)))
    if not query.sees_all_teams:
        ids = table.base["account_id" if table is store.users else "id"]
        rows = [row for row in rows if columns.made_up(ids[row], "team") % _TEAMS]
    while len(service.answers) >= _ANSWERS_KEPT:
        del service.answers[next(iter(service.answers))]
    service.answers[key] = (state, rows)
    return rows


def _in_order(order: Sequence[int], chosen: Sequence[int]) -> list[int]:
    """Chosen rows in the given order; filters run over neighbouring cells, which is faster."""
    mask = bytearray(max(chosen, default=-1) + 1 or 1)
    for row in chosen:
        mask[row] = 1
    last = len(mask)
    return [row for row in order if row < last and mask[row]]


def _find(
    service: Service, table: Table, query: Query, twists: Sequence[str]
) -> tuple[int, list[int]]:
    """The number of rows in all, and those of the page."""
    rows = matching(service, table, query)
    offset, count = query.offset, query.count
    if offset + count > service.switches.whole("window_rows"):
        # Totango: Search API, "maximum of 10,000 total records"; what happens is not said.
        mode = service.switches.text("beyond_window")
        if mode == "error":
            msg = (
                "Result window is too large, offset + count must be less than or equal to: "
                f"[{service.switches.whole('window_rows')}] but was [{offset + count}]"
            )
            raise Failure(msg)
        if mode == "empty":
            return len(rows), []
    if "duplicate-page" in twists:
        offset = max(0, offset - count)
    if "short-page" in twists:
        count //= 2
    service.requests_served += 1
    nonce = service.requests_served if service.switches.text("ties") == "unstable" else None
    value = table.base[query.sort_by].__getitem__
    return len(rows), page(rows, value, offset, count, nonce)


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
    online_since = moments.now() - _ONLINE
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


def _shift(service: Service, table: Table, request: Request) -> None:
    """Move every offset by one, the way that other people's writes do."""
    store = service.store
    if "shift-delete" in request.twists and len(table):
        first = table.ordered("display")[0]
        if table is store.users:
            store.delete_user(table.base["account_id"][first], table.base["id"][first])
        else:
            account_id = table.base["id"][first]
            table.remove(account_id)
            store.archive.mark("accounts", account_id)
    if "shift" in request.twists:
        number = table.size
        row = store.account_row(f"shift-{number}")
        if table is store.users:
            row = store.user_row(f"shift-{number}", f"shift-{number}")
        store.name_row(table, row, f" shifted in {number:09}")
        table.touch()
