from __future__ import annotations

import time


def test_headers_count_down_and_the_next_call_is_refused(sandbox):
    sandbox.set(rate_limit=3)
    answers = [sandbox.post_search("accounts") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    last = answers[-1]
    assert last.headers["RateLimit-Limit"] == "3"
    assert 1 <= int(last.headers["RateLimit-Reset"]) <= 60
    assert last.headers["Retry-After"] == last.headers["RateLimit-Reset"]
    assert last.text == '"Too many requests"'


def test_all_rest_surfaces_share_one_budget(sandbox):
    sandbox.set(rate_limit=2)
    sandbox.post_search("events")
    assert sandbox.hub("accounts", {"accounts": []}).status_code == 202
    assert sandbox.post_search("users").status_code == 429
    sandbox.set(hub_rate_limit="off")
    assert sandbox.hub("accounts", {"accounts": []}).status_code == 202


def test_refused_tokens_spend_nothing(sandbox):
    sandbox.set(rate_limit=1)
    url = f"{sandbox.url}/api/v1/search/accounts"
    for _ in range(3):
        assert sandbox.http.post(url, headers={"app-token": "wrong"}).status_code == 401
    assert sandbox.post_search("accounts").status_code == 200


def test_headers_can_be_named_otherwise_or_missing(sandbox):
    sandbox.set(rate_limit=1, rate_headers="X-RateLimit", rate_reset="epoch", retry_after="off")
    sandbox.post_search("accounts")
    refused = sandbox.post_search("accounts")
    assert refused.status_code == 429
    assert abs(int(refused.headers["X-RateLimit-Reset"]) - time.time()) < 65
    assert "Retry-After" not in refused.headers
    sandbox.set(rate_headers="none")
    headers = sandbox.post_search("accounts").headers
    assert not [name for name in headers if "ratelimit" in name.lower()]


def test_a_window_ends(sandbox):
    sandbox.set(rate_limit=1, rate_window=0.2)
    assert sandbox.post_search("accounts").status_code == 200
    deadline = time.monotonic() + 10
    while sandbox.post_search("accounts").status_code == 429:
        assert time.monotonic() < deadline
