"""Answers the calls of every surface of Totango and of the sandbox itself: a module a group."""

from typing import Final

from totango_sandbox.endpoints import (
    hub,
    lists,
    metadata,
    scroll,
    search,
    tasks,
    touchpoints,
    tracking,
)
from totango_sandbox.endpoints.control import answer_control
from totango_sandbox.endpoints.hub import refuse_credentials
from totango_sandbox.endpoints.route import Handler, Route

ROUTES: Final[tuple[Route, ...]] = (
    *tracking.ROUTES,
    *search.ROUTES,
    *scroll.ROUTES,
    *metadata.ROUTES,
    *hub.ROUTES,
    *lists.ROUTES,
    *touchpoints.ROUTES,
    *tasks.ROUTES,
)

__all__ = ["ROUTES", "Handler", "Route", "answer_control", "refuse_credentials"]
