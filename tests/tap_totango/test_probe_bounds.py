"""`tap-totango probe` where a tenant shows bounds: how far, how many, how late; and how it asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_totango.probe import QUESTIONS
from tap_totango.probe.responses import named_in
from tap_totango.probe.service import ProbedService
from totango_api.config import Connection
from totango_api.http import ApiClient
from totango_api.http.headers import ServiceClock
from totango_api.probe import Caller, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxes import Sandbox

NOW = datetime(2025, 6, 20, 12, tzinfo=UTC)
BY_NAME = {question.name: question for question in QUESTIONS}


@pytest.fixture
def ask(service: Sandbox) -> Iterator[Callable[..., Any]]:
    """`ask(question, calls)`: the answer of a service that is asked nothing else before."""
    connection = Connection.from_config(service.config(), user_agent="test")
    with ApiClient(replace(connection, max_retry_seconds=0)) as client:
        yield lambda name, calls=99: asked(BY_NAME[name], ProbedService(Caller(client, calls)))


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """`today(moment)`: what the clock of the service says."""

    def say(moment: datetime) -> None:
        monkeypatch.setattr(ServiceClock, "latest", moment.timestamp())

    say(NOW)
    return say


# How far a query reaches -------------------------------------------------------------------------


def accounts(number: int) -> list[dict[str, Any]]:
    return [{"account_id": f"a-{n}", "account_name": f"Account {n}"} for n in range(number)]


@pytest.mark.parametrize("beyond", ["error", "empty", "serve"])
@pytest.mark.parametrize("rows", ["10000", "1500"])
def test_the_reach_of_a_query_on_a_small_tenant(service, ask, beyond, rows) -> None:
    service.load(accounts=accounts(1700))
    service.set(beyond_window=beyond, window_rows=rows)
    reach = 1700 if beyond == "serve" else min(1700, int(rows))
    answer = rows if beyond == "error" else f"at least {reach}"
    assert ask("window_rows").value == answer


def test_the_reach_of_a_query_without_rows(service, ask) -> None:
    assert ask("window_rows").value == "10000"  # a row out of reach is refused, there or not
    service.set(beyond_window="empty")
    assert ask("window_rows").value == "does not arise"


@pytest.mark.parametrize(("calls", "answer"), [(2, "5000"), (3, "5000"), (4, "5000")])
def test_a_refusal_that_names_the_reach_saves_calls(service, ask, calls, answer) -> None:
    service.set(window_rows=5000)
    assert ask("window_rows", calls).value == answer


@pytest.mark.parametrize("calls", range(2, 12))
def test_the_reach_is_told_as_far_as_calls_show_it(service, ask, monkeypatch, calls) -> None:
    monkeypatch.setattr("tap_totango.probe.window._numbers", lambda refusal: set())
    service.load(accounts=accounts(10))
    service.set(window_rows=7654)
    value = ask("window_rows", calls).value
    least, _, most = value.partition(" to ")
    assert int(least) <= 7654 <= int(most or least)


def test_a_wrong_number_in_a_refusal_is_found_out(service, ask, monkeypatch) -> None:
    monkeypatch.setattr("tap_totango.probe.window._numbers", lambda refusal: {4000})
    service.set(window_rows=5000)
    assert ask("window_rows").value == "5000"


@pytest.mark.parametrize("beyond", ["error", "empty"])
def test_a_reach_of_more_rows_than_documented(service, ask, beyond) -> None:
    service.load(accounts=accounts(10_200))
    service.set(window_rows=10_100, beyond_window=beyond)
    answer = ask("window_rows")
    if beyond == "error":
        assert (answer.value, answer.details) == ("10100", ["10100"])
    else:
        assert answer.value == "at least 10100"
    service.set(window_rows=20_000)
    assert ask("window_rows").value == "at least 10200"


@pytest.mark.parametrize(("rows", "number"), [(500, 1700), (10_300, 20_700)])
def test_a_reach_that_a_probe_found_is_read_by(
    service, ask, tap, discover, tmp_path, rows, number
) -> None:
    import json

    healths = ("red", "yellow", "green")
    service.load(
        accounts=[{**row, "health": healths[n % 3]} for n, row in enumerate(accounts(number))]
    )
    service.set(window_rows=rows)
    answer = ask("window_rows")
    assert answer.value == str(rows)
    path = tmp_path / "profile.json"
    known = {"plugin": "tap-totango", "probed_at": "2025-06-20T00:00:00Z", "api_url": service.url}
    told = {"answers": {"window_rows": answer.value}, "details": {"window_rows": answer.details}}
    path.write_text(json.dumps({"version": 1, **known, **told}))
    config = service.config(page_size=200)
    catalog = discover(config=config).deselect("users")
    tap(config=config, catalog=catalog).failed("window", "tap-totango probe")
    ran = tap(config=config | {"probe_path": str(path)}, catalog=catalog).ok()
    assert len(ran.keys("accounts")) == number


# The audit log -----------------------------------------------------------------------------------


def entries(number: int, *, ago: timedelta, moment: datetime = NOW) -> list[dict[str, Any]]:
    """Entries of the same age, and an hour apart."""
    times = [moment - ago - timedelta(hours=n) for n in range(number)]
    return [{"timestamp": f"{time:%Y-%m-%dT%H:%M:%SZ}", "action": "VIEW"} for time in times]


@pytest.fixture
def audited(service: Sandbox, today) -> Sandbox:
    """A tenant with ten entries in each half of the last 30 days."""
    late, early = timedelta(days=2), timedelta(days=20)
    service.load(audit=[*entries(10, ago=late), *entries(10, ago=early)])
    return service


@pytest.mark.parametrize("order", ["newest first", "oldest first", "in no order"])
@pytest.mark.parametrize("limit", [0, 1, 7, 10, 15, 19, 20])
def test_the_longest_answer_of_the_audit_log(service, today, ask, limit, order) -> None:
    found = [
        *entries(10, ago=timedelta(days=2)),
        *entries(10, ago=timedelta(days=20)),
    ]
    shuffled = found[::2] + found[1::2]
    found = {"newest first": found, "oldest first": found[::-1]}.get(order, shuffled)
    service.load(audit=found)
    service.set(audit_limit=limit)
    answer = ask("audit_limit")
    assert answer.value == ("at least 20" if limit in {0, 20} else f"cut at {limit}")
    assert tuple(answer.details) == (() if limit in {0, 20} else (str(limit),))


def test_a_limit_that_nothing_shows_is_not_made_up(service, today, ask) -> None:
    service.load(audit=entries(10, ago=timedelta(days=2)))
    for limit, rows in ((0, 10), (7, 7)):
        service.set(audit_limit=limit)
        answer = ask("audit_limit")
        assert answer.value == f"at least {rows}"
        assert "too few" in answer.evidence


@pytest.mark.parametrize("calls", [1, 2, 3, 4])
def test_the_audit_log_with_few_calls(audited, ask, calls) -> None:
    answer = ask("audit_limit", calls)
    assert answer.value == "at least 20"
    assert ("too few" in answer.evidence) is (calls < 4)


def test_an_audit_log_without_entries_or_without_endpoint(service, today, ask) -> None:
    assert ask("audit_limit").value == ask("audit_delay").value == "does not arise"
    service.chaos("404@audit")
    assert ask("audit_limit").value == ask("audit_delay").value == "does not arise"


@pytest.mark.parametrize(
    ("hidden", "answer"),
    [(0, "within 30 s"), (60, "within 5 min"), (3600, "within 2 h"), (86_400, "within 3 d")],
)
def test_how_late_an_entry_is_seen_at_most(service, today, ask, hidden, answer) -> None:
    ages = [timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=2), timedelta(days=3)]
    service.load(audit=[one for age in ages for one in entries(1, ago=age)])
    delay = hidden and (datetime.now(UTC) - NOW).total_seconds() + hidden
    service.set(audit_visible_after=delay)
    assert ask("audit_delay").value == answer


def test_an_entry_that_comes_late_between_two_calls(service, today, ask, monkeypatch) -> None:
    service.load(
        audit=[*entries(3, ago=timedelta(seconds=90)), *entries(3, ago=timedelta(days=20))]
    )
    service.set(audit_visible_after=(datetime.now(UTC) - NOW).total_seconds() + 600)
    get = Caller.get

    def comes_behind(self: Caller, path: str) -> Any:
        found = get(self, path)
        service.set(audit_visible_after=0)
        return found

    monkeypatch.setattr(Caller, "get", comes_behind)
    assert ask("audit_delay").value == "88 s to 90 s"


@pytest.mark.parametrize("day", ["01-01", "01-02", "01-15", "01-16", "03-01", "12-30", "12-31"])
def test_both_days_of_every_call_are_in_one_year(service, today, ask, day) -> None:
    moment = datetime.fromisoformat(f"2025-{day}T12:00:00+00:00")
    today(moment)
    service.load(audit=entries(20 * 24, ago=timedelta(0), moment=moment))
    assert ask("audit_limit").value.startswith("at least ")


def test_the_tap_reads_by_days_where_answers_are_cut(
    service, today, ask, tap, discover, tmp_path
) -> None:
    import json

    found = [*entries(10, ago=timedelta(days=2)), *entries(10, ago=timedelta(days=20))]
    service.load(audit=found, accounts=accounts(1))
    service.set(audit_limit=11)
    path = tmp_path / "profile.json"
    known = {"plugin": "tap-totango", "probed_at": "2025-06-20T00:00:00Z", "api_url": service.url}
    details = {"audit_limit": list(ask("audit_limit").details)}
    path.write_text(json.dumps({"version": 1, **known, "details": details}))
    config = service.config(start_date="2025-05-01", probe_path=str(path))
    catalog = discover(config=config).deselect("accounts", "users").select("audit_log")
    service.set(audit_year="exclusive")
    ran = tap(config=config, catalog=catalog).ok()
    assert len(ran.records("audit_log")) == 20
    service.set(audit_limit=5)
    path.write_text(path.read_text().replace('["11"]', '["5"]'))
    tap(config=config, catalog=catalog).failed("audit_log", "may have been cut")


# Activity ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hidden", "answer"), [(0, "within 1 s"), (3600, "within 3 d")])
def test_how_late_a_last_activity_is_seen_at_most(
    service, ask, monkeypatch, hidden, answer
) -> None:
    import time

    import requests

    now = time.time()
    monkeypatch.setattr(ServiceClock, "latest", now)
    day = 86_400_000
    service.load(accounts=[{"account_id": "a", "last_activity_time": int(now * 1000) - 2 * day}])
    service.set(activity_visible_after=hidden)
    form = {"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_a": "Log in", "sdr_m": "App", "sdr_u": "u"}
    requests.post(f"{service.url}/pixel.gif/", data=form, timeout=60).raise_for_status()
    assert ask("activity_delay").value == answer


# Words of refusals --------------------------------------------------------------------------------

ASKED = {
    "owner": {"type": "owner", "account_role": "Success Manager"},
    "health": {"type": "string", "term": "health"},
    "health_trend": {"type": "health_trend"},
    "status": {"type": "string", "term": "status"},
}


@pytest.mark.parametrize(
    ("refusal", "named"),
    [
        ("unknown field type 'owner'", ["owner"]),
        ("unknown string field 'health'", ["health"]),
        ("health_trend is for users", ["health_trend"]),
        ("no string here", ["health", "status"]),
        ("Bad request", []),
        ("", []),
    ],
)
def test_what_a_refusal_names(refusal, named) -> None:
    assert named_in(refusal, ASKED) == named
