"""The first row of each object and delivery is read back before the rest goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, ACTIVITIES, USERS, held, record, schema, state

from target_totango.pipeline.canary import CanaryError
from totango_api.search import Attribute

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from skipped_waits import Clock
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

pytestmark = pytest.mark.usefixtures("clock")

SOON = {"verify_timeout": 1}


def accounts(*names: str, **attributes: Any) -> list[dict[str, Any]]:
    return [record("accounts", account_id=name, **attributes) for name in names]


@pytest.fixture
def control_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """`control_after(seconds, grace)`: when a second row goes out, and the first is given up."""

    def patch(seconds: float, grace: float) -> None:
        monkeypatch.setattr("target_totango.pipeline.canary.CONTROL_SECONDS", seconds)
        monkeypatch.setattr("target_totango.pipeline.watched_row.GRACE_SECONDS", grace)

    return patch


def test_a_service_that_drops_rows_is_found_with_one_row(
    deliver: Deliver, service: Sandbox
) -> None:
    service.set(sdr_token="right", sdr_token_status=200)
    done = deliver(ACCOUNTS, *accounts(*"abcde", Plan="x"), state(1), sdr_token="wrong", **SOON)
    assert isinstance(done.error, CanaryError)
    assert "sdr_token" in str(done.error)
    assert len(service.calls("tracking")) == 1
    assert (done.states, done.rejected) == ([], [])
    assert done.totals["undelivered"] == done.totals["received"]
    deliver(ACCOUNTS, *accounts(*"abcde"), state(1), sdr_token="right").ok()


def test_an_update_that_does_not_arrive_is_found_too(deliver: Deliver, service: Sandbox) -> None:
    deliver(ACCOUNTS, *accounts("a", Plan="x")).ok()
    service.set(sdr_token="right", sdr_token_status=200)
    done = deliver(ACCOUNTS, *accounts("a", "b", Plan="y"), state(1), **SOON)
    assert isinstance(done.error, CanaryError)
    assert done.states == []


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_a_row_may_take_its_time_to_become_visible(
    deliver: Deliver, service: Sandbox, clock: Clock, delivery: str
) -> None:
    service.set(visible_after=300)
    clock.on_wait = lambda seconds: service.settle() if seconds > 2 else None
    rows = [*accounts(*"abc", Plan="x"), record("users", account_id="a", user_id="u")]
    done = deliver(ACCOUNTS, USERS, *rows, state(1), delivery=delivery).ok()
    assert done.totals["sent"] == 4
    assert done.states == [state(1)["value"]]
    assert [(each["object"], each["result"]) for each in done.report["canary"]] == [
        ("accounts", "confirmed"),
        ("users", "confirmed"),
    ]
    surfaces = [call["surface"] for call in service.calls("accounts", delivery)]
    # A look before the first row, several after it, and only then the second one.
    assert surfaces[:4] == ["accounts", delivery, "accounts", "accounts"]


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_an_account_that_takes_nothing_is_told_from_a_service_that_drops_rows(
    deliver: Deliver,
    service: Sandbox,
    control_after: Callable[[float, float], None],
    delivery: str,
) -> None:
    control_after(0.2, 0.3)
    service.set(blocked_accounts="a")
    user = record("users", account_id="a", user_id="u")
    rows = [ACCOUNTS, USERS, *accounts(*"abc", Plan="x"), user]
    done = deliver(*rows, delivery=delivery, verify_timeout=5)
    assert set(held(service, "accounts")) == {("b",), ("c",)}
    assert [row["account_id"] for row in done.rejected][:1] == ["a"]
    assert done.codes[0] == {("", "the account takes no rows")}
    assert "Restore it in Totango" in done.rejected[0]["_reject"]["reason"]


@pytest.mark.parametrize("timeout", [11, 13, 15, 40])
def test_a_blocked_account_is_found_whenever_the_time_allows_for_a_second_row(
    deliver: Deliver, service: Sandbox, timeout: int
) -> None:
    service.set(blocked_accounts="a")
    done = deliver(ACCOUNTS, *accounts(*"abc", Plan="x"), state(1), verify_timeout=timeout)
    assert done.codes == [{("", "the account takes no rows")}]
    assert done.states == [state(1)["value"]]
    assert set(held(service, "accounts")) == {("b",), ("c",)}


def test_a_second_row_that_nobody_would_look_at_is_not_sent(
    deliver: Deliver, service: Sandbox, control_after: Callable[[float, float], None]
) -> None:
    service.set(sdr_token="wanted")
    rows = [ACCOUNTS, *accounts(*"abc", Plan="x"), state(1)]
    control_after(2.0, 30.0)
    done = deliver(*rows, verify_timeout=2)
    assert "it is not in Totango. Nothing else was sent" in str(done.error)
    assert len(service.calls("tracking")) == 1
    control_after(1.0, 30.0)
    done = deliver(*rows, verify_timeout=2)
    assert "it is not in Totango, nor is a second one. Nothing else was sent" in str(done.error)
    assert len(service.calls("tracking")) == 3


def test_an_attribute_that_the_service_drops_is_named(deliver: Deliver, service: Sandbox) -> None:
    service.set(unknown_attributes="drop")
    rows = [
        schema("accounts", "account_id", "account_name", "Odd"),
        *accounts("a", "b", account_name="A", Odd="x"),
        state(1),
    ]
    done = deliver(*rows, **SOON)
    assert isinstance(done.error, CanaryError)
    assert "as it was sent: Odd." in str(done.error)
    assert set(held(service, "accounts")) == {("a",)}
    assert done.states == []
    warned = deliver(*rows, **SOON, verify_mismatch="warn").ok()
    assert "as it was sent: Odd." in warned.said
    assert len(held(service, "accounts")) == 2


def test_where_attributes_are_listed_no_more_none_is_said_to_be_missing(
    deliver: Deliver, service: Sandbox
) -> None:
    service.set(unknown_attributes="drop")
    service.chaos("403@attributes:2")
    told = schema("accounts", "account_id", "Plan", "Odd")
    service.load(accounts=[{"account_id": "a", "attributes": {"Plan": "x"}}])
    done = deliver(told, *accounts("a", "b", Plan="y", Odd="z"), state(1), **SOON).ok()
    assert "as it was sent: Odd." in done.said
    assert "does not have such attributes" not in done.said
    assert done.states == [state(1)["value"]]


def test_a_second_row_that_is_refused_is_on_file(
    deliver: Deliver,
    service: Sandbox,
    clock: Clock,
    control_after: Callable[[float, float], None],
) -> None:
    control_after(0.2, 0.3)
    service.set(visible_after=300)
    service.chaos("422@tracking:2")
    clock.on_wait = lambda seconds: service.settle() if seconds > 5 else None
    done = deliver(ACCOUNTS, *accounts(*"abc", Plan="x"), state(1), verify_timeout=20)
    assert [row["account_id"] for row in done.rejected] == ["b"]
    assert (done.totals["sent"], done.states) == (2, [state(1)["value"]])


def test_an_odd_answer_proves_nothing_where_the_row_cannot_be_read_back(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos('answer@tracking:applied:say={"status": "ok"}', "403@accounts:2")
    rows = accounts(*"abc", Plan="x")
    done = deliver(ACCOUNTS, *rows, state(1), max_retry_seconds=0, **SOON)
    assert (done.states, done.totals.get("sent", 0)) == ([], 0)
    assert "counts as a receipt" not in done.said


def test_a_name_that_does_not_arrive_is_no_attribute_that_is_missing(
    deliver: Deliver, service: Sandbox
) -> None:
    deliver(ACCOUNTS, *accounts("a", account_name="Old")).ok()
    service.set(sdr_token="right", sdr_token_status=200)
    done = deliver(ACCOUNTS, *accounts("a", account_name="New"), state(1), **SOON)
    assert "was acknowledged, but after" in str(done.error)
    assert "Totango does not have such attributes" not in str(done.error)


def test_attributes_of_users_are_not_said_to_be_missing_from_a_list_of_accounts(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [Attribute("accounts", "Plan", "text")]
    monkeypatch.setattr("target_totango.clients.discover", lambda *_: listed)
    user = {"account_id": "a", "user_id": "u"}
    deliver(USERS, record("users", **user, Title="Old")).ok()
    service.set(sdr_token="right", sdr_token_status=200)
    done = deliver(USERS, record("users", **user, Title="New"), state(1), **SOON)
    assert "was acknowledged, but after" in str(done.error)
    assert "does not know yet" not in done.said


@pytest.mark.parametrize(
    "fault", ["403@accounts", "404@accounts", "html@accounts", "503@accounts", "403@accounts:2"]
)
def test_what_cannot_be_read_back_does_not_keep_rows_from_going_out(
    deliver: Deliver, service: Sandbox, fault: str
) -> None:
    service.chaos(fault)
    done = deliver(ACCOUNTS, *accounts(*"abc", Plan="x"), state(1), max_retry_seconds=0).ok()
    assert done.totals["sent"] == 3
    assert done.said.count("nothing proves that rows arrive") == 1
    assert done.report["canary"][0]["result"] == "unreadable"


def test_where_the_first_row_is_refused_the_second_one_is_read_back(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("422@tracking:1")
    done = deliver(ACCOUNTS, *accounts(*"abc", Plan="x"), state(1), max_rejected=1).ok()
    assert (done.totals["rejected"], done.totals["sent"]) == (1, 2)
    assert [one["account_id"] for one in done.rejected] == ["a"]
    assert done.report["canary"][0]["result"] == "confirmed"


def test_where_the_first_row_fails_the_others_do_not_wait_for_it(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("503@tracking:1")
    done = deliver(ACCOUNTS, *accounts(*"abc", Plan="x"), state(1), max_retry_seconds=0)
    assert (done.totals["undelivered"], done.totals["sent"]) == (1, 2)
    assert done.states == []
    assert done.report["canary"] == []


def test_rows_that_are_there_already_prove_nothing(deliver: Deliver, service: Sandbox) -> None:
    rows = accounts(*"abcdef", Plan="x")
    deliver(ACCOUNTS, *rows, canary=False).ok()
    assert service.calls("accounts") == []
    unchanged = {"object": "accounts", "delivery": "tracking", "result": "unchanged"}
    assert deliver(ACCOUNTS, *rows).ok().report["canary"] == [unchanged]
    assert len(service.calls("accounts")) == 1
    done = deliver(ACCOUNTS, *rows, *accounts("g", Plan="y"), state(1)).ok()
    assert done.report["canary"][0]["result"] == "confirmed"
    assert done.states == [state(1)["value"]]


def test_it_is_looked_no_further_where_rows_are_there_already(
    deliver: Deliver, service: Sandbox
) -> None:
    rows = accounts(*(f"a-{n}" for n in range(2_500)))
    deliver(ACCOUNTS, *rows, canary=False).ok()
    done = deliver(ACCOUNTS, *rows).ok()
    assert done.totals["sent"] == 2_500
    assert len(service.calls("accounts")) == 3


def test_nothing_is_read_back_without_a_token_or_when_switched_off(
    deliver: Deliver, service: Sandbox
) -> None:
    rows = [ACCOUNTS, *accounts("a"), state(1)]
    assert deliver(*rows, app_token=None).ok().report["canary"] is None
    assert deliver(*rows, canary=False).ok().report["canary"] is None
    assert service.calls("accounts") == []


def test_activities_are_not_read_back(deliver: Deliver, service: Sandbox) -> None:
    one = record("activities", id=1, account_id="a", user_id="u", activity="Pay", module="M")
    done = deliver(ACTIVITIES, one, state(1)).ok()
    assert done.report["canary"] == []
    assert service.calls("accounts", "users") == []


def test_what_was_read_back_is_confirmed_for_runs_with_another_token(
    deliver: Deliver, tmp_path: Any
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    deliver(ACCOUNTS, *accounts("a", "b", Plan="x"), **ledger).ok()
    done = deliver(ACCOUNTS, *accounts("a", "b", Plan="x"), **ledger, sdr_token="other").ok()
    assert (done.totals["unchanged"], done.totals["sent"]) == (1, 1)
