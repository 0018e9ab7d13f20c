"""Answers the calls of every surface of Totango, and of the sandbox itself: one module for each."""

from typing import Final

from totango_sandbox.endpoints import events, hub, metadata, scroll, search, tracking
from totango_sandbox.endpoints.control import answer_control, front_page
from totango_sandbox.endpoints.hub import refuse_credentials
from totango_sandbox.endpoints.route import Handler, Route

ROUTES: Final[tuple[Route, ...]] = (
    *tracking.ROUTES,
    *search.ROUTES,
    *scroll.ROUTES,
    *events.ROUTES,
    *metadata.ROUTES,
    *hub.ROUTES,
)

__all__ = ["ROUTES", "Handler", "Route", "answer_control", "front_page", "refuse_credentials"]
