from __future__ import annotations

from collections import Counter

import pytest

pytestmark = pytest.mark.slow

LISTS = ("touchpoint_types", "touchpoint_tags")


def test_the_same_seed_gives_the_same_rows(start):
    dumps = []
    for seed in ("1", "1", "2"):
        with start("--seed", f"accounts=60,users=90,events=12,seed={seed}") as sandbox:
            dumps.append([sandbox.dump(kind) for kind in ("accounts", "users", "events")])
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


def test_default_amounts_and_what_customers_data_looks_like(start):
    with start() as sandbox:
        accounts, users = sandbox.dump("accounts"), sandbox.dump("users")
        events = sandbox.dump("events")
        definitions = {row["key_name"] for row in sandbox.dump("attributes")}
    assert (len(accounts), len(users), len(events)) == (2500, 4000, 300)
    assert {"Plan", "plan", "NPS (last)", "ARR %", "Größe", "Success Manager"} <= definitions
    assert {event["type"] for event in events} == {"note", "task", "alert", "campaign_touch"}
    names = "".join(row["account_name"] or "" for row in accounts)
    assert set("&+%🚀\"'株ושÅ") <= set(names)
    assert any(row["account_name"] is None for row in accounts)
    assert any(row["last_activity_time"] is None for row in accounts)
    assert any(row["parent_id"] for row in accounts)
    assert any(row["product_id"] for row in accounts)
    times = Counter(row["last_activity_time"] for row in accounts)
    assert times.most_common(1)[0][1] > 500
    assert Counter(row["account_name"] for row in accounts).most_common(2)[1][1] > 1
    assert max(Counter(row["user_id"] for row in users).values()) == 2
    dates = {str(row["attributes"].get("Create Date")) for row in accounts}
    assert any(date < "1970" for date in dates)
    assert any("2099" < date < "2200" for date in dates)
    assert {user["account_id"] for user in users} <= {row["account_id"] for row in accounts}


@pytest.mark.parametrize(("which", "dated"), [("all", 240), ("spread", 240), ("none", 0)])
def test_every_row_or_none_has_times_of_activity(start, which, dated):
    with start("--seed", f"accounts=240,users=240,events=0,activity={which}") as sandbox:
        for kind in ("accounts", "users"):
            rows = sandbox.dump(kind)
            for name in ("first_activity_time", "last_activity_time"):
                moments = [row[name] for row in rows if row[name] is not None]
                assert len(moments) == dated
                if name == "last_activity_time" and dated:
                    assert (Counter(moments).most_common(1)[0][1] == 1) is (which == "spread")


@pytest.mark.parametrize(("which", "dated"), [("all", 300), ("none", 0)])
def test_every_account_or_none_has_a_create_date(start, which, dated):
    with start("--seed", f"accounts=300,users=0,events=0,created={which}") as sandbox:
        created = {"type": "date_attribute", "attribute": "Create Date"}
        column = sandbox.column("accounts", created, count=300)
    assert sum(isinstance(value, int) for value in column) == dated


def test_a_task_goes_through_several_events(start):
    with start("--seed", "accounts=20,users=0,events=120") as sandbox:
        events, tasks = sandbox.dump("events"), sandbox.dump("tasks")
    changes = [event for event in events if event["type"] == "task"]
    assert len(changes) == 30
    assert len(tasks) == 10
    for task in tasks:
        own = [event for event in changes if event["task_content"]["task_id"] == task["id"]]
        own.sort(key=lambda event: event["timestamp"])
        assert [event["task_content"]["action"] for event in own] == ["add", "update", "complete"]
        assert {event["account"]["id"] for event in own} == {task["account_id"]}
        assert own[-1]["task_content"]["status"]["current"] == task["status"] == "closed"


def test_touchpoints_use_the_reference_lists_and_lack_parts_at_times(start):
    with start("--seed", "accounts=20,users=0,events=400") as sandbox:
        notes = [event for event in sandbox.dump("events") if event["type"] == "note"]
        types, tags = ({row["id"] for row in sandbox.dump(kind)} for kind in LISTS)
    assert all("note_content" in event for event in notes)
    properties = [event["properties"] for event in notes if "properties" in event]
    assert 0 < len(properties) < len(notes)
    assert {one["meeting_type"] for one in properties} == types
    assert {tag for one in properties for tag in one["touchpoint_tags"]} == tags
    assert any("totango_user" not in event["note_content"] for event in notes)
    backdated = [one for one in properties if one["last_edit_time"]]
    assert all(one["creation_time"] < one["last_edit_time"] for one in backdated)
    assert backdated


def test_settings_of_a_tenant_are_made_up_too(start):
    seed = "accounts=20,users=0,events=0,collections=30,keys=all"
    with start("--seed", seed) as sandbox:
        rows = sandbox.stats()["rows"]
        accounts = sandbox.dump("accounts")
        kinds = {row["collection_type"] for row in sandbox.dump("collections")}
    assert (rows["staff"], rows["teams"], rows["jobs"], rows["audit"]) == (7, 3, 2, 200)
    assert rows["collections"] == 30
    assert kinds == {"tickets"}
    assert len({row["attributes"]["ofid"] for row in accounts}) == 20
    assert {len(row["attributes"]["sfid"]) for row in accounts} == {18}
