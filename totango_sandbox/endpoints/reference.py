"""Reference lists: short lists of settings that other objects name by id."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.endpoints.route import Route
from totango_sandbox.http import reply

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service

Row = dict[str, Any]
# Shown as an object keyed by id (a connector's test fixture); all others as lists.
_KEYED: Final = {"activity_types"}
_CAPITAL: Final = re.compile(r"(?<=[a-z])[A-Z]")


def read(service: Service, request: Request, kind: str) -> Response:
    """Answer with all rows of one list."""
    kept, names = service.store.documents.of(kind), service.switches.text("reference_names")
    request.rows = len(kept)
    rows = {key: _spelt(row, names) for key, row in kept.items()}
    shape = service.switches.text("reference_shape")
    if shape == "documented":
        shape = "object" if kind in _KEYED else "list"
    document: Any = rows if shape == "object" else list(rows.values())
    return reply({kind: document} if shape == "nested" else document)


def _spelt(row: Row, names: str) -> Row:
    if names == "snake":
        return {_CAPITAL.sub(lambda match: "_" + match[0].lower(), key): row[key] for key in row}
    if names == "camel":
        return {re.sub(r"_([a-z])", lambda match: match[1].upper(), key): row[key] for key in row}
    return row


def _route(path: str, kind: str) -> Route:
    return Route("GET", path, kind, partial(read, kind=kind))


ROUTES: Final = (
    _route("/api/v3/touchpoint-types", "touchpoint_types"),
    _route("/api/v3/touchpoint-tags", "touchpoint_tags"),
    _route("/api/v3/activity-types", "activity_types"),
    _route("/api/v3/objective-settings/status", "objective_statuses"),
    _route("/api/v3/objective-settings/category", "objective_categories"),
)
