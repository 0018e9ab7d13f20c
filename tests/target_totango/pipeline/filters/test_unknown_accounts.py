"""Rows about users and activities of accounts that Totango does not have."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from target_runs import ACCOUNTS, ACTIVITIES, USERS, held, record, state

from target_totango.models import Row, SourceStream, WriteRequest
from target_totango.pipeline.filters.existing import ExistingSubjects, HoldUnknownAccounts
from target_totango.storage.run_store import RunStore
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]


def user(account_id: str, user_id: str = "u", **fields: str) -> dict[str, object]:
    return record("users", account_id=account_id, user_id=user_id, **fields)


def test_they_are_rejected_where_that_is_asked_for_and_made_where_not(
    deliver: Deliver, service: Sandbox
) -> None:
    service.load(accounts=[{"account_id": "there", "attributes": {}}])
    used = record("activities", id=1, account_id="gone", user_id="u", activity="a", module="m")
    rows = [USERS, user("there"), user("gone"), user("new"), ACTIVITIES, used]
    done = deliver(
        *rows,
        ACCOUNTS,
        record("accounts", account_id="new"),
        state(1),
        unknown_accounts="reject",
        max_rejected=2,
    ).ok()
    assert done.codes == [{("account_id", "unknown account")}] * 2
    assert held(service, "users").keys() == {("there", "u"), ("new", "u")}
    assert held(service, "accounts").keys() == {("there",), ("new",)}
    assert service.dump("activities") == []
    assert done.states == [state(1)["value"]]
    deliver(USERS, user("gone")).ok()
    assert ("gone",) in held(service, "accounts")


def test_they_wait_for_their_account(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_totango.pipeline.stages.BATCH_ROWS", 2)
    used = record("activities", id=1, account_id="new", user_id="u", activity="a", module="m")
    done = deliver(
        *(USERS, user("new"), user("gone"), ACTIVITIES, used, ACCOUNTS, state(1)),
        *(user("new", Title="later"), record("accounts", account_id="new", account_name="New")),
        state(2),
        unknown_accounts="hold",
        max_in_flight=1,
    )
    assert done.codes == [{("account_id", "unknown account")}]
    assert held(service, "accounts") == {("new",): {"account_name": "New"}}
    assert held(service, "users") == {("new", "u"): {"Title": "later"}}
    assert len(service.dump("activities")) == 1
    assert done.states[-1] == state(2)["value"]


def test_they_go_out_after_their_account_also_where_both_come_together() -> None:
    def row(seq: int, account_id: str, user_id: str | None = None) -> Row:
        object_ = "accounts" if user_id is None else "users"
        write = WriteRequest(object_, account_id, user_id)
        return Row(seq, SourceStream("s", {}, ()), {}, "s", object_, request=write)

    with closing(RunStore()) as store:
        nobody = Mock(find=Mock(return_value={}))
        hold = HoldUnknownAccounts(ExistingSubjects(store, lambda: nobody))
        rows = [row(1, "a", "u"), row(2, "b", "u"), row(3, "a", "u"), row(4, "a"), row(5, "a", "u")]
        sent, results = hold.apply(rows)
        assert ([each.seq for each in sent], results) == ([4, 1, 3, 5], [])
        sent, _ = hold.apply([row(6, "a", "u"), row(7, "b", "u"), row(8, "b")])
        assert [each.seq for each in sent] == [6, 8, 2, 7]
        assert hold.finish() == []


def test_those_that_came_first_are_rejected_when_too_many_wait(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_totango.pipeline.filters.existing.MOST_HELD", 2)
    monkeypatch.setattr("target_totango.pipeline.stages.BATCH_ROWS", 1)
    accounts = [record("accounts", account_id=name) for name in "abc"]
    rows = [USERS, user("a"), user("b"), user("c"), ACCOUNTS, *accounts]
    done = deliver(*rows, unknown_accounts="hold", max_rejected=1, canary=False).ok()
    assert [row["account_id"] for row in done.rejected] == ["a"]
    assert held(service, "users").keys() == {("b", "u"), ("c", "u")}


@pytest.mark.parametrize("mode", ["upsert", "update_only"])
def test_five_hundred_rows_cost_one_call(deliver: Deliver, service: Sandbox, mode: str) -> None:
    service.load(
        accounts=[{"account_id": f"a{n}", "attributes": {}} for n in range(900)],
        users=[{"account_id": f"a{n}", "user_id": "u", "attributes": {}} for n in range(900)],
    )
    rows = [user(f"a{number}") for number in range(900)]
    settings = {"sync_mode": mode, "unknown_accounts": "reject", "canary": False}
    done = deliver(USERS, *rows, **settings).ok()
    assert done.totals["sent"] == 900
    assert len(service.calls("accounts")) == 2


def test_what_update_only_leaves_alone_stays_so(deliver: Deliver, service: Sandbox) -> None:
    rows = ACCOUNTS, record("accounts", account_id="new")
    settings = {"sync_mode": "update_only", "unknown_accounts": "reject"}
    done = deliver(*rows, **settings).ok()
    assert done.totals["skipped"] == 1
    assert service.dump("accounts") == []


def test_a_token_is_asked_for(deliver: Deliver) -> None:
    with pytest.raises(SettingsError, match="unknown_accounts: reject needs app_token"):
        deliver(USERS, unknown_accounts="reject", app_token="").ok()
