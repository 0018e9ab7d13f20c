from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

DATE = {"key_name": "Create Date", "type": "date", "object": "accounts"}


def keys(sandbox, kind="accounts"):
    names = ("account_id",) if kind == "accounts" else ("account_id", "user_id")
    return {tuple(row[name] for name in names) for row in sandbox.dump(kind)}


def call(sandbox, times, what="accounts"):
    for _ in range(times):
        sandbox.search(what, count=1)


def moves(sandbox):
    return sandbox.dump("moves")


def test_a_tenant_stands_still_unless_told_otherwise(sandbox):
    sandbox.load_accounts(3)
    before = sandbox.dump("accounts")
    call(sandbox, 3)
    assert (sandbox.dump("accounts"), moves(sandbox)) == (before, [])
    assert sandbox.stats()["searches"] == {"accounts": 3, "users": 0, "events": 0}


def test_rows_come_after_an_answer_and_never_inside_it(sandbox):
    sandbox.load_accounts(3)
    sandbox.set(moves_in=2)
    assert [sandbox.search("accounts")["total_hits"] for _ in range(3)] == [3, 5, 7]
    came = [move for move in moves(sandbox) if move["move"] == "in"]
    assert [move["after_search"] for move in came] == [1, 1, 2, 2, 3, 3]
    assert {(move["account_id"],) for move in came} == keys(sandbox) - {
        (f"a{at:04}",) for at in range(3)
    }
    assert [one["search"] for one in sandbox.dump("calls")] == [1, 2, 3]


def test_fractions_add_up(sandbox):
    sandbox.load_accounts(3)
    sandbox.set(moves_in=0.5)
    call(sandbox, 5)
    assert [move["after_search"] for move in moves(sandbox)] == [2, 4]


def test_rows_go_until_none_is_left(sandbox):
    sandbox.load_accounts(3)
    sandbox.set(moves_out=2)
    assert [sandbox.search("accounts")["total_hits"] for _ in range(4)] == [3, 1, 0, 0]
    assert Counter(move["move"] for move in moves(sandbox)) == {"out": 3}


def test_one_row_replaces_another(sandbox):
    sandbox.load_accounts(20)
    before = keys(sandbox)
    sandbox.set(moves_replaced=1)
    assert [sandbox.search("accounts")["total_hits"] for _ in range(5)] == [20] * 5
    entries = moves(sandbox)
    assert [move["move"] for move in entries] == ["out", "in"] * 5
    gone = {(move["account_id"],) for move in entries if move["move"] == "out"}
    came = {(move["account_id"],) for move in entries if move["move"] == "in"}
    assert keys(sandbox) == before - gone | (came - gone)


def test_rows_are_renamed_all_over_the_order(sandbox):
    sandbox.load_accounts(50)
    sandbox.set(moves_renamed=3)
    call(sandbox, 4)
    entries = moves(sandbox)
    assert Counter(move["move"] for move in entries) == {"renamed": 12}
    names = {row["account_id"]: row["account_name"] for row in sandbox.dump("accounts")}
    last = {move["account_id"]: move["after"] for move in entries}
    assert {key: names[key] for key in last} == last
    assert len({name[:8] for name in last.values()}) > 3


def test_active_rows_get_moments_that_only_grow(sandbox):
    sandbox.load_accounts(5, last_activity_time=1, first_activity_time=1)
    sandbox.set(moves_active=20)
    call(sandbox, 2)
    moments = [move["after"] for move in moves(sandbox)]
    assert len(moments) == 40
    assert all(one < later for one, later in pairwise(moments))
    newest = {move["account_id"]: move["after"] for move in moves(sandbox)}
    rows = {row["account_id"]: row for row in sandbox.dump("accounts")}
    assert {key: rows[key]["last_activity_time"] for key in newest} == newest
    assert {row["first_activity_time"] for row in rows.values()} == {1}


def test_a_late_activity_keeps_its_own_moment(sandbox):
    sandbox.load_accounts(1, last_activity_time=1)
    sandbox.set(activity_visible_after=3600)
    sandbox.track(sdr_o="a0000", sdr_u="u", sdr_a="x", sdr_m="y")
    (activity,) = sandbox.dump("activities")
    assert sandbox.search("accounts")["hits"][0]["last_activity_time"] == 1
    assert sandbox.control("settle") == {"settled": 2}
    assert sandbox.search("accounts")["hits"][0]["last_activity_time"] == activity["time"]


def test_rows_that_become_active_are_seen_late_too(sandbox):
    sandbox.load_accounts(1, last_activity_time=1)
    sandbox.set(activity_visible_after=3600, moves_active=1)
    call(sandbox, 1)
    (move,) = moves(sandbox)
    assert sandbox.dump("accounts")[0]["last_activity_time"] == 1
    sandbox.control("settle")
    assert sandbox.dump("accounts")[0]["last_activity_time"] == move["after"]


@pytest.mark.parametrize("dated", [True, False])
def test_new_rows_have_dates_where_the_tenants_rows_have_some(sandbox, dated):
    more = {"attributes": {"Plan": "Pro"}}
    if dated:
        more = {
            "last_activity_time": 5,
            "first_activity_time": 5,
            "attributes": {"Plan": "Pro", "Create Date": "2020-01-01"},
        }
    sandbox.load(attributes=[DATE])
    sandbox.load_accounts(3, **more)
    sandbox.set(moves_in=1)
    call(sandbox, 1)
    (move,) = moves(sandbox)
    came = next(row for row in sandbox.dump("accounts") if row["account_id"] == move["account_id"])
    moment = move["time"] if dated else None
    assert (came["first_activity_time"], came["last_activity_time"]) == (moment, moment)
    assert came["attributes"]["Plan"] == "Pro"
    created = {"type": "date_attribute", "attribute": "Create Date"}
    dates = sandbox.column("accounts", created)
    assert dates.count(move["time"]) == int(dated)


def test_rows_come_with_a_date_in_the_past(sandbox):
    sandbox.load(attributes=[DATE])
    sandbox.load_accounts(1, first_activity_time=5, attributes={"Create Date": "2020-01-01"})
    sandbox.set(moves_backdated=1)
    call(sandbox, 1)
    (move,) = moves(sandbox)
    came = next(row for row in sandbox.dump("accounts") if row["account_id"] == move["account_id"])
    assert came["first_activity_time"] <= move["time"] - 86_400_000


def test_users_move_with_their_own_calls_and_go_with_their_account(sandbox):
    rows = [{"account_id": f"a{at % 3}", "user_id": f"u{at}"} for at in range(9)]
    sandbox.load(users=rows)
    sandbox.set(moves_in=1, moves_on="users")
    call(sandbox, 2)
    assert len(sandbox.dump("accounts")) == 3
    call(sandbox, 2, "users")
    assert len(sandbox.dump("users")) == 11
    sandbox.set(moves_in=0, moves_out=1, moves_on="accounts")
    call(sandbox, 3)
    assert sandbox.dump("users") == []
    gone = [(move["account_id"], move["user_id"]) for move in moves(sandbox) if "user_id" in move]
    assert len(gone) == 2 + 11
    assert [move["after_search"] for move in moves(sandbox) if move["object"] == "users"][-1] == 2


def test_rows_come_and_go_where_they_sort_first(sandbox):
    sandbox.load_accounts(5)
    sandbox.set(moves_where="first", moves_out=1)
    call(sandbox, 2)
    assert sandbox.names("accounts") == ["a0002", "a0003", "a0004"]
    sandbox.set(moves_out=0, moves_in=1)
    call(sandbox, 1)
    assert sandbox.names("accounts")[-2:] == ["a0003", "a0004"]


def test_the_same_seed_moves_the_same_rows(sandbox):
    journals = []
    for seed in (1, 1, 2):
        sandbox.control("reset", {"settings": True})
        sandbox.load_accounts(50)
        sandbox.set(moves_seed=seed, moves_replaced=1, moves_renamed=1)
        call(sandbox, 5)
        journals.append(
            [
                {key: value for key, value in move.items() if key != "time"}
                for move in moves(sandbox)
            ]
        )
    assert journals[0] == journals[1] != journals[2]


def event(number, **more):
    return {"id": f"e{number}", "timestamp": number, "type": "note", **more}


def test_events_come_and_go(sandbox):
    sandbox.load(events=[event(1), event(2)])
    sandbox.set(moves_in=1, moves_backdated=1, moves_out=1)
    call(sandbox, 1, "events")
    out, came, backdated = moves(sandbox)
    assert [out["move"], came["move"], backdated["move"]] == ["out", "in", "in"]
    times = {row["id"]: row["timestamp"] for row in sandbox.dump("events")}
    assert set(times) == {"e1", "e2", came["event_id"], backdated["event_id"]} - {out["event_id"]}
    assert times[came["event_id"]] == came["time"]
    assert times[backdated["event_id"]] <= backdated["time"] - 86_400_000


@pytest.mark.parametrize(
    ("mode", "ids", "moved"), [("keep", 1, False), ("move", 1, True), ("new", 2, True)]
)
def test_an_edited_event_keeps_its_time_or_not(sandbox, mode, ids, moved):
    sandbox.load(events=[event(1, properties={"subject": "QBR"})])
    sandbox.set(moves_edited=1, event_edits=mode)
    call(sandbox, 1, "events")
    (move,) = moves(sandbox)
    events = {row["id"]: row for row in sandbox.dump("events")}
    assert len(events) == ids
    edited = events[move["new_event_id"]]
    assert edited["properties"]["subject"].startswith("edited")
    assert edited["properties"]["last_edit_time"] == move["time"]
    assert (edited["timestamp"] == move["time"]) is moved


def test_an_edited_row_has_the_value_of_another(sandbox):
    sandbox.load(accounts=[{"account_id": "a", "attributes": {"T": "x"}}])
    sandbox.load(accounts=[{"account_id": "b", "attributes": {"T": "y"}}])
    sandbox.set(moves_edited=1)
    call(sandbox, 8)
    edits = moves(sandbox)
    assert {move["attribute"] for move in edits} == {"T"}
    values = {row["account_id"]: row["attributes"]["T"] for row in sandbox.dump("accounts")}
    for move in reversed(edits):
        assert values[move["account_id"]] == move["after"]
        values[move["account_id"]] = move["before"]
    assert values == {"a": "x", "b": "y"}


def test_a_total_may_be_that_of_an_earlier_call(sandbox):
    sandbox.load_accounts(10)
    sandbox.set(moves_in=1, total_hits="stale:3")
    totals = [sandbox.search("accounts", count=1)["total_hits"] for _ in range(20)]
    late = [number + 10 - total for number, total in enumerate(totals)]
    assert min(late) == 0
    assert max(late) == 3
    other = [{"type": "string", "term": "search_name", "contains": "Name"}]
    assert sandbox.search("accounts", terms=other)["total_hits"] == 30


def test_switches_of_movement_are_checked(sandbox):
    for name, value in (("moves_in", "-1"), ("moves_on", "accounts,events,teams")):
        answer = sandbox.http.post(f"{sandbox.url}/sandbox/set", json={name: value})
        assert answer.status_code == 400
        assert name in answer.json()["error"]


def test_rows_come_to_an_empty_tenant(sandbox):
    sandbox.set(moves_in=1, moves_edited=1)
    for what in ("accounts", "users", "events"):
        sandbox.search(what, count=1)
    assert len(keys(sandbox, "users")) == 1
    assert len(sandbox.dump("events")) == 1
    assert len(keys(sandbox)) >= 1


@pytest.mark.parametrize("kind", ["out", "edited"])
def test_where_no_event_is_none_moves(sandbox, kind):
    sandbox.set(**{f"moves_{kind}": 1})
    sandbox.search("events", count=1)
    assert moves(sandbox) == []


def test_an_event_replaces_another(sandbox):
    sandbox.load(events=[{"id": "e", "timestamp": 1, "type": "note", "account": {"id": "a"}}])
    sandbox.set(moves_replaced=1)
    sandbox.search("events", count=1)
    assert [move["move"] for move in moves(sandbox)] == ["out", "in"]
    assert [event["id"] for event in sandbox.dump("events")] != ["e"]
