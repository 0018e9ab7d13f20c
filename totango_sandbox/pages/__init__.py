"""Shows the sandbox in a browser: what it holds, what it dropped, its calls, switches and faults.

Every page is rendered here from one JSON document, which ``?format=json`` gives as it is.
"""

from typing import Final

from totango_sandbox.endpoints import Route
from totango_sandbox.pages import overview, rows, settings
from totango_sandbox.pages.rendering import ASSETS, show_error

PAGES: Final[tuple[Route, ...]] = (
    *overview.ROUTES,
    *rows.ROUTES,
    *settings.ROUTES,
    *ASSETS,
)

__all__ = ["PAGES", "show_error"]
