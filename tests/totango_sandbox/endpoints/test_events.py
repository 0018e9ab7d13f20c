from __future__ import annotations

import pytest


def event(number, kind="note", account="a"):
    return {
        "id": f"e{number}",
        "timestamp": number * 1000,
        "type": kind,
        "account": {"id": account, "display_name": account},
        "properties": {"subject": "QBR"},
    }


@pytest.fixture
def filled(sandbox):
    kinds = ("note", "task", "alert", "campaign_touch")
    sandbox.load(events=[event(at, kinds[at % 4], "ab"[at % 2]) for at in range(10)])
    return sandbox


def ids(sandbox, **query):
    form = query.pop("form", None)
    answer = sandbox.post_search("events", form=form, **{"count": 100, "offset": 0, **query})
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["response"]["events"]["hits"]]


def test_events_come_whole_and_newest_first(filled):
    answer = filled.post_search("events", count=1, offset=0).json()
    assert answer["response"]["events"] == {"hits": [event(9, "task", "b")]}
    filled.set(events_order="asc", events_total="on")
    answer = filled.post_search("events", count=1, offset=0).json()
    assert answer["response"]["events"]["total_hits"] == 10
    assert answer["response"]["events"]["hits"][0]["id"] == "e0"


def test_offset_is_a_page_or_a_row(filled):
    assert ids(filled, count=3, offset=2) == ["e3", "e2", "e1"]
    assert ids(filled, count=3, offset=4) == []
    filled.set(events_offset="row")
    assert ids(filled, count=3, offset=2) == ["e7", "e6", "e5"]


def test_filters(filled):
    note = {"type": "event_property", "name": "event_type", "eq": "note"}
    task = {"type": "event_property", "name": "event_type", "eq": "task"}
    since = {"type": "date", "term": "date", "gte": 5000}
    assert ids(filled, terms=[note]) == ["e8", "e4", "e0"]
    assert ids(filled, terms=[{"type": "or", "or": [note, task]}, since]) == ["e9", "e8", "e5"]
    assert ids(filled, terms=[{**since, "lt": 7000}]) == ["e6", "e5"]
    assert ids(filled, form={"account_id": "b"}, terms=[since]) == ["e9", "e7", "e5"]


def test_what_events_do_not_offer(filled):
    for terms in (
        [{"type": "string", "term": "health", "eq": "red"}],
        [{"type": "event_property", "name": "subject", "eq": "x"}],
        [{"type": "date", "term": "date", "joker": "last_week"}],
    ):
        assert filled.post_search("events", terms=terms).status_code == 400
    assert filled.post_search("events", fields=[{"type": "string"}]).status_code == 400
    filled.set(terms="evidenced")
    since = {"type": "date", "term": "date", "gte": 5000}
    assert filled.post_search("events", terms=[since]).status_code == 200
    assert filled.post_search("events", terms=[{**since, "lte": 9000}]).status_code == 400


def test_no_ceiling_for_events(filled):
    filled.set(window_rows=2)
    assert len(ids(filled)) == 10
