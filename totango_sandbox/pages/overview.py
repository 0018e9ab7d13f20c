"""Overviews: how to reach the sandbox, its latest calls, and the writes that it dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints import ROUTES as CALLS
from totango_sandbox.endpoints import Route
from totango_sandbox.pages.rendering import show
from totango_sandbox.storage import count_rows

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service
    from totango_sandbox.storage import Store


_CONTROL: Final = (
    ("GET", "/sandbox/dump?object=accounts", "everything of a kind, a line of JSON a row"),
    ("GET", "/sandbox/stats", "calls, rows, switches and faults in numbers"),
    ("POST", "/sandbox/load", '{"accounts": […], "users": […]}: takes rows as dumped'),
    ("POST", "/sandbox/reset", 'empties all; {"settings": true} also puts the settings back'),
    ("POST", "/sandbox/settle", "makes every accepted write visible now"),
    ("POST", "/sandbox/set", '{"<switch>": "<value>"}; GET shows what differs'),
    ("POST", "/sandbox/chaos", '{"specs": ["429@search:3"]}: replaces the faults'),
)
_MINUTES: Final = 10
_MINUTE: Final = 60_000
_LATEST: Final = 50
# What the limit does not count (Totango: API rate limit).
_UNLIMITED: Final = "tracking"
_PAGE_ROWS: Final = 50


def home(service: Service, request: Request) -> Response:
    """Answer ``/``."""
    store = service.store
    store.settle()
    document = {
        "title": "Overview",
        "url": "http://" + (request.header(b"host") or "127.0.0.1"),
        "token": service.token,
        "service_id": service.service_id,
        "rows": {kind: count for kind, count in count_rows(store).items() if count},
        "delayed_writes": store.delayed,
        "switches": service.switches.changed(),
        "faults": [rule.spec for rule in service.faults.rules],
        "calls": [[route.method, route.path, route.surface] for route in CALLS],
        "control": [list(call) for call in _CONTROL],
    }
    return show(request, "home.html", document)


def latest_calls(service: Service, request: Request) -> Response:
    """Answer ``/pages/calls``."""
    switches, log, now = service.switches, service.calls, dates.now()
    document = {
        "title": "Calls",
        "limit": switches.whole("rate_limit"),
        "window": switches.number("rate_window"),
        "windows": [
            {"used": used, "seconds_left": seconds} for used, seconds in service.limit.usage()
        ],
        "minutes": [
            _minute(now - ago * _MINUTE, counts)
            for ago, counts in enumerate(log.per_minute(_MINUTES, now))
        ],
        "totals": log.totals(),
        "latest": [{**call, "time": dates.time_text(call["time"])} for call in log.latest(_LATEST)],
    }
    return show(request, "calls.html", document)


def _minute(moment: int, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "minute": dates.time_text(moment)[:16],
        "limited": sum(count for surface, count in counts.items() if surface != _UNLIMITED),
        "tracking": counts.get(_UNLIMITED, 0),
        "surfaces": dict(sorted(counts.items())),
    }


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


ROUTES: Final = (
    Route("GET", "", "pages", home),
    Route("GET", "/pages/calls", "pages", latest_calls),
    Route("GET", "/pages/writes", "pages", dropped),
)
