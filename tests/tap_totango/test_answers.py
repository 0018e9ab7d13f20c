"""Every bad answer costs a retry or a clear error: never a traceback, never silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from stub_totango import Reply, hits, ok

TOKEN = "{v2}5ec/ret.t$ken@x+y"
MAIL = "jane.doe@example.com"
FIELDS = [
    {"type": "string_attribute", "attribute": "Plan"},
    {"type": "number_attribute", "attribute": "Seats"},
    {"type": "date_attribute", "attribute": "Since"},
    {"type": "health_trend"},
    {"type": "owner", "account_role": "CSM"},
    {"type": "somethingnew", "field_display_name": "New"},
]


@pytest.fixture
def filled(service):
    """A sandbox with a few accounts and users."""
    service.load(
        accounts=[{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(30)],
        users=[{"account_id": f"a-{n}", "user_id": f"u{n}@example.com"} for n in range(20)],
    )
    return service


@pytest.mark.parametrize(
    "fault",
    ["html", "truncate", "drop", "drop-before", "500", "502", "503", "504", "429", "timeout"],
)
def test_what_passes_is_retried(filled, tap, fault: str) -> None:
    filled.chaos(f"{fault}@search:times=2" + (":retry=0" if fault == "429" else ""))
    ran = tap(request_timeout=0.5, max_retry_seconds=20).ok()
    assert len(ran.keys("accounts")) == 30
    assert len(ran.keys("users")) == 20


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("html", ["not JSON"]),
        ("truncate", ["users"]),
        ("drop", ["dropped"]),
        ("timeout", ["no answer in time", "request_timeout"]),
        ("500", ["500"]),
        ("429", ["429", "rate_limit_per_minute"]),
        ("401", ["401", "app_token", "region: eu"]),
        ("403", ["403", "app_token"]),
        ("404", ["404"]),
        ("failed200", ["users"]),
        ("error200", ["users"]),
        ("errors200", ["users"]),
        ("redirect:to=http://127.0.0.1:9/login", ["redirect", "api_url"]),
    ],
)
def test_what_stays_is_told_and_the_other_stream_is_read(
    filled, tap, fault: str, words: list[str]
) -> None:
    name, _, when = fault.partition(":")
    filled.chaos(f"{name}@users" + (f":{when}" if when else ""))
    words = [word.replace("api_url", "URL") for word in words]
    ran = tap(request_timeout=0.5, max_retry_seconds=0.2).failed("users", *words)
    assert len(ran.keys("accounts")) == 30
    assert ran.bookmark("accounts")["full_refresh_at"]
    assert "full_refresh_at" not in ran.bookmark("users")
    assert "@example.com" not in ran.said


def searching(rows: Any, total: Any = ..., stream: str = "accounts"):
    """A server whose searches answer these rows once, and nothing after; they take no filter."""

    def answer(call) -> Reply:
        if call.query["terms"]:
            return 400, {}, b"no filters here"
        asked = call.path.rsplit("/", 1)[-1]
        if asked != stream or call.query["offset"] > 0:
            return ok(hits(asked, [], 0 if asked != stream else total))
        return ok(hits(stream, rows, total))

    return answer


def read(tap, server, **more: Any):
    query = {"terms": [], "fields": FIELDS}
    config = server.config(accounts_query=query, query_fields="replace", **more)
    return tap(config={**config, "app_token": TOKEN})


def row(name: Any = "a-1", **more: Any) -> dict[str, Any]:
    return {"name": name, "display_name": "Acme", **more}


@pytest.mark.parametrize(
    "document",
    [
        [],
        7,
        "text",
        None,
        {},
        {"status": "success"},
        {"response": {}},
        {"response": {"accounts": []}},
        {"response": {"accounts": {"hits": {}}}},
        {"response": {"accounts": {"hits": None, "total_hits": 3}}},
    ],
)
def test_answers_of_another_shape(stub, tap, document: Any) -> None:
    server = stub(lambda call: ok(json.dumps(document)))
    read(tap, server).failed("accounts", "response.accounts.hits")


@pytest.mark.parametrize(
    "total", [1, 1.0, "1", "1.0", None, "many", -1, True, [1], {}, 0, 1.5], ids=repr
)
def test_odd_counts(stub, tap, total: Any) -> None:
    ran = read(tap, stub(searching([row()], total))).ok()
    assert ran.keys("accounts") == [("a-1",)]


def test_no_count(stub, tap) -> None:
    assert read(tap, stub(searching([row()]))).ok().keys("accounts") == [("a-1",)]


def test_a_count_of_more_than_there_is(stub, tap) -> None:
    ran = read(tap, stub(searching([row()], 3))).failed("2 of 3", "on_incomplete")
    assert not ran.of("ACTIVATE_VERSION", "accounts")
    assert ran.value("accounts") is None


def test_missing_rows_may_be_taken(stub, tap) -> None:
    ran = read(tap, stub(searching([row()], 3)), on_incomplete="warn").ok()
    assert "2 of 3" in ran.said
    assert not ran.of("ACTIVATE_VERSION", "accounts")
    assert "full_refresh_at" not in ran.bookmark("accounts")


@pytest.mark.parametrize(
    "odd",
    [7, "text", None, [], {}, row(None), row(""), row(True), row([1]), row({}), row(1.5)],
    ids=repr,
)
def test_hits_that_cannot_be_used_are_counted(stub, tap, odd: Any) -> None:
    ran = read(tap, stub(searching([row(), odd], 2))).failed("1 row came without an id")
    assert ran.keys("accounts") == [("a-1",)]
    assert not ran.of("ACTIVATE_VERSION", "accounts")


def test_ids_that_came_as_numbers(stub, tap) -> None:
    big = 2**70
    ran = read(tap, stub(searching([row(5), row(big), row("x")], 3))).ok()
    assert set(ran.keys("accounts")) == {("5",), (str(big),), ("x",)}


@pytest.mark.parametrize("number", ["12345.0", "12345.00", "1.2345e4"])
def test_ids_that_came_with_a_fraction_of_nothing(stub, tap, number: str) -> None:
    def answer(call) -> Reply:
        stream = call.path.rsplit("/", 1)[-1]
        rows = [{"name": "#", "account": {"name": "#"}}]
        return ok(json.dumps(hits(stream, rows, 1)).replace('"#"', number))

    ran = tap(config=stub(answer).config()).ok()
    assert ran.keys("accounts") == [("12345",)]
    assert ran.keys("users") == [("12345", "12345")]
    assert ran.said.count("accounts: ids came as numbers such as 5.0, and are read as 5.") == 1


def test_rows_without_an_id_are_named_by_place_and_name(stub, tap) -> None:
    rows = [row(), row(None, display_name="Lost Ltd"), row("a-2"), {"display_name": "Gone Inc"}]
    ran = read(tap, stub(searching(rows, 4))).failed("2 rows came without an id")
    assert ran.keys("accounts") == [("a-1",), ("a-2",)]
    assert "accounts: row 2, 'Lost Ltd', has no id." in ran.said
    assert "accounts: row 4, 'Gone Inc', has no id." in ran.said


def test_no_name_of_a_person_is_said(stub, tap) -> None:
    known = {"name": "a-1", "display_name": "Acme Ltd"}
    rows = [{"display_name": "Ann Lee", "account": known}, {"name": "u", "display_name": "Bo Li"}]
    ran = read(tap, stub(searching(rows, 2, "users"))).failed("2 rows came without an id")
    assert "users: row 1, 'user of Acme Ltd', has no id." in ran.said
    assert "users: row 2, 'user of an unnamed account', has no id." in ran.said
    assert "Lee" not in ran.said
    assert "Bo Li" not in ran.said


def test_a_user_without_an_account_is_counted(stub, tap) -> None:
    rows = [
        {"name": "u@x.com", "account": {"name": "a"}},
        {"name": "u"},
        {"name": "v", "account": 7},
    ]
    server = stub(searching(rows, 3, "users"))
    ran = tap(config=server.config()).failed("2 rows came without an id")
    assert ran.keys("users") == [("a", "u@x.com")]


@pytest.mark.parametrize("values", [..., None, [], ["Pro"], "Pro", {"Plan": "Pro"}, 7])
def test_values_that_are_missing(stub, tap, values: Any) -> None:
    given_row = row() if values is ... else row(selected_fields=values)
    ran = read(tap, stub(searching([given_row], 1))).ok()
    (record,) = ran.records("accounts")
    assert record["plan"] == ("Pro" if values == ["Pro"] else None)
    if values not in (..., None, [], ["Pro"]):
        assert record["_extra"]["selected_fields"] == values
    assert "selected_fields" in ran.said


def test_values_that_are_too_many(stub, tap) -> None:
    values = ["Pro", 3, None, None, None, None, "more", {"and": "more"}]
    ran = read(tap, stub(searching([row(selected_fields=values)], 1))).ok()
    (record,) = ran.records("accounts")
    assert record["plan"] == "Pro"
    assert set(map(str, record["_extra"].values())) == {"more", str({"and": "more"})}
    assert "selected_fields" in ran.said


def test_values_of_the_wrong_type_are_kept_and_counted(stub, tap) -> None:
    values = [{"a": 1}, "many", "someday", "sunny", ["Dana"], [1]]
    rows = [row(f"a-{n}", selected_fields=values, last_activity_time="x", new="y") for n in (1, 2)]
    ran = read(tap, stub(searching(rows, 2))).ok()
    record = ran.records("accounts")[0]
    assert record["_extra"]["plan"] == {"a": 1}
    assert record["_extra"]["seats"] == "many"
    assert record["_extra"]["since"] == "someday"
    assert record["_extra"]["last_activity_time"] == "x"
    assert record["_extra"]["new"] == "y"
    assert record["new"] == [1]
    assert "sunny" in record["_extra"].values()
    assert ["Dana"] in record["_extra"].values()
    for name in ("plan", "seats", "since", "last_activity_time"):
        assert f"2 values of {name} did not fit" in ran.said


@pytest.mark.parametrize("form", ["date", "datetime"])
def test_days_stay_days_in_any_text_form(service, tap, form: str) -> None:
    service.set(simple_dates=form)
    service.load(
        accounts=[{"account_id": "a", "attributes": {"D": "2025-08-20"}}, {"account_id": "b"}]
    )
    fields = [{"type": "simple_date_attribute", "attribute": "D"}]
    ran = tap(accounts_query={"terms": [], "fields": fields}).ok()
    assert ran.schema("accounts")["properties"]["d"]["format"] == "date"
    records = ran.by_key("accounts")
    assert [records[key,]["d"] for key in "ab"] == ["2025-08-20", None]


def test_a_day_with_a_time_of_day_is_kept_beside(stub, tap) -> None:
    fields = [{"type": "simple_date_attribute", "attribute": "D"}]
    rows = [row("a", selected_fields=["2025-08-20T10:30:00Z"])]
    server = stub(searching(rows, 1))
    ran = tap(config=server.config(accounts_query={"terms": [], "fields": fields})).ok()
    (record,) = ran.records("accounts")
    assert record["d"] is None
    assert record["_extra"] == {"d": "2025-08-20T10:30:00Z"}
    assert "1 value of d did not fit" in ran.said


def test_attributes_that_are_days_are_asked_for_as_days(stub, tap) -> None:
    def answer(call) -> Reply:
        if "attributes" in call.path:
            return ok({"list": [{"key_name": "D", "type": "simple_date", "object": "accounts"}]})
        stream = call.path.rsplit("/", 1)[-1]
        values = ["2025-08-20", *[None] * (len(call.query["fields"]) - 1)]
        rows = [row("a", selected_fields=values)] if stream == "accounts" else []
        return ok(hits(stream, rows, len(rows)))

    server = stub(answer)
    ran = tap(config=server.config(discover_attributes=True)).ok()
    assert ran.records("accounts")[0]["d"] == "2025-08-20"
    (asked,) = [call for call in server.asked if call.path.endswith("accounts")]
    assert asked.query["fields"][0] == {"type": "simple_date_attribute", "attribute": "D"}


def test_half_a_character_does_not_cost_a_page(stub, tap) -> None:
    """Text cut in the middle of an emoji arrives as half of a surrogate pair."""
    text = json.dumps(hits("accounts", [row(), row("a-2")], 2))
    cut = text.replace("Acme", "Acme \\ud83d", 1).replace("Acme", "\\ud83d\\ude00 \\\\ud83d")

    def answer(call) -> Reply:
        return ok(cut) if call.path.endswith("accounts") else ok(hits("users", [], 0))

    ran = read(tap, stub(answer)).ok()
    names = [record["account_name"] for record in ran.records("accounts")]
    assert names == ["\U0001f600 \\ud83d \ufffd", "\U0001f600 \\ud83d"]
    assert "U+FFFD" in ran.said


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_lacks_costs_its_value_only(stub, tap, number: str) -> None:
    values = ["Pro", 3, None, None, None, None]
    rows = [
        row("a-1", selected_fields=values),
        row("a-2", selected_fields=["Pro", "#", *values[2:]]),
    ]
    text = json.dumps(hits("accounts", [*rows, row("a-3", selected_fields=values)], 3))
    server = stub(
        lambda call: ok(
            text.replace('"#"', number) if call.path.endswith("accounts") else hits("users", [], 0)
        )
    )
    ran = read(tap, server).ok()
    records = ran.by_key("accounts")
    assert [records[f"a-{n}",]["seats"] for n in (1, 2, 3)] == [3, None, 3]
    assert records["a-2",]["_extra"] == {"seats": number}
    assert "1 value of seats did not fit" in ran.said
    assert number in ran.said
    assert len(server.asked) == 2


@pytest.mark.parametrize("control", ["\n", "\x00", "\x1f", "\t"])
def test_a_raw_control_character_costs_nothing(stub, tap, control: str) -> None:
    text = json.dumps(hits("accounts", [row("a-1"), row("a-2")], 2)).replace(
        "Acme", f"Ac{control}me", 1
    )
    server = stub(lambda call: ok(text if call.path.endswith("accounts") else hits("users", [], 0)))
    ran = read(tap, server).ok()
    assert ran.by_key("accounts")["a-1",]["account_name"] == f"Ac{control}me"
    assert "control characters" in ran.said
    assert len(server.asked) == 2


def test_broken_json_is_named_by_its_place_and_not_asked_for_time_and_again(stub, tap) -> None:
    text = json.dumps(hits("accounts", [row("a-1"), row("a-2", secret="value")], 2))
    broken = text.replace('"a-2"', '"a-2" oops')
    place = broken.index("oops")
    server = stub(
        lambda call: ok(broken if call.path.endswith("accounts") else hits("users", [], 0))
    )
    config = {"max_retry_seconds": 60}
    ran = read(tap, server, **config).failed("accounts", "not JSON", f"at character {place}")
    assert "Acme" not in ran.said
    assert len([call for call in server.asked if call.path.endswith("accounts")]) == 2


def failing(stub, words: str, every: int):
    """A server that fails at every so many calls, inside a 200."""
    calls: list[str] = []

    def answer(call) -> Reply:
        calls.append(call.path)
        if len(calls) % every == 0:
            return ok({"status": "failed", "_error": words})
        stream = call.path.rsplit("/", 1)[-1]
        start, size = call.query["offset"], call.query["count"]
        rows = [row(f"{stream}-{n:03d}", account={"name": "a"}) for n in range(50)]
        return ok(hits(stream, rows[start : start + size], 50))

    return stub(answer), calls


@pytest.mark.parametrize(
    "words", ["internal hiccup", "", "Oops", "Query failed: internal error", "Please try again"]
)
def test_a_failure_inside_a_200_that_passes_is_tried_again(stub, tap, words: str) -> None:
    server, _ = failing(stub, words, every=5)
    ran = tap(config=server.config(max_retry_seconds=60, page_size=5)).ok()
    assert len(ran.keys("accounts")) == len(ran.keys("users")) == 50


@pytest.mark.parametrize(
    "words",
    [
        "unknown attribute Plan",
        "Unsupported term type: date",
        "field Seats is invalid",
        "no such column",
    ],
)
def test_a_refusal_of_a_column_or_a_term_is_believed_at_once(stub, tap, words: str) -> None:
    server, calls = failing(stub, words, every=1)
    tap(config=server.config(max_retry_seconds=60)).failed(words)
    assert len(calls) == 3  # accounts once more, without the columns that are found by trial


def test_a_failure_inside_a_200_that_stays_is_believed_soon(stub, tap) -> None:
    server, calls = failing(stub, "internal hiccup", every=1)
    tap(config=server.config(max_retry_seconds=300)).failed("internal hiccup")
    assert len(calls) == 12  # accounts once more, without the columns that are found by trial


def test_each_failure_is_said_once(filled, tap) -> None:
    filled.chaos("404@accounts", "404@users")
    ran = tap(max_retry_seconds=0).failed("2 of the streams failed", "accounts: ", "users: ")
    assert ran.said.count("search/accounts answered 404") == 1
    assert ran.said.count("search/users answered 404") == 1
    assert '"status":"succeeded"' not in ran.said


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"status":"failed","_error":"no such thing for %s with %s"}', 200),
        ('{"error":{"type":"authentication_failed","message":"%s %s"}}', 200),
        ('{"errors":[{"mail":"%s","token":"%s"}]}', 200),
        ("<html>%s %s</html>", 200),
        ("%s %s", 400),
        ('{"message":"%s %s"}', 401),
        ('{"_error":"%s %s"}', 500),
        ("%s %s", 429),
        ('"%s %s"', 302),
    ],
)
def test_neither_token_nor_mail_is_ever_said(stub, tap, body: str, status: int) -> None:
    text = body % (MAIL, TOKEN)
    server = stub(lambda call: (status, {"X-Request-Id": f"{MAIL}/{TOKEN}"}, text.encode()))
    ran = read(tap, server)
    assert ran.code == 1
    assert TOKEN not in ran.said
    assert MAIL not in ran.said
    assert "Traceback" not in ran.said


def test_an_id_that_comes_twice_is_said_and_points_to_no_partitions(stub, tap) -> None:
    rows = [{"name": f"a-{n % 5}", "selected_fields": []} for n in range(6)]
    ran = tap(config=stub(lambda _: ok(hits("accounts", rows, 6))).config())
    assert len(ran.keys("accounts")) == 5
    assert "accounts: 1 id came more than once in one response" in ran.said
    assert "partitions" not in ran.said
