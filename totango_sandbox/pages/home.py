"""The first page: how to reach the sandbox, what it holds, and which calls it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_sandbox.endpoints import ROUTES as CALLS
from totango_sandbox.endpoints import Route
from totango_sandbox.pages.rendering import show
from totango_sandbox.storage import count_rows

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service

_CONTROL: Final = (
    ("GET", "/sandbox/dump?object=accounts", "everything of a kind, a line of JSON a row"),
    ("GET", "/sandbox/stats", "calls, rows, switches and faults in numbers"),
    ("POST", "/sandbox/load", '{"accounts": […], "users": […]}: takes rows as dumped'),
    ("POST", "/sandbox/reset", 'empties all; {"settings": true} also puts the settings back'),
    ("POST", "/sandbox/settle", "makes every accepted write visible now"),
    ("POST", "/sandbox/set", '{"<switch>": "<value>"}; GET shows what differs'),
    ("POST", "/sandbox/chaos", '{"specs": ["429@search:3"]}: replaces the faults'),
)


def overview(service: Service, request: Request) -> Response:
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


ROUTES: Final = (Route("GET", "", "pages", overview),)
