"""Lists and objects that others name by id, the audit log, and rows of collections."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.bodies import BAD_REQUEST, NOT_FOUND, whole_number
from totango_sandbox.endpoints.route import Route
from totango_sandbox.endpoints.search import reply_page
from totango_sandbox.errors import ApiError
from totango_sandbox.http import reply
from totango_sandbox.search import read_query, select_fields

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.search import Query
    from totango_sandbox.service import Service


Row = dict[str, Any]
# Shown as an object keyed by id (a connector's test fixture); all others as lists.
_KEYED: Final = {"activity_types"}
_CAPITAL: Final = re.compile(r"(?<=[a-z])[A-Z]")
_PLANNED_AT: Final = 1_750_000_000_000
_JOB_KEYS: Final = ("id", "job_configuration", "scheduling", "execution")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FIRST_DAY: Final = "2018-05-03"


def reference_list(service: Service, request: Request, kind: str) -> Response:
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
    return Route("GET", path, kind, partial(reference_list, kind=kind))


def team(service: Service, request: Request) -> Response:
    """``/api/v2/teams/{id}`` (Totango: Teams API)."""
    found = service.store.documents.of("teams").get(request.path_values[0])
    if found is None:
        msg = "Team not found"
        raise ApiError(msg, NOT_FOUND)
    request.rows = 1
    return reply(found)


def plan_summary(service: Service, request: Request) -> Response:
    """``/api/v3/accounts/{id}/plan_summary`` (Totango: Accounts Plan API); empty unless loaded."""
    account_id = request.path_values[0]
    if account_id not in service.store.accounts.rows_by_key:
        msg = "Account not found"
        raise ApiError(msg, NOT_FOUND)
    request.rows = 1
    kept = service.store.documents.of("plans").get(account_id, {})
    updated = dates.time_text(_PLANNED_AT).replace("Z", "+00:00")
    plan = {"plan": "", "updated_by": "", "updated_date": updated, "_version": 1, **kept}
    plan.pop("account_id", None)
    return reply(plan)


def jobs(service: Service, request: Request) -> Response:
    """``/api/v3/integrations/job/?integrationType=…&connectorId=…``: jobs and their last run."""
    form = request.form()
    if not form.get("integrationType") or not form.get("connectorId"):
        msg = "integrationType and connectorId are required"
        raise ApiError(msg, BAD_REQUEST)
    found = [
        {key: job[key] for key in _JOB_KEYS if key in job}
        for job in service.store.documents.of("jobs").values()
        if job.get("connector_id") == form["connectorId"]
        and job.get("integration_type") == form["integrationType"]
    ]
    request.rows = len(found)
    return reply({"recurring": found})


def audit_log(service: Service, request: Request) -> Response:
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


def search_collections(service: Service, request: Request) -> Response:
    """Answer ``/api/v1/search/accounts/collections``."""
    service.store.settle()
    table = service.store.collection_table()
    query = read_query(request, service.switches)
    total, rows = service.searcher.page(table, query, request.faults)
    hits = _collection_hits(service, query, rows)
    shape = service.switches.text("list_shape")
    if shape == "hits":
        shown = service.searcher.total_of(table, query, total)
        return reply_page(service, request, "collections", hits, shown)
    request.rows = len(hits)
    return reply(hits if shape == "top" else {"response": {"collections": hits}})


def collection_rows(service: Service, request: Request) -> Response:
    """Answer ``/api/v3/collections/{type}/rows``, in pages where ``count`` is given: made up."""
    service.store.settle()
    wanted, form = request.path_values[0], request.form()
    rows: list[Row] = [
        {**row, **row.get("attributes", {})}
        for row in service.store.documents.of("collections").values()
        if row["collection_type"] == wanted
    ]
    for row in rows:
        row.pop("attributes", None)
    if "count" in form:
        request.offset = whole_number(form.get("offset", "0"), "offset")
        request.count = whole_number(form["count"], "count")
        rows = _part(service, request, rows)
    request.rows = len(rows)
    return reply(rows if service.switches.text("list_shape") == "top" else {wanted: rows})


def _part(service: Service, request: Request, rows: list[Row]) -> list[Row]:
    counts = service.switches.text("list_offset")
    offset, count = request.offset or 0, request.count or 0
    if counts != "rows":
        offset = offset * count if counts == "pages" else 0
    if "duplicate-page" in request.faults:
        offset = max(0, offset - count)
    return rows[offset : offset + (count // 2 if "short-page" in request.faults else count)]


def _collection_hits(service: Service, query: Query, rows: list[int]) -> list[Row]:
    store = service.store
    table, accounts = store.collection_table(), store.accounts
    base = table.base
    own = select_fields(store, table, query.fields, rows)
    hits = []
    for row, selected in zip(rows, own, strict=True):
        account: Row = {"service_id": service.number, "name": base["account_id"][row]}
        parent = base["account_row"][row]
        if parent is not None:
            account["display_name"] = accounts.base["display"][parent]
            if query.parent_fields:
                (fields,) = select_fields(store, accounts, query.parent_fields, [parent])
                account["selected_fields"] = fields
        hits.append({"id": base["id"][row], "account": account, "selected_fields": selected})
    return hits


ROUTES: Final = (
    _route("/api/v3/touchpoint-types", "touchpoint_types"),
    _route("/api/v3/touchpoint-tags", "touchpoint_tags"),
    _route("/api/v3/activity-types", "activity_types"),
    _route("/api/v3/objective-settings/status", "objective_statuses"),
    _route("/api/v3/objective-settings/category", "objective_categories"),
    Route("GET", "/api/v2/teams/*", "teams", team),
    Route("GET", "/api/v3/accounts/*/plan_summary", "plans", plan_summary),
    Route("GET", "/api/v3/integrations/job", "jobs", jobs),
    Route("GET", "/api/v2/audit", "audit", audit_log),
    Route("POST", "/api/v1/search/accounts/collections", "collections", search_collections),
    Route("GET", "/api/v3/collections/*/rows", "collections", collection_rows),
)
