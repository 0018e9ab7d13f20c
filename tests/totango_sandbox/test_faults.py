from __future__ import annotations

import json

import pytest
import requests


def statuses(sandbox, calls, what="accounts"):
    return [sandbox.post_search(what, count=5).status_code for _ in range(calls)]


def test_the_nth_call_on_its_surface(sandbox):
    sandbox.chaos("500@search:3")
    assert statuses(sandbox, 2) == [200, 200]
    assert statuses(sandbox, 2, "users") == [500, 200]


def test_every_nth_call_and_no_more_than_so_often(sandbox):
    sandbox.chaos("503@accounts:every=2:times=2")
    assert statuses(sandbox, 7) == [200, 503, 200, 503, 200, 200, 200]


def test_a_share_of_calls_is_the_same_each_time(sandbox):
    sandbox.chaos("503@accounts:p=0.4")
    first = statuses(sandbox, 30)
    sandbox.chaos("503@accounts:p=0.4")
    assert statuses(sandbox, 30) == first
    assert 0 < first.count(503) < 30


def test_calls_that_hold_a_text(sandbox):
    sandbox.chaos("400@tracking:match=a b")
    url = f"{sandbox.url}/pixel.gif"
    form = {"sdr_s": "SP-12345-01", "sdr_o": "acme", "sdr_o.T": "is a b here"}
    assert requests.post(url, data=form, timeout=10).status_code == 400
    assert sandbox.dump("accounts") == []
    sandbox.track(**{"sdr_o": "acme", "sdr_o.T": "ab"})
    assert len(sandbox.dump("accounts")) == 1


def test_a_429_looks_like_the_real_one(sandbox):
    sandbox.chaos("429@api:1:retry=7")
    refused = sandbox.post_search("events", count=1, offset=0)
    assert (refused.status_code, refused.text) == (429, '"Too many requests"')
    assert refused.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("fault", "key"), [("failed200", "_error"), ("errors200", "errors"), ("error200", "error")]
)
def test_failures_inside_a_200(sandbox, fault, key):
    sandbox.chaos(f"{fault}@search:1")
    answer = sandbox.post_search("accounts")
    assert answer.status_code == 200
    assert key in answer.json()
    assert sandbox.post_search("accounts").json()["status"] == "success"


def test_a_page_that_is_no_json(sandbox):
    sandbox.chaos("html@search:1")
    answer = sandbox.post_search("accounts")
    assert (answer.status_code, answer.text[:6]) == (200, "<html>")


@pytest.mark.parametrize("stored", [0, 1])
@pytest.mark.parametrize(
    ("fault", "say", "kind"),
    [
        ("answer", "<html>Log in</html>", "text/html"),
        ("answer", '{"status": "failed"}', "application/json"),
        ("answer", '{"deleted": 0}', "application/json"),
        ("answer", "Not permitted: ever", "text/plain"),
        ("answer", "null", "application/json"),
        ("answer", "", "text/plain"),
        ("html", None, "text/html"),
        ("500", None, "text/html"),
        ("failed200", "internal hiccup", "application/json"),
    ],
)
def test_another_answer_to_a_call_that_was_processed_or_not(sandbox, fault, say, kind, stored):
    when = ":applied" * stored + (f":say={say}" if say is not None else "")
    sandbox.chaos(f"{fault}@tracking:every=2{when}")
    form = {"sdr_s": sandbox.info["service_id"], "sdr_o": "first"}
    url = f"{sandbox.url}/pixel.gif"
    assert requests.post(url, data=form, timeout=10).content[:3] == b"GIF"
    answer = requests.post(url, data={**form, "sdr_o": "second"}, timeout=10)
    assert answer.status_code == (500 if fault == "500" else 200)
    assert answer.headers["content-type"].startswith(kind)
    if say is not None:
        assert say == answer.text or say in answer.json().values()
    assert len(sandbox.dump("accounts")) == 1 + stored


def test_an_answer_with_a_status_of_its_own(sandbox):
    sandbox.load(users=[{"account_id": "a", "user_id": "u"}])
    sandbox.chaos("answer@delete:status=404:say=<html>Not found</html>")
    url = f"{sandbox.url}/api/v2/users/account-user/a/u"
    answer = sandbox.http.delete(url, headers={"app-token": sandbox.token})
    assert (answer.status_code, answer.text) == (404, "<html>Not found</html>")
    assert len(sandbox.dump("users")) == 1


def test_a_row_that_makes_the_hub_fail(sandbox):
    sandbox.chaos("500@hub:match=poison")
    rows = [{"id": "a"}, {"id": "poison"}]
    assert sandbox.hub("accounts", {"accounts": rows}).status_code == 500
    assert sandbox.hub("accounts", {"accounts": rows[:1]}).status_code == 202
    assert [row["account_id"] for row in sandbox.dump("accounts")] == ["a"]


@pytest.mark.parametrize(
    ("fault", "word"), [("nan", "NaN"), ("infinity", "Infinity"), ("control", "raw \x01 and \x1f")]
)
def test_a_row_that_strict_parsers_refuse(sandbox, fault, word):
    sandbox.load_accounts(5, attributes={"N": 1})
    sandbox.load(events=[{"id": "e1", "timestamp": 1, "type": "note"}])
    sandbox.chaos(f"{fault}@api")
    field = {"type": "number_attribute", "attribute": "N"}
    text = sandbox.post_search("accounts", fields=[field]).text
    assert text.count(word) == 1
    row = json.loads(text, strict=False)["response"]["accounts"]["hits"][2]
    assert row["name"] == "a0002"
    assert word in sandbox.post_search("events", count=5, offset=0).text
    assert "subject" not in str(sandbox.dump("events"))
    sandbox.chaos()
    assert sandbox.column("accounts", field) == [1] * 5


def test_control_characters_of_texts_come_raw_when_switched_so(sandbox):
    name = "back\\u0001slash \x02"
    sandbox.load(accounts=[{"account_id": "a", "account_name": name}])
    assert sandbox.search("accounts")["hits"][0]["display_name"] == name
    sandbox.set(control_characters="raw")
    text = sandbox.post_search("accounts").text
    with pytest.raises(ValueError, match="control character"):
        json.loads(text)
    hits = json.loads(text, strict=False)["response"]["accounts"]["hits"]
    assert hits[0]["display_name"] == name


def test_a_redirect_to_anywhere(sandbox):
    sandbox.chaos("redirect@search:1:to=http://127.0.0.1:9/x?a=b:c")
    url = f"{sandbox.url}/api/v1/search/accounts"
    answer = requests.post(url, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "http://127.0.0.1:9/x?a=b:c",
    )


@pytest.mark.parametrize(
    ("fault", "stored"),
    [("drop", 1), ("drop-before", 0), ("timeout:hang=0", 0), ("timeout-after:hang=0", 1)],
)
def test_connections_close_after_or_before_the_work(sandbox, fault, stored):
    name, _, condition = fault.partition(":")
    sandbox.chaos(f"{name}@tracking:1" + (f":{condition}" if condition else ""))
    with pytest.raises(requests.ConnectionError):
        sandbox.track(sdr_o="acme")
    assert len(sandbox.dump("accounts")) == stored
    sandbox.track(sdr_o="acme")
    assert sandbox.stats()["calls"]["tracking"] == {"0": 1, "200": 1}


def test_a_timeout_holds_the_connection(sandbox):
    sandbox.chaos("timeout@accounts:1:hang=60")
    url = f"{sandbox.url}/api/v1/search/accounts"
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, timeout=0.2)


def test_a_body_that_stops_in_the_middle(sandbox):
    sandbox.load_accounts(50)
    sandbox.chaos("truncate@accounts:1")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        sandbox.post_search("accounts")
    assert len(sandbox.names("accounts")) == 50


def test_slow_calls_are_answered_and_other_rules_still_apply(sandbox):
    sandbox.chaos("slow=0.01@accounts", "503@accounts:2")
    assert statuses(sandbox, 3) == [200, 503, 200]
    assert all(call["ms"] >= 10 for call in sandbox.dump("calls"))


def test_a_page_comes_twice(sandbox):
    sandbox.load_accounts(10)
    sandbox.chaos("duplicate-page@accounts:2")
    first = sandbox.names("accounts", offset=0, count=4)
    assert sandbox.names("accounts", offset=4, count=4) == first
    assert sandbox.names("accounts", offset=4, count=4) != first


def test_a_page_is_short_though_there_is_more(sandbox):
    sandbox.load_accounts(10)
    sandbox.chaos("short-page@accounts:1")
    assert len(sandbox.names("accounts", count=8)) == 4
    assert len(sandbox.names("accounts", count=8)) == 8


@pytest.mark.parametrize(
    ("fault", "second", "total"),
    [("shift", ["a0003", "a0004"], 11), ("shift-delete", ["a0005", "a0006"], 9)],
)
def test_rows_move_between_two_pages(sandbox, fault, second, total):
    sandbox.load_accounts(10)
    sandbox.chaos(f"{fault}@accounts:2")
    assert sandbox.names("accounts", offset=0, count=4) == ["a0000", "a0001", "a0002", "a0003"]
    page = sandbox.search("accounts", offset=4, count=2)
    assert [hit["name"] for hit in page["hits"]] == second
    assert page["total_hits"] == total


def test_users_move_too(sandbox):
    sandbox.load(users=[{"account_id": "a", "user_id": f"u{at}"} for at in range(4)])
    sandbox.chaos("shift@users:2", "shift-delete@users:3")
    assert sandbox.names("users", offset=2, count=1) == ["u2"]
    assert sandbox.names("users", offset=2, count=1) == ["u1"]
    assert sandbox.names("users", offset=2, count=1) == ["u2"]


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("500", "fault@surface"),
        ("500@nowhere", "nowhere"),
        ("nonsense@search", "nonsense"),
        ("200@search", "200"),
        ("500@search:every=0", "'0'"),
        ("500@search:often", "'often'"),
        ("500@search:color=red", "color=red"),
        ("slow=x@search", "'x'"),
        ("redirect@search", "to=URL"),
        ("drop@search:applied", "applied"),
        ("answer@search:status=99", "'99'"),
    ],
)
def test_rules_that_cannot_be_read_are_explained(sandbox, spec, word):
    sandbox.chaos("503@accounts")
    answer = sandbox.http.post(f"{sandbox.url}/sandbox/chaos", json={"specs": [spec]})
    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert sandbox.post_search("accounts").status_code == 503
