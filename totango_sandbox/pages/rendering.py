"""Renders a page, or the document that it is made of, and serves style and script."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from totango_sandbox.endpoints import Route
from totango_sandbox.http import HTML, Response, reply

if TYPE_CHECKING:
    from jinja2 import Environment

    from totango_sandbox.errors import ApiError
    from totango_sandbox.http import Header, Request
    from totango_sandbox.service import Service

_HOME: Final = Path(__file__).parent
_NAVIGATION: Final = (
    ("/", "Overview"),
    ("/pages/accounts", "Accounts"),
    ("/pages/users", "Users"),
    ("/pages/writes", "Dropped writes"),
    ("/pages/calls", "Calls"),
    ("/pages/settings", "Settings"),
)
# Nothing but our own style and script is loaded, whatever a row holds.
_RULES: Final = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    b"img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_POLICY: Final[Header] = (b"content-security-policy", _RULES)


def show(request: Request, template: str, document: dict[str, Any], status: int = 200) -> Response:
    """Answer with a page, or with its document where ``format=json`` asks for it.

    Args:
        request: the call.
        template: name of the page's template.
        document: everything that the page shows.
        status: of the response.
    """
    query = request.query()
    if query.pop("format", "") == "json":
        return reply(document, status)
    as_json = f"{request.raw_path}?{urlencode({**query, 'format': 'json'})}"
    text = (
        _environment()
        .get_template(template)
        .render(**document, navigation=_NAVIGATION, path=request.path, as_json=as_json)
    )
    return Response(status, text.encode(), [HTML, _POLICY])


def show_error(request: Request, error: ApiError) -> Response:
    """Answer with a page that says what went wrong."""
    document = {"title": "That did not work", "error": str(error)}
    return show(request, "error.html", document, error.status or 400)


@cache
def _environment() -> Environment:
    # Only those who look at pages wait for the import.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_HOME / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["part"] = partial(quote, safe="")
    environment.filters["query"] = urlencode
    return environment


def _asset(_service: Service, _request: Request, name: str, kind: str) -> Response:
    header = (b"content-type", kind.encode())
    return Response(200, (_HOME / "static" / name).read_bytes(), [header, _POLICY])


ASSETS: Final = (
    Route("GET", "/pages/style.css", "pages", partial(_asset, name="style.css", kind="text/css")),
    Route(
        "GET", "/pages/live.js", "pages", partial(_asset, name="live.js", kind="text/javascript")
    ),
)
