from __future__ import annotations

import time

import pytest
import requests

TEXTS = [
    "100%",
    "50%25 off",
    "%20",
    "%zz",
    "a+b",
    "a b",
    " leading and trailing ",
    "a&b=c;d?e#f",
    "line\nbreak\ttab\r\n",
    "Größe ñ œ",
    "日本語 العربية עברית",
    "🚀👩‍👩‍👧",
    "é (decomposed)",
    "\"quotes\" 'single' \\ back",
    "<b>html</b>",
    "null",
    "x" * 512,
    "é" * 512,
]


def attributes(sandbox, account_id="acme"):
    rows = {row["account_id"]: row for row in sandbox.dump("accounts")}
    return rows[account_id]["attributes"]


def reasons(sandbox):
    return [row["reason"] for row in sandbox.dump("log")]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_stored_and_found_exactly(sandbox, text):
    sandbox.track(**{"sdr_o": "acme", "sdr_o.T": text, "sdr_o.account_name": text[:128]})
    assert attributes(sandbox) == {"T": text}
    assert sandbox.dump("accounts")[0]["account_name"] == text[:128]
    field = {"type": "string_attribute", "attribute": "T"}
    term = {**field, "eq": text}
    assert sandbox.column("accounts", field, terms=[term]) == [text]
    assert reasons(sandbox) == []


@pytest.mark.parametrize("name", ["Success Manager", "ARR %", "NPS (last)", "Größe", "a+b", "é🚀"])
def test_any_attribute_name_is_kept(sandbox, name):
    sandbox.track(**{"sdr_o": "acme", f"sdr_o.{name}": "x", f"sdr_o.{name.swapcase()}": "y"})
    stored = attributes(sandbox)
    assert stored[name] == ("y" if name == name.swapcase() else "x")
    assert stored[name.swapcase()] == "y"


@pytest.mark.parametrize("path", ["/pixel.gif", "/pixel.gif/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_parameters_may_come_in_the_query(sandbox, method, path):
    params = {"sdr_s": "SP-12345-01", "sdr_o": "acme", "sdr_o.Über Plan": "a+b %"}
    answer = sandbox.http.request(method, sandbox.url + path, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert attributes(sandbox) == {"Über Plan": "a+b %"}


def test_one_call_upserts_account_user_and_activity(sandbox):
    before = int(time.time() * 1000)
    sandbox.track(
        **{
            "sdr_o": "acme",
            "sdr_odn": "Acme",
            "sdr_o.parent_id": "top",
            "sdr_o.product_id": "core",
            "sdr_ofid": "00ABC",
            "sdr_u": "joe@x.com",
            "sdr_u.name": "Joe",
            "sdr_u.Role": "Admin",
            "sdr_a": "Pay",
            "sdr_m": "Billing",
        }
    )
    (account,) = sandbox.dump("accounts")
    (user,) = sandbox.dump("users")
    (activity,) = sandbox.dump("activities")
    assert (account["account_name"], account["parent_id"], account["product_id"]) == (
        "Acme",
        "top",
        "core",
    )
    assert account["attributes"] == {"ofid": "00abc"}
    assert (user["account_id"], user["user_id"], user["user_name"]) == ("acme", "joe@x.com", "Joe")
    assert user["attributes"] == {"Role": "Admin"}
    assert (activity["activity"], activity["module"]) == ("Pay", "Billing")
    assert activity["user_id"] == "joe@x.com"
    for row in (account, user):
        assert before <= row["last_activity_time"] == activity["time"]
        assert row["first_activity_time"] == activity["time"]


def test_attributes_alone_do_not_count_as_activity(sandbox):
    sandbox.track(**{"sdr_o": "acme", "sdr_o.Plan": "Pro", "sdr_u": "joe", "sdr_u.Role": "x"})
    assert sandbox.dump("accounts")[0]["last_activity_time"] is None
    assert sandbox.dump("users")[0]["last_activity_time"] is None


def test_first_activity_stays_and_last_moves(sandbox):
    sandbox.load(
        accounts=[{"account_id": "a", "first_activity_time": 5, "last_activity_time": 6}],
        users=[{"account_id": "a", "user_id": "u"}],
    )
    sandbox.track(sdr_o="a", sdr_u="u", sdr_a="x", sdr_m="y")
    (account,) = sandbox.dump("accounts")
    assert account["first_activity_time"] == 5
    assert account["last_activity_time"] > 1_600_000_000_000
    assert sandbox.search("users")["hits"][0]["is_online"] is True


def test_ids_and_names_are_case_sensitive(sandbox):
    for account_id in ("acme", "Acme"):
        sandbox.track(**{"sdr_o": account_id, "sdr_o.Plan": "x", "sdr_o.plan": "y"})
    assert {row["account_id"] for row in sandbox.dump("accounts")} == {"acme", "Acme"}
    assert attributes(sandbox) == {"Plan": "x", "plan": "y"}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"sdr_s": "SP-12345-01"}, "account id is missing"),
        ({"sdr_o": "acme"}, "sdr_s is missing"),
        ({"sdr_s": "12345", "sdr_o": "acme"}, "wrong sdr_s"),
        ({"sdr_s": "SP-12345-01", "sdr_u": "joe"}, "account id is missing"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a b"}, "account id has characters"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a@b.c"}, "account id has characters"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "é"}, "account id has characters"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a" * 481}, "account id is longer than 480"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_u": "joe+1@x"}, "user id has characters"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_u": "u" * 101}, "user id is longer than 100"),
        (
            {"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_u": "u", "sdr_a": "x"},
            "an activity needs both",
        ),
        (
            {"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_u": "u", "sdr_m": "x"},
            "an activity needs both",
        ),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_a": "x", "sdr_m": "y"}, "needs sdr_u"),
        ({"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_u.Role": "x"}, "without sdr_u"),
        (
            {"sdr_s": "SP-12345-01", "sdr_o": "a", "sdr_u": "u", "sdr_a": "x" * 191, "sdr_m": "y"},
            "too long",
        ),
    ],
)
def test_malformed_calls_are_swallowed_and_logged(sandbox, params, reason):
    sandbox.track_form(params)
    assert sandbox.dump("accounts") == sandbox.dump("users") == sandbox.dump("activities") == []
    (logged,) = reasons(sandbox)
    assert reason in logged


def test_what_is_not_utf8_is_swallowed_and_logged(sandbox):
    url = f"{sandbox.url}/pixel.gif?sdr_s=SP-12345-01&sdr_o=a&sdr_o.T=%ff"
    assert requests.get(url, timeout=10).status_code == 200
    assert (reasons(sandbox), sandbox.dump("accounts")) == (["not UTF-8"], [])


def test_a_value_that_does_not_fit_is_left_out_and_the_others_stay(sandbox):
    sandbox.load(
        attributes=[
            {"key_name": "N", "type": "number", "object": "accounts"},
            {"key_name": "D", "type": "date", "object": "accounts"},
            {"key_name": "L", "type": "list", "object": "accounts", "options": ["x", "y"]},
        ]
    )
    bad = {"sdr_o.N": "1,000", "sdr_o.D": "31.12.2024", "sdr_o.L": "z", "sdr_o.T": "t" * 513}
    sandbox.track(**{"sdr_o": "acme", **bad, "sdr_o.Plan": "Pro"})
    assert attributes(sandbox) == {"Plan": "Pro"}
    logged = {row["attribute"]: row["reason"] for row in sandbox.dump("log")}
    assert logged == {
        "N": "not a number",
        "D": "not an ISO 8601 date",
        "L": "not an option of this list attribute",
        "T": "text is longer than 512 characters",
    }
    good = {"sdr_o.N": "-12.50", "sdr_o.D": "2024-12-31T10:00:00.5Z", "sdr_o.L": "y"}
    sandbox.track(**{"sdr_o": "acme", **good})
    assert attributes(sandbox) == {
        "Plan": "Pro",
        "N": -12.5,
        "D": "2024-12-31T10:00:00.500Z",
        "L": "y",
    }


@pytest.mark.parametrize(
    ("mode", "text", "name"), [("drop", None, None), ("truncate", 512, 128), ("keep", 600, 600)]
)
def test_over_long_values(sandbox, mode, text, name):
    sandbox.set(over_limit=mode)
    sandbox.track(**{"sdr_o": "acme", "sdr_o.T": "t" * 600, "sdr_o.account_name": "n" * 600})
    (account,) = sandbox.dump("accounts")
    assert account["attributes"].get("T") == (text and "t" * text)
    assert account["account_name"] == (name and "n" * name)
    assert len(sandbox.dump("log")) == (2 if mode == "drop" else 0)


def test_an_empty_value_is_ignored_or_clears(sandbox):
    sandbox.track(**{"sdr_o": "acme", "sdr_o.Plan": "Pro", "sdr_o.account_name": "Acme"})
    empty = {"sdr_o": "acme", "sdr_o.Plan": "", "sdr_o.account_name": ""}
    sandbox.track(**empty)
    assert attributes(sandbox) == {"Plan": "Pro"}
    sandbox.set(empty_value="clear")
    sandbox.track(**empty)
    assert attributes(sandbox) == {}
    assert sandbox.dump("accounts")[0]["account_name"] is None


@pytest.mark.parametrize(
    ("text", "type_name"),
    [
        ("49000", "number"),
        ("-0.5", "number"),
        ("007", "text"),
        ("1e5", "text"),
        ("12345678901234567890", "text"),
        ("2024-01-31", "date"),
        ("2024-02-31", "text"),
        ("2024-01-31T10:00:00Z", "date"),
        ("true", "text"),
    ],
)
def test_new_attributes_get_the_type_that_their_first_value_suggests(sandbox, text, type_name):
    sandbox.track(**{"sdr_o": "acme", "sdr_o.New": text})
    assert sandbox.dump("attributes") == [
        {"key_name": "New", "type": type_name, "object": "accounts"}
    ]
    assert str(attributes(sandbox)["New"]) == text.replace("T10:00:00Z", "T10:00:00.000Z")


def test_new_attributes_can_be_dropped_or_always_text(sandbox):
    sandbox.set(unknown_attributes="drop")
    sandbox.track(**{"sdr_o": "acme", "sdr_o.New": "1"})
    assert (attributes(sandbox), reasons(sandbox)) == ({}, ["unknown attribute"])
    sandbox.set(unknown_attributes="text")
    sandbox.track(**{"sdr_o": "acme", "sdr_o.New": "1"})
    assert attributes(sandbox) == {"New": "1"}


def test_a_name_of_a_new_attribute_has_a_longest_length(sandbox):
    sandbox.track(**{"sdr_o": "acme", f"sdr_o.{'n' * 100}": "x", f"sdr_o.{'m' * 101}": "x"})
    assert attributes(sandbox) == {"n" * 100: "x"}
    assert reasons(sandbox) == ["attribute name is longer than 100 characters"]


def test_a_wrong_sdr_token_is_swallowed_or_a_401(sandbox):
    sandbox.set(sdr_token="secret")
    sandbox.track(sdr_o="a")
    assert (sandbox.dump("accounts"), reasons(sandbox)) == ([], ["wrong SDR token"])
    sandbox.set(sdr_token_status=401)
    url, form = f"{sandbox.url}/pixel.gif", {"sdr_s": "SP-12345-01", "sdr_o": "a"}
    assert requests.post(url, data=form, timeout=10).status_code == 401
    carriers = [
        ({"api-token": "secret"}, {}),
        ({}, {"X-API-Token": "secret"}),
        ({}, {"Authorization": "app-token secret"}),
    ]
    for at, (more, headers) in enumerate(carriers):
        data = {**form, "sdr_o": f"a{at}", **more}
        assert requests.post(url, data=data, headers=headers, timeout=10).status_code == 200
    assert len(sandbox.dump("accounts")) == 3


def test_a_write_is_seen_only_after_the_delay(sandbox):
    sandbox.set(visible_after=3600)
    sandbox.track(sdr_o="acme")
    sandbox.hub("accounts", {"accounts": [{"id": "beta"}]})
    assert sandbox.search("accounts")["total_hits"] == 0
    assert sandbox.stats()["delayed_writes"] == 2
    sandbox.set(visible_after=0.05)
    sandbox.control("reset")
    sandbox.track(sdr_o="acme")
    deadline = time.monotonic() + 10
    while not sandbox.names("accounts"):
        assert time.monotonic() < deadline


def test_tracking_is_never_limited(start):
    with start("--seed", "none", "--rate-limit", "1") as sandbox:
        for _ in range(5):
            assert "ratelimit-limit" not in sandbox.track(sdr_o="acme").headers


def test_foreign_keys_are_lower_case_and_salesforce_ids_are_not_taken(sandbox):
    sandbox.track(**{"sdr_o": "a", "sdr_ofid": "CRM-1", "sdr_o.sfid": "0015g00000ABCDEAA2"})
    row = {"id": "b", "attributes": {"ofid": "CRM-2", "sfid": "0015g00000ABCDEAA2"}}
    sandbox.hub("accounts", {"accounts": [row]})
    values = {row["account_id"]: row["attributes"] for row in sandbox.dump("accounts")}
    assert values == {"a": {"ofid": "crm-1"}, "b": {"ofid": "crm-2"}}
    assert [entry["reason"] for entry in sandbox.dump("log")] == ["sfid cannot be written"] * 2
    terms = [{"type": "string_attribute", "attribute": "ofid", "in_list": ["crm-2"]}]
    assert sandbox.names("accounts", terms=terms) == ["b"]
    sandbox.set(sfid_writes="store")
    sandbox.track(**{"sdr_o": "a", "sdr_o.sfid": "0015g00000ABCDEAA2"})
    assert sandbox.dump("accounts")[0]["attributes"]["sfid"] == "0015g00000ABCDEAA2"


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("any", ["Dana Reed", "dana@x.com", "Nobody"]),
        ("known", ["Dana Reed", None, None]),
        ("email", ["Dana Reed", "Dana Reed", None]),
    ],
)
def test_who_can_own_an_account(sandbox, policy, kept):
    sandbox.load(staff=[{"staff_id": "dana@x.com", "staff_name": "Dana Reed"}])
    sandbox.set(owner_values=policy)
    for number, owner in enumerate(("Dana Reed", "dana@x.com", "Nobody")):
        sandbox.track(**{"sdr_o": f"a{number}", "sdr_o.Success Manager": owner})
    rows = sandbox.dump("accounts")
    assert [row["attributes"].get("Success Manager") for row in rows] == kept


def test_a_parent_is_seen_late(sandbox):
    sandbox.set(hierarchy_visible_after=3600)
    sandbox.track(**{"sdr_o": "a", "sdr_o.parent_id": "top", "sdr_o.product_id": "core"})
    assert sandbox.dump("accounts")[0]["parent_id"] is None
    sandbox.control("settle")
    (row,) = sandbox.dump("accounts")
    assert (row["parent_id"], row["product_id"]) == ("top", "core")


def test_what_is_seen_late_brings_no_row_back(sandbox):
    sandbox.set(hierarchy_visible_after=3600, activity_visible_after=3600)
    activity = {"sdr_u": "u", "sdr_a": "x", "sdr_m": "y"}
    sandbox.track(**{"sdr_o": "a", "sdr_o.parent_id": "top", **activity})
    sandbox.set(moves_out=1)
    sandbox.search("accounts")  # after which the account goes, and its user
    assert sandbox.control("settle") == {"settled": 3}
    assert sandbox.dump("accounts") == sandbox.dump("users") == []


@pytest.mark.parametrize("policy", ["truncate", "keep"])
def test_a_long_name_of_an_activity(sandbox, policy):
    sandbox.set(over_limit=policy)
    sandbox.track(sdr_o="a", sdr_u="u", sdr_a="x" * 1000, sdr_m="m")
    (activity,) = sandbox.dump("activities")
    assert (len(activity["activity"]) == 1000) == (policy == "keep")


def test_calls_of_the_system_count_no_activity(sandbox):
    sandbox.track(**{"sdr_o": "a", "sdr_m": "__system", "sdr_o.Plan": "x"})
    assert attributes(sandbox, "a") == {"Plan": "x"}
    assert sandbox.dump("activities") == []


def test_an_attribute_without_a_name_is_none(sandbox):
    sandbox.track(**{"sdr_o": "a", "sdr_u": "u", "sdr_o.": "x", "sdr_u.": "y"})
    assert attributes(sandbox, "a") == {}
    assert [user["attributes"] for user in sandbox.dump("users")] == [{}]


@pytest.mark.parametrize(("declared", "kept"), [("text", {"T": "C"}), ("list", {})])
def test_options_bind_lists_alone(sandbox, declared, kept):
    row = {"key_name": "T", "type": declared, "object": "accounts", "options": ["A", "B"]}
    sandbox.load(attributes=[row])
    sandbox.track(**{"sdr_o": "a", "sdr_o.T": "C"})
    assert attributes(sandbox, "a") == kept
