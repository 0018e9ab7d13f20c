from __future__ import annotations

from collections import Counter


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
