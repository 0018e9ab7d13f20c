"""Shows the sandbox in a browser: what it holds, what it dropped, its calls, switches and faults.

Every page is rendered here from one JSON document, which ``?format=json`` gives as it is.
"""

from typing import Final

from totango_sandbox.endpoints import Route
from totango_sandbox.pages import calls, home, rows, settings, writes
from totango_sandbox.pages.rendering import ASSETS, show_error

PAGES: Final[tuple[Route, ...]] = (
    *home.ROUTES,
    *rows.ROUTES,
    *writes.ROUTES,
    *calls.ROUTES,
    *settings.ROUTES,
    *ASSETS,
)

__all__ = ["PAGES", "show_error"]
