"""Lists of collection rows, as the user interface can be made to ask for them.

One client was seen to search collections; everything but its path and envelope is made up. The
second call is one that no source shows at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.endpoints.bodies import whole_number
from totango_sandbox.endpoints.route import Route
from totango_sandbox.endpoints.search import reply_page
from totango_sandbox.http import reply
from totango_sandbox.search import read_query, select_fields

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service

Row = dict[str, Any]


def search(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/accounts/collections``."""
    service.store.settle()
    table = service.store.collection_table()
    query = read_query(request, service.switches)
    total, rows = service.searcher.page(table, query, request.faults)
    hits = _hits(service, query, rows)
    shape = service.switches.text("list_shape")
    if shape == "hits":
        shown = service.searcher.total_of(table, query, total)
        return reply_page(service, request, "collections", hits, shown)
    request.rows = len(hits)
    return reply(hits if shape == "top" else {"response": {"collections": hits}})


def list_rows(service: Service, request: Request) -> Response:
    """Answer ``/api/v3/collections/{type}/rows``, in pages where ``count`` is given."""
    service.store.settle()
    wanted, form = request.path_values[0], request.form()
    rows: list[Row] = [
        {**row, **row.get("attributes", {})}
        for row in service.store.documents.of("collections").values()
        if row["collection_type"] == wanted
    ]
    for row in rows:
        row.pop("attributes", None)
    if "count" in form:
        request.offset = whole_number(form.get("offset", "0"), "offset")
        request.count = whole_number(form["count"], "count")
        rows = _page(service, request, rows)
    request.rows = len(rows)
    return reply(rows if service.switches.text("list_shape") == "top" else {wanted: rows})


def _page(service: Service, request: Request, rows: list[Row]) -> list[Row]:
    counts = service.switches.text("list_offset")
    offset, count = request.offset or 0, request.count or 0
    if counts != "rows":
        offset = offset * count if counts == "pages" else 0
    if "duplicate-page" in request.faults:
        offset = max(0, offset - count)
    return rows[offset : offset + (count // 2 if "short-page" in request.faults else count)]


def _hits(service: Service, query: Query, rows: list[int]) -> list[Row]:
    store = service.store
    table, accounts = store.collection_table(), store.accounts
    base = table.base
    own = select_fields(store, table, query.fields, rows)
    hits = []
    for row, selected in zip(rows, own, strict=True):
        account: Row = {"service_id": service.number, "name": base["account_id"][row]}
        parent = base["account_row"][row]
        if parent is not None:
            account["display_name"] = accounts.base["display"][parent]
            if query.parent_fields:
                (fields,) = select_fields(store, accounts, query.parent_fields, [parent])
                account["selected_fields"] = fields
        hits.append({"id": base["id"][row], "account": account, "selected_fields": selected})
    return hits


ROUTES: Final = (
    Route("POST", "/api/v1/search/accounts/collections", "collections", search),
    Route("GET", "/api/v3/collections/*/rows", "collections", list_rows),
)
