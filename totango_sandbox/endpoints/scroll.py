"""The undocumented scroll endpoint: a snapshot of accounts in steps, attributes by name."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import Request, Response, reply
from totango_sandbox.search import read_query
from totango_sandbox.storage import STATUS_GROUPS, UNKNOWN_STATUS, attribute_values, made_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_sandbox.service import Service

_SCROLLS_KEPT: Final = 20


@dataclass(slots=True)
class Scroll:
    """One open scroll: what it found when it was opened, and how far it was read."""

    found: Sequence[int]
    position: int = 0
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)


def handle(service: Service, request: Request) -> Response:
    """Open a scroll, or read its next step."""
    if not service.switches.on("scroll"):
        msg = "not found"
        raise ApiError(msg, 404)
    service.store.settle()
    query = read_query(request, service.switches)
    if query.scroll_id is None:
        key = secrets.token_hex(8)
        scroll = Scroll(list(service.searcher.matching(service.store.accounts, query)))
        while len(service.scrolls) >= _SCROLLS_KEPT:
            del service.scrolls[next(iter(service.scrolls))]
        service.scrolls[key] = scroll
    else:
        key = query.scroll_id.partition(".")[0]
        if key not in service.scrolls:
            msg = "no such scroll_id, or it has expired"
            raise ApiError(msg)
        scroll = service.scrolls[key]
    answer = _step(service, scroll, key, query.scroll_id or "", query.count)
    request.rows = len(answer["accounts"])
    return reply(answer)


def _step(service: Service, scroll: Scroll, key: str, scroll_id: str, count: int) -> dict[str, Any]:
    """Return the next step; a retry gets it again only when switched so."""
    repeats = service.switches.text("scroll_retry") == "repeat"
    if repeats and scroll_id in scroll.answers:
        return scroll.answers[scroll_id]
    start, scroll.position = scroll.position, scroll.position + count
    alive = service.store.accounts.alive
    chosen = [row for row in scroll.found[start : scroll.position] if alive[row]]
    answer: dict[str, Any] = {
        "scroll-id": f"{key}.{scroll.position}",
        "accounts": [_account(service, row) for row in chosen],
    }
    shown = service.searcher.shown_total(len(scroll.found), key)
    if shown is not None:
        answer["total_hits"] = shown
    if repeats:
        scroll.answers[scroll_id] = answer
    return answer


def _account(service: Service, row: int) -> dict[str, Any]:
    table = service.store.accounts
    base = table.base
    attributes = attribute_values(service.store, table, row)
    status = attributes.get("Status")
    score = made_up(base["id"][row], "score") % 101
    return {
        "id": base["id"][row],
        "display_name": base["display"][row],
        "status": status,
        "status_group": STATUS_GROUPS.get(str(status), UNKNOWN_STATUS),
        "health": {"curr": base["health"][row]},
        "last_activity_time": base["last_activity_time"][row],
        "attributes": {name: {"val": value} for name, value in attributes.items()},
        "metrics": {"score": {"display_name": "Engagement", "curr": score, "prev": score}},
        "named_aggregations": {},
    }


ROUTES: Final = (
    Route("POST", "/api/v2/accounts/scan_and_scroll_search_accounts", "scroll", handle),
)
