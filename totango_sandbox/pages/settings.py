"""Switches and faults, to look at and to flip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from totango_sandbox import faults
from totango_sandbox.endpoints import Route
from totango_sandbox.errors import ApiError, SandboxError
from totango_sandbox.http import HTML, Response
from totango_sandbox.pages.rendering import show
from totango_sandbox.switches import SWITCH_GROUPS, SWITCHES, Switch, parse_assignment

if TYPE_CHECKING:
    from totango_sandbox.http import Request
    from totango_sandbox.service import Service

_PATH: Final = "/pages/settings"
_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_SEE_OTHER: Final = 303


def overview(service: Service, request: Request) -> Response:
    """Answer ``/pages/settings``."""
    return show(request, "settings.html", _document(service, request.query().get("saved", "")))


def set_switches(service: Service, request: Request) -> Response:
    """Set the switches of the form, and those for filters and fields."""
    _check_origin(request)
    form = request.form()
    wanted = {name: form[name] for name in (switch.name for switch in SWITCHES) if name in form}
    try:
        wanted.update(parse_assignment(line) for line in _lines(form.get("open_ended", "")))
        service.switches.set_all(wanted)
    except SandboxError as error:
        document = _document(service, error=str(error), form=form)
        return show(request, "settings.html", document, _BAD_REQUEST)
    return _see(_PATH + "?saved=switches")


def set_faults(service: Service, request: Request) -> Response:
    """Put the rules of the form in the place of those in force."""
    _check_origin(request)
    form = request.form()
    try:
        service.faults.replace(_lines(form.get("faults", "")))
    except SandboxError as error:
        document = _document(service, error=str(error), form=form)
        return show(request, "settings.html", document, _BAD_REQUEST)
    return _see(_PATH + "?saved=faults")


def restore(service: Service, request: Request) -> Response:
    """Put switches and faults back to how the sandbox was started."""
    _check_origin(request)
    service.switches.restore()
    service.faults.restore()
    return _see(_PATH + "?saved=restored")


def _document(
    service: Service, saved: str = "", error: str = "", form: dict[str, str] | None = None
) -> dict[str, Any]:
    switches, form = service.switches, form or {}
    values = switches.values()
    known = {switch.name for switch in SWITCHES}
    rules = [rule.spec for rule in service.faults.rules]
    open_ended = [f"{name}={value}" for name, value in values.items() if name not in known]
    return {
        "title": "Settings",
        "saved": saved,
        "error": error,
        "groups": {
            title: [_shown(switch, form.get(switch.name, values[switch.name])) for switch in group]
            for title, group in SWITCH_GROUPS.items()
        },
        "open_ended": form.get("open_ended", "\n".join(open_ended)),
        "faults": form.get("faults", "\n".join(rules)),
        "struck": [
            {"spec": rule.spec, "seen": rule.seen, "struck": rule.struck}
            for rule in service.faults.rules
        ],
        "faults_help": (faults.__doc__ or "").strip(),
    }


def _shown(switch: Switch, value: str) -> dict[str, Any]:
    return {
        "name": switch.name,
        "value": value,
        "default": switch.default,
        "choices": list(switch.choices),
        "takes": switch.shown,
        "meaning": switch.meaning,
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _check_origin(request: Request) -> None:
    """Refuse forms of other sites: a browser sends them to loopback as well.

    Raises:
        ApiError: the form comes from elsewhere.
    """
    origin = request.header(b"origin")
    if origin and urlsplit(origin).netloc != request.header(b"host"):
        msg = "This form comes from another site."
        raise ApiError(msg, _FORBIDDEN)


def _see(path: str) -> Response:
    return Response(_SEE_OTHER, b"", [HTML, (b"location", path.encode())])


ROUTES: Final = (
    Route("GET", _PATH, "pages", overview),
    Route("POST", "/pages/settings/switches", "pages", set_switches),
    Route("POST", "/pages/settings/faults", "pages", set_faults),
    Route("POST", "/pages/settings/restore", "pages", restore),
)
