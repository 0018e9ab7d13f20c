"""Finds the route of a call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_sandbox.endpoints import Route


class Router:
    """Finds routes by method and path; a slash at the end of a path makes no difference."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._exact = {
            (route.method, route.path): route for route in routes if "*" not in route.path
        }
        self._patterns = [
            (route, re.compile(re.escape(route.path).replace(r"\*", "([^/]+)")))
            for route in routes
            if "*" in route.path
        ]

    def find(self, method: str, raw_path: str) -> tuple[Route, tuple[str, ...]] | None:
        """Return the route of a path, and the parts of the path that the route leaves open."""
        path = raw_path.rstrip("/")
        route = self._exact.get((method, path))
        if route is not None:
            return route, ()
        for route, pattern in self._patterns:
            match = pattern.fullmatch(path) if method == route.method else None
            if match is not None:
                return route, tuple(map(unquote, match.groups()))
        return None
