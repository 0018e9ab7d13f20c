"""`tap-totango probe`: what an offset counts in lists of the user's own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tap_totango.own_requests import own_requests
from tap_totango.probe import QUESTIONS
from tap_totango.probe.service import ProbedService
from totango_api.config import Connection
from totango_api.http import ApiClient
from totango_api.probe import Caller, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxes import Sandbox

    from totango_api.probe import Answer

LISTED = "GET /api/v3/collections/{}/rows?offset=0&count=10"
MISSING = "GET /api/v3/no/such/list?offset=0&count=10"
SEARCHED = {
    "method": "POST",
    "path": "/api/v1/search/accounts/collections",
    "form": {"query": {"terms": [], "fields": [], "count": 10, "offset": 0}},
}
[QUESTION] = [question for question in QUESTIONS if question.name == "list_offset"]


@pytest.fixture
def tenant(service: Sandbox) -> Sandbox:
    """A sandbox with four tickets and one bill."""
    rows = [("tickets", number) for number in range(4)] + [("bills", 0)]
    service.load(
        accounts=[{"account_id": "a", "account_name": "Acme", "attributes": {}}],
        collections=[
            {
                "collection_type": kind,
                "id": f"{kind}-{number}",
                "account_id": "a",
                "attributes": {"Title": f"Secret {number}"},
            }
            for kind, number in rows
        ],
    )
    return service


@pytest.fixture
def ask(tenant: Sandbox) -> Iterator[Callable[..., Answer]]:
    """`ask(name=request, …)`: the answer, where these are the streams of the settings."""
    connection = Connection.from_config(tenant.config(), user_agent="test")
    with ApiClient(replace(connection, max_retry_seconds=0)) as client:

        def answer(calls: int = 30, **streams: Any) -> Answer:
            return asked(QUESTION, ProbedService(Caller(client, calls), own_requests(streams, ())))

        yield answer


@pytest.mark.parametrize("shape", ["rows", "top"])
@pytest.mark.parametrize("offset", ["rows", "pages", "ignored"])
def test_every_position_of_a_switch_is_told(tenant, ask, offset, shape) -> None:
    tenant.set(list_offset=offset, list_shape=shape)
    found = ask(tickets=LISTED.format("tickets"))
    assert found.value == offset
    assert len(tenant.calls("collections")) == 2
    assert ("paging" in found.advice) == (offset != "rows")


def test_the_advice_makes_pages_known(tenant, ask) -> None:
    tenant.set(list_offset="pages")
    assert ask(tickets=LISTED.format("tickets")).advice == "paging: {page: offset, count: count}"


@pytest.mark.parametrize(
    "streams",
    [
        {},
        {"few": LISTED.format("bills")},
        {"none": LISTED.format("others")},
        {"searched": SEARCHED},
        {"told": {"request": LISTED.format("tickets"), "paging": "none"}},
        {"told": {"request": LISTED.format("tickets"), "paging": {"page": "offset"}}},
    ],
    ids=str,
)
def test_where_nothing_can_be_told_nothing_is(ask, streams) -> None:
    assert ask(**streams).value == "does not arise"


def test_lists_that_are_refused(ask) -> None:
    assert ask(missing=MISSING).state == "failed"
    both = ask(missing=MISSING, tickets=LISTED.format("tickets"))
    assert both.value == "rows"


def test_calls_that_others_need_are_left(tenant, ask) -> None:
    lists = {f"list_{number}": LISTED.format("tickets") for number in range(5)}
    for calls, made in ((3, 2), (30, 6)):
        before = len(tenant.calls("collections"))
        assert ask(calls, **lists).value == "rows"
        assert len(tenant.calls("collections")) - before == made


@pytest.mark.slow
def test_no_name_and_no_value_of_a_list_is_told(tenant, tap_command, config_file, tmp_path) -> None:
    config = config_file(tenant.config(streams={"my_tickets": LISTED.format("tickets")}))
    profile = tmp_path / "profile.json"
    ran = tap_command("probe", "--config", config, "--output", profile)
    assert json.loads(profile.read_text())["answers"]["list_offset"] == "rows"
    for word in ("my_tickets", "tickets-", "Secret"):
        assert word not in ran.stdout + profile.read_text()
