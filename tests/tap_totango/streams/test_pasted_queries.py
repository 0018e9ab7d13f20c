"""A query of the user's own: what is understood is said, what is not is refused before any call."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from copied_requests import TOKEN, chrome_cmd, curl
from stub_totango import hits, ok

TERM = {"type": "string", "term": "status_group", "in_list": ["paying"]}
QUERY = {
    "terms": [TERM],
    "fields": [{"type": "string_attribute", "attribute": "Plan", "field_display_name": "Tier"}],
    "count": 5,
    "scope": "all",
}


@pytest.fixture
def server(stub):
    """A server that finds one row of whatever is asked for."""

    def answer(call):
        stream = next(one for one in ("accounts", "users", "events") if one in call.path)
        values = ["Pro"] * len(call.query["fields"])
        row = {"name": "a", "id": "e", "account": {"name": "a"}, "selected_fields": values}
        return ok(hits(stream, [row] if call.query["offset"] == 0 else [], 1))

    return stub(answer)


def test_what_was_understood_is_said_with_the_number_of_rows(server, tap) -> None:
    form = urlencode({"query": json.dumps(QUERY), "team_id": "7"})
    pasted = curl(chrome_cmd, f"--data-raw {chrome_cmd(form)}", " ^\n  ")
    ran = tap(config=server.config(accounts_query=pasted)).ok()
    assert (
        "the query of accounts_query selects 1 row: 1 filter (status_group in_list), "
        "1 column (Plan), team_id 7." in ran.said
    )
    assert "users_query" not in ran.said
    assert ran.records("accounts")[0]["tier"] == "Pro"
    (asked,) = [call for call in server.asked if call.path.endswith("accounts")]
    assert asked.form["team_id"] == "7"
    assert asked.query["terms"] == [TERM]
    assert asked.query["scope"] == "all"
    assert asked.query["count"] == 1000
    assert TOKEN not in ran.said
    assert TOKEN not in str([(call.form, call.headers) for call in server.asked])
    (other,) = [call for call in server.asked if call.path.endswith("users")]
    assert "team_id" not in other.form


def test_a_team_that_is_set_wins_over_that_of_the_query(server, tap) -> None:
    query = {"query": QUERY, "team_id": 7}
    tap(config=server.config(users_query=query, team_id=-1)).ok()
    assert {call.form["team_id"] for call in server.asked} == {"-1"}


@pytest.mark.parametrize("stream", ["accounts", "users", "events"])
@pytest.mark.parametrize(
    "query",
    [{}, "", {"filters": []}, {"term": [TERM]}, {**QUERY, "limit": 5}, '{"terms": []} {}'],
    ids=str,
)
def test_what_is_no_query_ends_the_run_before_any_call(server, tap, stream: str, query) -> None:
    ran = tap(config=server.config(**{f"{stream}_query": query})).failed(f"{stream}_query")
    assert not server.asked
    assert not ran.messages


def test_filters_of_events(server, tap, discover) -> None:
    config = server.config(events_query={"query": {"terms": [TERM]}, "account_id": "a"})
    catalog = discover(config=config).select("events").deselect("accounts", "users")
    ran = tap(config=config, catalog=catalog).ok()
    assert "the query of events_query selects 1 row: 1 filter (status_group in_list)" in ran.said
    assert {call.form["account_id"] for call in server.asked} == {"a"}
