"""The audit log: who looked at or changed personal data (Totango: Audit log API)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.bodies import BAD_REQUEST
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import reply

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FIRST_DAY: Final = "2018-05-03"


def handle(service: Service, request: Request) -> Response:
    """Answer ``/api/v2/audit?startDate=…&endDate=…``; the end is not part of it."""
    form, switches = request.form(), service.switches
    start, end = _day(form, "startDate"), _day(form, "endDate")
    last_day = end if switches.text("audit_year") == "strict" else end - 1
    if dates.day_text(start)[:4] != dates.day_text(last_day)[:4]:
        msg = "startDate and endDate have to be in the same calendar year"
        raise ApiError(msg, BAD_REQUEST)
    if dates.day_text(start) < _FIRST_DAY:
        msg = f"startDate is before {_FIRST_DAY}"
        raise ApiError(msg, BAD_REQUEST)
    end = min(end, dates.now() - int(switches.number("audit_visible_after") * 1000))
    rows = [
        row
        for row in service.store.documents.of("audit").values()
        if start <= (dates.parse(str(row.get("timestamp"))) or 0) < end
        and form.get("action") in {None, row.get("action")}
        and form.get("user") in {None, row.get("user")}
        and (form.get("sensitive") != "true" or row.get("sensitive"))
    ]
    if limit := switches.whole("audit_limit"):
        rows = rows[:limit]
    request.rows = len(rows)
    return reply(rows)


def _day(form: dict[str, str], name: str) -> int:
    text = form.get(name, "")
    moment = dates.parse(text) if _DAY.fullmatch(text) else None
    if moment is None:
        msg = f"{name} is not YYYY-MM-DD"
        raise ApiError(msg, BAD_REQUEST)
    return moment


ROUTES: Final = (Route("GET", "/api/v2/audit", "audit", handle),)
