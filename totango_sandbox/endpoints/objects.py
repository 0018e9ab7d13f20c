"""Single objects that are read by id: teams, plan summaries, import jobs of a connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_sandbox import dates
from totango_sandbox.endpoints.bodies import BAD_REQUEST, NOT_FOUND
from totango_sandbox.endpoints.route import Route
from totango_sandbox.errors import ApiError
from totango_sandbox.http import reply

if TYPE_CHECKING:
    from totango_sandbox.http import Request, Response
    from totango_sandbox.service import Service

_PLANNED_AT: Final = 1_750_000_000_000
_JOB_KEYS: Final = ("id", "job_configuration", "scheduling", "execution")


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


ROUTES: Final = (
    Route("GET", "/api/v2/teams/*", "teams", team),
    Route("GET", "/api/v3/accounts/*/plan_summary", "plans", plan_summary),
    Route("GET", "/api/v3/integrations/job", "jobs", jobs),
)
