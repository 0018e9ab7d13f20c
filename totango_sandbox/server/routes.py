"""Finds the route of a call."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from totango_sandbox.endpoints import ROUTES, Route

_EXACT: Final = {(route.method, route.path): route for route in ROUTES if "*" not in route.path}
_PATTERNS: Final = tuple(
    (route, re.compile(re.escape(route.path).replace(r"\*", "([^/]+)")))
    for route in ROUTES
    if "*" in route.path
)


def find_route(method: str, raw_path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a path and the parts of the path that it leaves open.

    A slash at the end makes no difference.
    """
    path = raw_path.rstrip("/")
    route = _EXACT.get((method, path))
    if route is not None:
        return route, ()
    for route, pattern in _PATTERNS:
        match = pattern.fullmatch(path) if method == route.method else None
        if match is not None:
            return route, tuple(map(unquote, match.groups()))
    return None
