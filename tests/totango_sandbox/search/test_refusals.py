"""Queries that a search does not understand are refused with the reason."""

from __future__ import annotations

import json

import pytest

PLAN = {"type": "string_attribute", "attribute": "Plan"}
DAY = {"type": "simple_date_attribute", "attribute": "D"}


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ({"type": "string", "term": "nickname", "eq": "x"}, "unknown string term 'nickname'"),
        ({"type": "number", "term": "karma", "eq": 1}, "unknown number term 'karma'"),
        ({"type": "date", "term": "birthday", "gte": 0}, "'date' does not support 'gte'"),
        ({"type": "date", "term": "date", "eq": 7}, "with eq 0 only"),
        ({"type": "string_attribute", "eq": "x"}, "needs an attribute"),
        ({"type": "string", "term": "search_name", "contains": 5}, "contains needs a text"),
        ({**PLAN, "in_list": "Pro"}, "a list of values is needed"),
        ({"type": "number_attribute", "attribute": "N", "gte": "1"}, "gte needs a number"),
        ({**DAY, "gte": "tomorrow"}, "'tomorrow' is not a date"),
        ({**DAY, "joker": "next_week"}, "unknown joker 'next_week'"),
        ({"type": "parent_account", "terms": []}, "parent_account is for users"),
        ({"type": "or", "or": []}, "or needs a list of terms"),
    ],
)
def test_a_term_that_is_not_understood(sandbox, term, reason):
    answer = sandbox.post_search("accounts", terms=[term])
    assert answer.status_code == 400
    assert reason in answer.text


def test_a_parent_account_needs_terms(sandbox):
    answer = sandbox.post_search("users", terms=[{"type": "parent_account", "terms": "all"}])
    assert "a list of terms" in answer.text


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ({"type": "event_property", "name": "event_type", "in_list": "note"}, "needs a list"),
        ({"type": "date", "term": "create_date", "gte": 1}, "unknown date term 'create_date'"),
        ({"type": "date", "term": "date", "gte": "today"}, "gte needs epoch milliseconds"),
        ({"type": "or", "or": {}}, "or needs a list of terms"),
    ],
)
def test_a_term_of_events_that_is_not_understood(sandbox, term, reason):
    assert reason in sandbox.post_search("events", offset=0, terms=[term]).text
    sandbox.set(unsupported_term="ignore")
    assert sandbox.post_search("events", offset=0, terms=[term]).status_code == 200


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"type": "string", "term": "nickname"}, "unknown string field 'nickname'"),
        ({"type": "number", "term": "karma"}, "unknown number field 'karma'"),
        ({"type": "date", "term": "birthday"}, "unknown date field 'birthday'"),
        ({"type": "simple_date", "term": "birthday"}, "unknown simple_date field 'birthday'"),
    ],
)
def test_a_field_that_is_not_understood(sandbox, field, reason):
    answer = sandbox.post_search("accounts", fields=[field])
    assert answer.status_code == 400
    assert reason in answer.text


def test_a_trend_is_for_accounts(sandbox):
    answer = sandbox.post_search("users", fields=[{"type": "health_trend"}])
    assert "health_trend is for accounts" in answer.text


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({}, "query is missing"),
        ({"query": "{"}, "query is not JSON"),
        ({"query": "[]"}, "query is not an object"),
        ({"query": '{"terms": [], "fields": [], "sort_by": "height"}'}, "cannot sort by 'height'"),
        ({"query": '{"terms": [], "fields": [], "sort_order": "UP"}'}, "ASC or DESC, not 'UP'"),
        ({"query": '{"terms": [], "fields": [], "count": -1}'}, "count has to be a whole number"),
        ({"query": b"\xff"}, "not UTF-8"),
    ],
)
def test_a_form_that_is_not_understood(sandbox, form, reason):
    answer = sandbox.http.post(
        f"{sandbox.url}/api/v1/search/accounts", data=form, headers={"app-token": sandbox.token}
    )
    assert answer.status_code == 400
    assert reason in answer.text


@pytest.mark.parametrize(
    ("body", "reason"), [("{", "the body is not JSON"), ("[]", "the body is not an object")]
)
def test_a_body_of_json_that_is_not_understood(sandbox, body, reason):
    sandbox.set(json_body="on")
    headers = {"app-token": sandbox.token, "content-type": "application/json"}
    url = f"{sandbox.url}/api/v1/search/accounts"
    assert reason in sandbox.http.post(url, data=body, headers=headers).text
    query = {"query": json.dumps({"terms": [], "fields": []})}
    assert sandbox.http.post(url, json=query, headers=headers).status_code == 200
