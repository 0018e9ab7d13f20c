"""Which path belongs to which surface, and who handles it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from totango_sandbox.endpoints import events, hub, metadata, scroll, search, tracking
from totango_sandbox.server.http import Request, Response
from totango_sandbox.server.service import Service

Handler = Callable[[Service, Request], Response]

_EXACT: Final[dict[tuple[str, str], tuple[str, Handler]]] = {
    ("POST", "/pixel.gif"): ("tracking", tracking.handle),
    ("GET", "/pixel.gif"): ("tracking", tracking.handle),
    ("POST", "/api/v1/search/accounts"): ("accounts", search.handle),
    ("POST", "/api/v1/search/users"): ("users", search.handle),
    ("POST", "/api/v2/accounts/scan_and_scroll_search_accounts"): ("scroll", scroll.handle),
    ("POST", "/api/v2/events/search"): ("events", events.handle),
    ("GET", "/api/v1/attributes.json"): ("attributes", metadata.attributes),
    ("GET", "/domains"): ("domains", metadata.domains),
    ("POST", "/api/v1/accounts"): ("hub", hub.handle),
    ("POST", "/api/v1/users"): ("hub", hub.handle),
    ("POST", "/api/v1/usage"): ("hub", hub.handle),
}
_PATTERNS: Final[tuple[tuple[str, re.Pattern[str], str, Handler], ...]] = (
    ("POST", re.compile(r"/api/v1/collections/[^/]+"), "hub", hub.handle),
    ("GET", re.compile(r"/api/v2/accounts/[^/]+"), "account", metadata.account),
    (
        "DELETE",
        re.compile(r"/api/v2/users/account-user/[^/]+/[^/]+"),
        "delete",
        metadata.delete_user,
    ),
)


def find(method: str, raw_path: str) -> tuple[str, Handler] | None:
    """Surface and handler of a path; a slash at its end makes no difference."""
    path = raw_path.rstrip("/")
    found = _EXACT.get((method, path))
    if found is not None:
        return found
    for wanted, pattern, surface, handler in _PATTERNS:
        if method == wanted and pattern.fullmatch(path):
            return surface, handler
    return None
