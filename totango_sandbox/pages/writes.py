"""Writes that were dropped, and why: what Totango swallows without a word to the sender."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints import Route
from totango_sandbox.pages.rendering import show

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Store

_PAGE_ROWS: Final = 50


def dropped(service: Service, request: Request) -> Response:
    """Answer ``/pages/writes``."""
    store = service.store
    store.settle()
    total = store.database.count("log")
    pages = max(1, -(-total // _PAGE_ROWS))
    number = request.query().get("page", "1")
    page = min(max(1, int(number)), pages) if number.isdigit() else 1
    document = {
        "title": "Dropped writes",
        "total": total,
        "page": page,
        "pages": pages,
        "dropped": dropped_writes(store, _PAGE_ROWS, (page - 1) * _PAGE_ROWS),
    }
    return show(request, "writes.html", document)


def dropped_writes(
    store: Store, limit: int, offset: int = 0, account_id: str | None = None
) -> list[dict[str, Any]]:
    """Return what was dropped, newest first: of all, or of one account."""
    found = store.database.latest_log(limit, offset, account_id)
    return [
        {
            "time": dates.time_text(moment),
            "surface": surface,
            "reason": reason,
            "detail": {name: value for name, value in detail.items() if value is not None},
        }
        for moment, surface, reason, detail in found
    ]


ROUTES: Final = (Route("GET", "/pages/writes", "pages", dropped),)
