"""Searches for the people who work in Totango: an envelope as for users, no accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.endpoints.pages import reply_page
from totango_sandbox.endpoints.route import Route
from totango_sandbox.search import read_query, select_fields

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/users/internal``."""
    table = service.store.staff
    query = read_query(request, service.switches)
    total, rows = service.searcher.page(table, query, request.faults)
    base = table.base
    columns = select_fields(service.store, table, query.fields, rows)
    hits: list[dict[str, Any]] = [
        {
            "name": base["id"][row],
            "display_name": base["display"][row],
            "first_activity_time": base["first_activity_time"][row],
            "last_activity_time": base["last_activity_time"][row],
            "selected_fields": selected,
        }
        for row, selected in zip(rows, columns, strict=True)
    ]
    shown = service.searcher.total_of(table, query, total)
    return reply_page(service, request, "users", hits, shown)


ROUTES: Final = (Route("POST", "/api/v1/search/users/internal", "staff", handle),)
