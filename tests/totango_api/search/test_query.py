"""A query comes out of the form as it went in, however often a server decodes it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from hypothesis import given
from hypothesis import strategies as st

from totango_api.search.query import Query

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
terms = st.dictionaries(texts, json_values, max_size=4)
queries = st.builds(
    Query,
    terms=st.lists(terms, max_size=3).map(tuple),
    fields=st.lists(terms, max_size=3).map(tuple),
    parent_account_fields=st.lists(terms, max_size=2).map(tuple),
    count=st.integers(1, 1000),
    offset=st.integers(0, 10_000),
    sort_order=st.sampled_from(["ASC", "DESC", None]),
)


def expected(query: Query) -> dict[str, Any]:
    body: dict[str, Any] = {
        "terms": list(query.terms),
        "fields": list(query.fields),
        "count": query.count,
        "offset": query.offset,
    }
    if query.parent_account_fields:
        body["parent_account_fields"] = list(query.parent_account_fields)
    if query.sort_order is not None:
        body |= {"sort_by": "display_name", "sort_order": query.sort_order}
    return body


@given(query=queries)
def test_round_trip(query: Query) -> None:
    ((name, text),) = parse_qsl(query.form().decode("ascii"), keep_blank_values=True)
    assert name == "query"
    assert json.loads(text) == expected(query)


@given(query=queries)
def test_a_second_decoding_changes_nothing(query: Query) -> None:
    ((_, text),) = parse_qsl(query.form().decode("ascii"))
    assert json.loads(unquote(text)) == json.loads(unquote_plus(text)) == expected(query)


def test_other_form_fields_are_sent_unless_they_are_none() -> None:
    form = dict(parse_qsl(Query().form(team_id="-1", scroll_id=None).decode()))
    assert set(form) == {"query", "team_id"}
    assert form["team_id"] == "-1"


def test_the_scope_of_a_pasted_query_is_passed_on() -> None:
    form = dict(parse_qsl(Query(scope="all").form().decode()))
    assert json.loads(form["query"])["scope"] == "all"
    assert "scope" not in json.loads(dict(parse_qsl(Query().form().decode()))["query"])


def test_narrowing_adds_to_the_terms() -> None:
    first, second = {"type": "a"}, {"type": "b"}
    query = Query(terms=(first,))
    assert query.narrowed(second).terms == (first, second)
    assert query.terms == (first,)
    moved = query.at(2000, 10, "DESC")
    assert (moved.offset, moved.count, moved.sort_order, moved.terms) == (
        2000,
        10,
        "DESC",
        (first,),
    )
