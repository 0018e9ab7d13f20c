"""A route: which calls belong to which surface, and who answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from totango_sandbox.http import Request, Response
from totango_sandbox.service import Service

Handler = Callable[[Service, Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of call.

    Attributes:
        method: the HTTP method.
        path: without a slash at its end; ``*`` stands for one part, given to the handler as one
            of the request's ``path_values``.
        surface: the part of Totango that it belongs to, by which faults and the call log know it.
        handler: answers it.
    """

    method: str
    path: str
    surface: str
    handler: Handler
