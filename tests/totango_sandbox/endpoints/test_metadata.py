from __future__ import annotations

import pytest


def get(sandbox, path, **params):
    headers = {"app-token": sandbox.token}
    return sandbox.http.get(sandbox.url + path, headers=headers, params=params)


def delete(sandbox, path):
    url = f"{sandbox.url}/api/v2/users/account-user/{path}"
    return sandbox.http.delete(url, headers={"app-token": sandbox.token})


def test_attribute_definitions(sandbox):
    rows = [
        {"key_name": "Contract Value", "type": "currency", "object": "accounts"},
        {"key_name": "Licenses", "type": "number", "object": "accounts"},
        {"key_name": "Role", "type": "list", "object": "users", "options": ["x"]},
    ]
    sandbox.load(attributes=rows)
    assert sandbox.dump("attributes") == rows
    found = get(sandbox, "/api/v1/attributes.json").json()["list"]
    assert [(one["key_name"], one["type"]) for one in found] == [
        ("Contract Value", "currency"),
        ("Licenses", "numeric"),
        ("Role", "list"),
    ]
    assert found[0]["formatSettings"] == {"sign": "USD"}
    assert found[2]["options"] == ["x"]
    sandbox.set(options_shown="objects")
    [*_, role] = get(sandbox, "/api/v1/attributes.json").json()["list"]
    assert role["options"] == [{"name": "x"}]
    sandbox.set(options_shown="off")
    assert "options" not in get(sandbox, "/api/v1/attributes.json").json()["list"][2]
    sandbox.set(attributes_json="off")
    assert get(sandbox, "/api/v1/attributes.json").status_code == 403
    sandbox.set(attributes_json="odd")
    assert "list" not in get(sandbox, "/api/v1/attributes.json").json()
    sandbox.set(attributes_json="404")
    assert get(sandbox, "/api/v1/attributes.json").status_code == 404
    sandbox.set(attributes_json="html")
    page = get(sandbox, "/api/v1/attributes.json")
    assert (page.status_code, page.text[:6]) == (200, "<html>")
    sandbox.set(attributes_json="empty")
    assert get(sandbox, "/api/v1/attributes.json").json() == {"list": []}


@pytest.mark.parametrize(("region", "site"), [("us", "t1"), ("eu", "t11")])
def test_region_lookup_needs_no_token(sandbox, region, site):
    sandbox.set(region=region)
    answer = sandbox.http.get(f"{sandbox.url}/domains/", params={"service_id": "12345"})
    assert answer.json() == {"site": site}


def test_a_single_account(sandbox):
    sandbox.load_accounts(1, attributes={"Status": "Paying"})
    found = get(sandbox, "/api/v2/accounts/a0000/").json()["account"]
    assert (found["status_group"], found["attributes"]["Status"]["val"]) == ("paying", "Paying")
    assert get(sandbox, "/api/v2/accounts/gone/").status_code == 404


def test_deleting_a_user_leaves_its_namesake_and_its_activities(sandbox):
    for account_id in ("a", "b"):
        sandbox.track(sdr_o=account_id, sdr_u="joe.x@y.com", sdr_a="x", sdr_m="y")
    assert delete(sandbox, "a/joe.x%40y.com").status_code == 200
    assert [row["account_id"] for row in sandbox.dump("users")] == ["b"]
    assert sandbox.search("users")["total_hits"] == 1
    assert len(sandbox.dump("activities")) == 2
    assert delete(sandbox, "a/joe.x%40y.com").status_code == 404
    sandbox.set(delete_missing=200)
    assert delete(sandbox, "a/joe.x%40y.com").status_code == 200


def test_a_user_may_be_deleted_twice_before_that_is_seen(sandbox):
    sandbox.track(sdr_o="a", sdr_u="u")
    sandbox.set(visible_after=3600)
    assert [delete(sandbox, "a/u").status_code for _ in range(2)] == [200, 200]
    assert len(sandbox.dump("users")) == 1
    assert sandbox.control("settle") == {"settled": 2}
    assert sandbox.dump("users") == []


def test_deleting_needs_the_token(sandbox):
    sandbox.track(sdr_o="a", sdr_u="u")
    url = f"{sandbox.url}/api/v2/users/account-user/a/u"
    assert sandbox.http.delete(url).status_code == 401
    assert len(sandbox.dump("users")) == 1


def test_a_deleted_user_can_come_back_empty(sandbox):
    sandbox.track(**{"sdr_o": "a", "sdr_u": "u", "sdr_u.Role": "x", "sdr_u.name": "N"})
    delete(sandbox, "a/u")
    sandbox.track(sdr_o="a", sdr_u="u")
    (user,) = sandbox.dump("users")
    assert (user["attributes"], user["user_name"]) == ({}, None)


def test_other_paths_do_not_exist(sandbox):
    assert get(sandbox, "/api/v1/nothing").status_code == 404
    assert get(sandbox, "/api/v1/search/accounts").status_code == 404
