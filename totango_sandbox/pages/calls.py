"""Calls a minute against the limit, and the latest calls one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints import Route
from totango_sandbox.pages.rendering import show

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service

_MINUTES: Final = 10
_MINUTE: Final = 60_000
_LATEST: Final = 50
# What the limit does not count (Totango: API rate limit).
_UNLIMITED: Final = "tracking"


def overview(service: Service, request: Request) -> Response:
    """Answer ``/pages/calls``."""
    switches, calls, now = service.switches, service.calls, dates.now()
    document = {
        "title": "Calls",
        "limit": switches.whole("rate_limit"),
        "window": switches.number("rate_window"),
        "windows": [
            {"used": used, "seconds_left": seconds} for used, seconds in service.limit.usage()
        ],
        "minutes": [
            _minute(now - ago * _MINUTE, counts)
            for ago, counts in enumerate(calls.per_minute(_MINUTES, now))
        ],
        "totals": calls.totals(),
        "latest": [
            {**call, "time": dates.time_text(call["time"])} for call in calls.latest(_LATEST)
        ],
    }
    return show(request, "calls.html", document)


def _minute(moment: int, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "minute": dates.time_text(moment)[:16],
        "limited": sum(count for surface, count in counts.items() if surface != _UNLIMITED),
        "tracking": counts.get(_UNLIMITED, 0),
        "surfaces": dict(sorted(counts.items())),
    }


ROUTES: Final = (Route("GET", "/pages/calls", "pages", overview),)
