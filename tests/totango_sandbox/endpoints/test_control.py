from __future__ import annotations

import threading

import pytest

ACCOUNT = {
    "account_id": "a",
    "account_name": "Ä & 🚀",
    "parent_id": "top",
    "product_id": None,
    "first_activity_time": 1,
    "last_activity_time": 2,
    "health": "green",
    "health_prev": "red",
    "health_change": 3,
    "attributes": {"N": 1.5, "T": "x", "D": "2024-01-31", "Big": 12345678901234567890},
}
USER = {
    "account_id": "a",
    "user_id": "joe@x.com",
    "user_name": None,
    "first_activity_time": None,
    "last_activity_time": 5,
    "attributes": {"Role": "Admin"},
}
DATE = {"key_name": "D", "type": "date", "object": "accounts"}


def test_what_is_loaded_is_dumped(sandbox):
    event = {"id": "e1", "timestamp": 7, "type": "note", "account": {"id": "a"}}
    ticket = {"collection_type": "t", "id": "1", "account_id": "a", "attributes": {}}
    sandbox.load(
        attributes=[DATE], accounts=[ACCOUNT], users=[USER], events=[event], collections=[ticket]
    )
    assert sandbox.dump("accounts") == [ACCOUNT]
    assert sandbox.dump("users") == [USER]
    assert sandbox.dump("events") == [event]
    assert sandbox.dump("collections") == [ticket]
    assert DATE in sandbox.dump("attributes")


def test_loading_again_updates_only_what_is_given(sandbox):
    sandbox.load(attributes=[DATE], accounts=[ACCOUNT])
    sandbox.load(accounts=[{"account_id": "a", "attributes": {"T": None, "D": 0}}])
    (account,) = sandbox.dump("accounts")
    assert account["account_name"] == "Ä & 🚀"
    assert account["attributes"] == {"N": 1.5, "D": "1970-01-01", "Big": 12345678901234567890}


def test_loading_somebody_of_staff_again_is_an_update(sandbox):
    for name in ("Dana Reed", "Dana Cohen"):
        sandbox.load(staff=[{"staff_id": "dana@x.com", "staff_name": name}])
    assert [row["staff_name"] for row in sandbox.dump("staff")] == ["Dana Cohen"]


def test_a_loaded_text_is_never_mistaken_for_a_number(sandbox):
    sandbox.load(
        accounts=[{"account_id": "a", "attributes": {"Zip": "00123", "Day": "2024-01-31"}}]
    )
    assert sandbox.dump("accounts")[0]["attributes"] == {"Zip": "00123", "Day": "2024-01-31"}


def test_a_user_brings_its_account(sandbox):
    sandbox.load(users=[USER])
    assert [row["account_id"] for row in sandbox.dump("accounts")] == ["a"]


def test_rows_that_cannot_be_loaded_are_explained(sandbox):
    for document in (
        {"accounts": [{"account_name": "no id"}]},
        {"accounts": "text"},
        {"clients": []},
        {"attributes": [{"key_name": "x", "type": "color"}]},
        {"accounts": [{"account_id": "a", "attributes": {"x": {"y": 1}}}]},
        [],
    ):
        answer = sandbox.http.post(f"{sandbox.url}/sandbox/load", json=document)
        assert answer.status_code == 400, document
        assert answer.json()["error"]


def test_switches_are_set_shown_and_taken_back(sandbox):
    sandbox.set(ties="stable", **{"term.owner": "off"})
    shown = sandbox.http.get(f"{sandbox.url}/sandbox/set").json()
    assert shown == {"rate_limit": "0", "ties": "stable", "term.owner": "off"}
    sandbox.control("reset")
    assert sandbox.http.get(f"{sandbox.url}/sandbox/set").json() == shown
    sandbox.control("reset", {"settings": True})
    assert sandbox.http.get(f"{sandbox.url}/sandbox/set").json() == {"rate_limit": "0"}


def test_wrong_switches_are_explained(sandbox):
    for name, value, word in (
        ("tyes", "stable", "'tyes'"),
        ("ties", "wobbly", "unstable|stable"),
        ("window_rows", "many", "a whole number"),
        ("term.owner", "maybe", "on or off"),
    ):
        wanted = {"terms": "evidenced", name: value}
        answer = sandbox.http.post(f"{sandbox.url}/sandbox/set", json=wanted)
        assert answer.status_code == 400
        assert word in answer.json()["error"]
        assert "terms" not in sandbox.stats()["switches"]


def test_calls_are_recorded_and_counted(sandbox):
    sandbox.load_accounts(3)
    sandbox.search("accounts", count=2, offset=1)
    sandbox.post_search("users", sort_by="nothing")
    sandbox.track(sdr_o="new")
    calls = sandbox.dump("calls")
    assert [(call["surface"], call["status"]) for call in calls] == [
        ("accounts", 200),
        ("users", 400),
        ("tracking", 200),
    ]
    assert (calls[0]["offset"], calls[0]["count"], calls[0]["rows"]) == (1, 2, 2)
    stats = sandbox.stats()
    assert stats["calls"] == {"accounts": {"200": 1}, "users": {"400": 1}, "tracking": {"200": 1}}
    assert stats["rows"]["accounts"] == 4


def test_calls_under_way_at_once_are_counted(sandbox):
    sandbox.chaos("slow=0.3@tracking")
    barrier = threading.Barrier(3)

    def call(number):
        barrier.wait()
        sandbox.http.get(f"{sandbox.url}/pixel.gif", params={"sdr_o": str(number)})

    threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.stats()["max_in_flight"]["tracking"] == 3


def test_reset_empties_everything(sandbox):
    sandbox.load(accounts=[ACCOUNT], users=[USER])
    sandbox.track(sdr_o="a", sdr_u="u", sdr_a="x", sdr_m="y")
    sandbox.track(sdr_o="a b")
    sandbox.control("reset")
    stats = sandbox.stats()
    assert set(stats["rows"].values()) == {0}
    assert stats["calls_total"] == 0
    assert sandbox.names("accounts") == []


def test_front_page_and_unknown_objects(sandbox):
    assert sandbox.url in sandbox.http.get(sandbox.url).text
    answer = sandbox.http.get(f"{sandbox.url}/sandbox/dump", params={"object": "clients"})
    assert answer.status_code == 400
    assert "accounts" in answer.json()["error"]
    assert sandbox.http.get(f"{sandbox.url}/sandbox/nothing").status_code == 404


def test_what_is_loaded_into_a_new_attribute_says_its_type(sandbox):
    values = [None, ["a", "b"], None]
    sandbox.load(
        accounts=[
            {"account_id": f"a{at}", "attributes": {"Tags": value}}
            for at, value in enumerate(values)
        ]
    )
    types = {row["key_name"]: row["type"] for row in sandbox.dump("attributes")}
    assert types["Tags"] == "multi_list"
    assert [row["attributes"].get("Tags") for row in sandbox.dump("accounts")] == [
        None,
        "a,b",
        None,
    ]


@pytest.mark.parametrize(
    ("name", "document", "words"),
    [
        ("chaos", {"specs": "429@all"}, "specs has to be a list"),
        ("chaos", ["429@all"], "the body is not what chaos takes"),
        ("set", [1], "the body is not what set takes"),
        ("load", {"attributes": [{"key_name": "x", "object": "boats"}]}, "'boats' is none of"),
    ],
)
def test_a_body_that_is_not_taken_says_why(sandbox, name, document, words):
    answer = sandbox.http.post(f"{sandbox.url}/sandbox/{name}", json=document)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
