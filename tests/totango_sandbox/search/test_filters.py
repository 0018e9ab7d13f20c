from __future__ import annotations

import time

import pytest

DAY = 86_400_000


@pytest.fixture
def filled(sandbox):
    sandbox.load(
        attributes=[{"key_name": "D", "type": "date", "object": "accounts"}],
        accounts=[
            {
                "account_id": f"a{at}",
                "account_name": f"Name {at}",
                "last_activity_time": None if at == 0 else at * 1000,
                "health": ("green", "red")[at % 2],
                "attributes": {
                    "Plan": ("Pro", "Basic", None)[at % 3],
                    "plan": "monthly",
                    "N": None if at == 5 else at,
                    "D": None if at == 5 else at * DAY,
                    "Status": ("Paying", "Trial")[at % 2],
                    "Success Manager": ("Dana Reed", "Noa Cohen")[at % 2],
                },
            }
            for at in range(6)
        ],
    )
    return sandbox


def found(sandbox, *terms):
    return sorted(name[1:] for name in sandbox.names("accounts", terms=list(terms)))


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ({"type": "string", "term": "identifier", "eq": "a3"}, "3"),
        ({"type": "string", "term": "identifier", "in_list": ["a3", "A4"]}, "3"),
        ({"type": "string", "term": "identifier", "not_in_list": ["a3", "A4"]}, "01245"),
        ({"type": "string", "term": "search_name", "contains": "me 2"}, "2"),
        ({"type": "string", "term": "health", "in_list": ["red"]}, "135"),
        ({"type": "string", "term": "status_group", "in_list": ["paying"]}, "024"),
        ({"type": "string", "term": "status_group", "in_list": ["unknown"]}, "135"),
        ({"type": "string_attribute", "attribute": "Plan", "in_list": ["Pro"]}, "03"),
        ({"type": "string_attribute", "attribute": "plan", "eq": "monthly"}, "012345"),
        ({"type": "string_attribute", "attribute": "N", "eq": "4"}, "4"),
        ({"type": "owner", "is_one_of": ["dana.reed@sandbox.example"]}, "024"),
        ({"type": "totango_user_scope", "is_one_of": ["noa.cohen@sandbox.example"]}, "135"),
        ({"type": "active_list", "is_in_one_of": [1]}, "012345"),
        (
            {
                "type": "lifecycle_attribute_stage_by_id",
                "attribute": "Plan",
                "not_in_list": ["Pro"],
            },
            "1245",
        ),
        ({"type": "date", "term": "date", "eq": 0}, "012345"),
        ({"type": "date", "term": "last_activity_time", "gte": 3000}, "345"),
        ({"type": "date", "term": "last_activity_time", "gt": 3000, "lte": 5000}, "45"),
        ({"type": "date", "term": "last_activity_time", "lt": 2000}, "1"),
        ({"type": "date_attribute", "attribute": "D", "gte": DAY, "lt": 3 * DAY}, "12"),
        ({"type": "simple_date_attribute", "attribute": "D", "lte": "1970-01-02"}, "01"),
        ({"type": "number_attribute", "attribute": "N", "gte": 3}, "34"),
        ({"type": "number_attribute", "attribute": "N", "in_list": [0, 4]}, "04"),
        ({"type": "list_attribute", "attribute": "Plan", "eq": "Basic"}, "14"),
        ({"type": "string_attribute", "attribute": "None", "eq": "x"}, ""),
        ({"type": "number_attribute", "attribute": "None", "gte": 0}, ""),
        ({"type": "number_attribute", "attribute": "Plan", "gte": 0}, ""),
        ({"type": "simple_date_attribute", "attribute": "None", "gte": "1970-01-01"}, ""),
        ({"type": "number", "term": "contract_value", "gte": 0}, ""),
        ({"type": "date", "term": "create_date", "gte": 0}, ""),
        (
            {
                "or": [
                    {"type": "string", "term": "identifier", "eq": "a1"},
                    {"type": "string_attribute", "attribute": "Plan", "eq": "Pro"},
                ],
                "type": "or",
            },
            "013",
        ),
    ],
)
def test_each_filter(filled, term, expected):
    assert "".join(found(filled, term)) == expected


def test_a_score_is_filtered_by_where_it_was_loaded(sandbox):
    rows = [{"account_id": f"a{at}", "attributes": {"score": at}} for at in range(4)]
    sandbox.load(accounts=rows)
    assert found(sandbox, {"type": "number", "term": "score", "gte": 2}) == ["2", "3"]


def test_terms_are_anded_and_counted(filled):
    terms = [
        {"type": "string", "term": "health", "eq": "green"},
        {"type": "number_attribute", "attribute": "N", "gte": 1},
    ]
    assert found(filled, *terms) == ["2", "4"]
    assert filled.search("accounts", terms=terms, count=1)["total_hits"] == 2


def test_a_filter_follows_writes(filled):
    term = {"type": "string_attribute", "attribute": "Plan", "eq": "Pro"}
    assert found(filled, term) == ["0", "3"]
    filled.track(**{"sdr_o": "a1", "sdr_o.Plan": "Pro"})
    assert found(filled, term) == ["0", "1", "3"]


def test_jokers_count_from_today(sandbox):
    from datetime import UTC, datetime, timedelta

    today = datetime.now(tz=UTC).date()
    sandbox.track(**{"sdr_o": "soon", "sdr_o.Renewal": str(today + timedelta(days=95))})
    sandbox.track(**{"sdr_o": "late", "sdr_o.Renewal": str(today + timedelta(days=300))})
    term = {
        "type": "simple_date_attribute",
        "attribute": "Renewal",
        "joker": "between_next_90_and_200_days",
    }
    assert sandbox.names("accounts", terms=[term]) == ["soon"]
    unknown = sandbox.post_search("accounts", terms=[{**term, "joker": "next_week"}])
    assert unknown.status_code == 400


INFERRED = [
    {"type": "date", "term": "last_activity_time", "gte": 3000},
    {"type": "date_attribute", "attribute": "D", "gte": 0},
    {"type": "number_attribute", "attribute": "N", "gte": 0},
    {"type": "simple_date_attribute", "attribute": "D", "gte": "1970-01-01"},
]


@pytest.mark.parametrize("term", INFERRED)
def test_inferred_filters_are_refused_when_only_evidenced_ones_exist(filled, term):
    assert filled.post_search("accounts", terms=[term]).status_code == 200
    filled.set(terms="evidenced")
    assert filled.post_search("accounts", terms=[term]).status_code == 400
    filled.set(unsupported_term="ignore")
    assert filled.search("accounts", terms=[term])["total_hits"] == 6


def test_evidenced_filters_stay(filled):
    filled.set(terms="evidenced")
    assert found(filled, {"type": "string", "term": "health", "eq": "red"}) == ["1", "3", "5"]


def test_single_types_and_operators_can_be_switched(filled):
    term = {"type": "date", "term": "last_activity_time", "gte": 3000}
    as_of = {"type": "date", "term": "date", "eq": 0}
    filled.set(**{"term.date.last_activity_time": "off"})
    assert filled.post_search("accounts", terms=[term]).status_code == 400
    assert filled.post_search("accounts", terms=[as_of]).status_code == 200
    filled.set(**{"term.date.last_activity_time": "on", "op.date.gte": "off"})
    assert filled.post_search("accounts", terms=[term]).status_code == 400
    below = {"type": "date", "term": "last_activity_time", "lte": 3000}
    assert found(filled, below) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "term",
    [
        {"type": "string_attribute", "attribute": "Plan", "is_null": True},
        {"type": "string_attribute", "attribute": "Plan", "eq": None},
        {"type": "date_attribute", "attribute": "D", "exists": False},
    ],
)
def test_there_is_no_filter_for_missing_values(filled, term):
    assert filled.post_search("accounts", terms=[term]).status_code == 400


def test_a_joker_is_about_dates_of_every_kind(sandbox):
    now = int(time.time() * 1000)
    moments = [now - DAY, now - 3 * DAY]
    sandbox.load(
        accounts=[
            {"account_id": f"a{at}", "last_activity_time": moment}
            for at, moment in enumerate(moments)
        ],
        events=[
            {"id": f"e{at}", "timestamp": moment, "type": "note", "account": {"id": "a"}}
            for at, moment in enumerate(moments)
        ],
    )
    term = {"type": "date", "term": "last_activity_time", "joker": "yesterday"}
    assert sandbox.names("accounts", terms=[term]) == ["a0"]
    hits = sandbox.search("events", terms=[{**term, "term": "date"}])["hits"]
    assert [hit["id"] for hit in hits] == ["e0"]


def test_terms_about_columns_that_are_not_there(filled):
    stage = {"type": "lifecycle_attribute_stage_by_id", "attribute": "Nope"}
    assert found(filled, {**stage, "in_list": ["x"]}) == []
    assert found(filled, {**stage, "not_in_list": ["x"]}) == list("012345")
    assert found(filled, {**stage, "not_in_list": ["x"], "in_list": ["x"]}) == []


def test_a_segment_is_a_part_of_the_accounts_that_stays_the_same(filled):
    parts = [found(filled, {"type": "active_list", "is_in_one_of": [at]}) for at in range(2, 22)]
    assert set().union(*parts) <= set("012345")
    assert any(parts)
    assert not all(part == list("012345") for part in parts)


def test_terms_of_which_one_holds_need_no_type(filled):
    terms = [{"type": "string", "term": "identifier", "eq": name} for name in ("a1", "a4")]
    assert found(filled, {"or": terms}) == ["1", "4"]


def test_a_count_may_be_a_text(filled):
    assert len(filled.search("accounts", count="2")["hits"]) == 2
