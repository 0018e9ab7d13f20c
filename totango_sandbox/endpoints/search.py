"""Searches for accounts and users: one page of rows and how many there are in all."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates as moments
from totango_sandbox.endpoints.odd_values import reply_rows, spoil
from totango_sandbox.search.fields import compile_fields
from totango_sandbox.search.filters import compile_terms
from totango_sandbox.search.paging import page
from totango_sandbox.search.query import Query, read_query
from totango_sandbox.server.envelopes import Failure, success
from totango_sandbox.storage import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_sandbox.server.http import Request, Response
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
    for twist, move in (("shift-delete", "out"), ("shift", "in")):
        if twist in request.twists:
            service.movement.move(table.kind, move, first=True)
    total, chosen = _find(service, table, query, request.twists)
    request.rows = len(chosen)
    hits_of = _user_hits if table is service.store.users else _account_hits
    hits = hits_of(service, query, chosen)
    body: dict[str, Any] = {"hits": hits, "stats": {}}
    shown = total_hits(service, total, _query_key(table, query))
    if shown is not None:
        body["total_hits"] = shown
    spoil(hits, request)
    took = int((time.perf_counter() - started) * 1000)
    answer = success(service, "search", took, {table.kind: body})
    return reply_rows(answer, request, service.switches)


def total_hits(service: Service, total: int, query: str = "") -> int | None:
    """What total_hits says, as switched; None leaves it out.

    Args:
        service: what the switches belong to.
        total: the number of rows that the query selects now.
        query: tells one query from another: a stale total is an earlier one of the same query.
    """
    mode, _, number = service.switches.text("total_hits").partition(":")
    if mode == "missing":
        return None
    if mode == "stale":
        earlier = service.totals.setdefault(query, deque(maxlen=int(number) + 1))
        earlier.append(total)
        return int(earlier[service.requests_served % len(earlier)])
    return total + int(number or 0)


def _query_key(table: Table, query: Query) -> str:
    key = [table.kind, query.terms, query.sees_all_teams]
    return json.dumps(key)


def matching(service: Service, table: Table, query: Query) -> Sequence[int]:
    """All rows that a query selects, sorted, remembered until something changes."""
    store = service.store
    key = f"{_query_key(table, query)} {query.sort_by} {query.descending}"
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
    ids = table.base["account_id" if table is store.users else "id"]
    if blocked := store.switches.listed("blocked_accounts"):
        rows = [row for row in rows if ids[row] not in blocked]
    if not query.sees_all_teams:
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
