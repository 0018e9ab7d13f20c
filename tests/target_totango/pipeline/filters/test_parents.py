"""Accounts go out after their parents, in whatever order they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_runs import USERS, held, record, schema, state

from target_totango.models import ACCOUNT, ACCOUNTS, Row, SourceStream, WriteRequest
from target_totango.pipeline.filters import parents as parents_room
from target_totango.pipeline.filters.parents import ParentsFirst
from target_totango.storage import RunStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

FIRMS = schema("accounts", "account_id", "parent_id", "product_id", "ofid", "sfid")
SOURCE = SourceStream("accounts", {}, ())


def firm(account_id: str, parent_id: str | None = None, /, **more: Any) -> dict[str, Any]:
    return record("accounts", account_id=account_id, parent_id=parent_id, **more)


def row_of(seq: int, account_id: str, parent_id: str | None) -> Row:
    account = {} if parent_id is None else {"parent_id": parent_id}
    write = WriteRequest(ACCOUNTS, account_id, None, ACCOUNT, account=account)
    return Row(seq, SOURCE, {}, "accounts", ACCOUNTS, request=write)


IDS = st.sampled_from("abcdef")


@given(
    st.lists(st.tuples(IDS, st.none() | IDS | st.just("elsewhere")), max_size=30),
    st.integers(1, 7),
)
def test_every_row_goes_out_once_and_no_child_before_a_parent_that_comes(
    links: list[tuple[str, str | None]], size: int
) -> None:
    store = RunStore()
    first = ParentsFirst(store)
    rows = [row_of(seq, *link) for seq, link in enumerate(links)]
    gone: list[Row] = []
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        for row in batch:
            store.count(row.request.key)
        gone += first.order(batch)
    ordered = gone + first.release()
    assert sorted(row.seq for row in ordered) == list(range(len(rows)))
    for account_id in "abcdef":
        seqs = [row.seq for row in ordered if row.request.account_id == account_id]
        assert seqs == sorted(seqs)
    # What went out before the end followed its parent: the first row of each account at least.
    seen: set[str] = set()
    for row in gone:
        parent = row.request.account.get("parent_id")
        assert row.request.account_id in seen or parent in {None, row.request.account_id, *seen}
        seen.add(row.request.account_id)
    store.close()


def test_a_tree_goes_out_from_its_root_and_what_hangs_on_it_behind(
    deliver: Deliver, service: Sandbox
) -> None:
    rows = [
        firm("leaf", "branch"),
        firm("branch", "root", product_id="p1"),
        firm("orphan", "elsewhere"),
        firm("root", ofid="K1"),
    ]
    user = record("users", account_id="leaf", user_id="ann")
    done = deliver(FIRMS, rows[0], USERS, user, *rows[1:], state(1), max_in_flight=1).ok()
    sent = [row["account_id"] for row in service.dump("accounts")]
    assert sent == ["root", "branch", "leaf", "orphan"]
    assert {row["account_id"]: row["parent_id"] for row in service.dump("accounts")} == {
        "root": None,
        "branch": "root",
        "leaf": "branch",
        "orphan": "elsewhere",
    }
    assert held(service, "users") == {("leaf", "ann"): {}}
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_a_tree_keeps_its_order_with_many_calls_at_once(
    deliver: Deliver, service: Sandbox, delivery: str
) -> None:
    chain = [firm(f"n{n:03}", f"n{n - 1:03}" if n else None) for n in range(60)]
    deliver(FIRMS, *reversed(chain), delivery=delivery, hub_batch_size=7).ok()
    assert [row["account_id"] for row in service.dump("accounts")] == [
        f"n{n:03}" for n in range(60)
    ]


def test_children_of_what_does_not_come_do_not_wait_for_ever(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parents_room, "MOST_HELD", 3)
    rows = [firm(f"child-{n}", "elsewhere") for n in range(5)]
    done = deliver(FIRMS, *rows).ok()
    assert "or 60 seconds: 5 rows." in done.said
    assert len(service.dump("accounts")) == 5


def test_an_account_that_is_left_out_as_unchanged_lets_its_children_go(
    deliver: Deliver, service: Sandbox, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"ledger_path": str(tmp_path / "ledger"), "skip_unchanged": True}
    deliver(FIRMS, firm("root"), **settings).ok()
    monkeypatch.setattr(parents_room, "MOST_HELD", 0)
    done = deliver(FIRMS, firm("leaf", "root"), firm("root"), **settings).ok()
    assert "wait for parent" not in done.said
    assert len(service.dump("accounts")) == 2


@pytest.mark.parametrize("name", ["account_id", "parent_id", "product_id", "ofid", "sfid"])
def test_short_salesforce_ids_are_found_wherever_an_id_stands(
    deliver: Deliver, service: Sandbox, name: str
) -> None:
    fields = {"account_id": "a", name: "0015000000Gv7qJ"}
    done = deliver(FIRMS, record("accounts", **fields))
    assert done.codes == [{(name, "short Salesforce id")}]
    deliver(FIRMS, record("accounts", **fields), salesforce_ids="convert").ok()
    [row] = service.dump("accounts")
    found = {**row, **row["attributes"]}
    if name != "sfid":  # which a service may keep to itself
        assert found[name].lower() == "0015000000gv7qjaar"


def test_short_salesforce_ids_are_found_in_foreign_keys_that_are_mapped_as_attributes(
    deliver: Deliver,
) -> None:
    mapping = {"stream": "accounts", "attributes": {"ofid": "key", "sfid": "key"}}
    rows = (
        schema("accounts", "account_id", "key"),
        record("accounts", account_id="a", key="0015000000Gv7qJ"),
    )
    assert deliver(*rows, mappings=[mapping]).codes == [{("key", "short Salesforce id")}]


def test_what_waits_goes_out_once_its_parent_is_known_whatever_became_of_that_row() -> None:
    store = RunStore()
    first = ParentsFirst(store)
    child, other = row_of(0, "child", "parent"), row_of(1, "other", None)
    assert first.order([child]) == []
    store.count((ACCOUNTS, "parent"))
    assert first.order([other]) == [child, other]
    store.close()


def test_giving_up_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    store = RunStore()
    first = ParentsFirst(store)
    for seq in range(2):
        child = row_of(seq, f"child-{seq}", "never")
        assert first.order([child]) == []
        assert first.give_up() == [child]
    assert len(caplog.records) == 1
    store.close()
