"""Pasted queries mean the same in every wrapping."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.errors import QueryError
from totango_api.search.query_parser import query_from

QUERY = {
    "terms": [
        {"type": "string", "term": "status_group", "in_list": ["paying"]},
        {"type": "string_attribute", "attribute": "Plan", "eq": "100% \"R&D\" + 'more' é"},
    ],
    "count": 1000,
    "offset": 0,
    "fields": [
        {"type": "string", "term": "health", "field_display_name": "Health"},
        {"type": "string_attribute", "attribute": "Success Manager", "field_display_name": "CSM"},
    ],
    "scope": "all",
}
TEXT = json.dumps(QUERY)


def curl(data: str) -> str:
    return (
        "curl -X POST \\\n  https://api.totango.com/api/v1/search/accounts \\\n"
        f"  -H 'app-token: {{v2}}secret' \\\n  -H \"Accept: application/json\" \\\n  {data}"
    )


def single(text: str) -> str:
    return shlex.quote(text)


def double(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


WRAPPINGS = {
    "bare": lambda text: text,
    "blank around": lambda text: f"\n  {text}\n",
    "field": lambda text: f"query={text}",
    "field and more": lambda text: f"query={quote(text, safe='')}&team_id=-1",
    "not the first field": lambda text: f"team_id=-1&query={quote_plus(text)}",
    "encoded": lambda text: quote(text, safe=""),
    "encoded with plus": lambda text: f"query={quote_plus(text)}",
    "encoded twice": lambda text: f"query={quote(quote(text, safe=''), safe='')}",
    "all encoded": lambda text: quote(f"query={text}", safe=""),
    "curl --data": lambda text: curl(f"--data {single('query=' + text)}"),
    "curl -d": lambda text: curl(f"-d {single('query=' + text)}"),
    "curl -dX": lambda text: curl(f"-d{single('query=' + text)}"),
    "curl --data=": lambda text: curl(f"--data={single('query=' + text)}"),
    "curl --data-raw": lambda text: curl(f"--data-raw {single('query=' + quote(text))}"),
    "curl --data-urlencode": lambda text: curl(f"--data-urlencode {single('query=' + text)}"),
    "curl double quotes": lambda text: curl(f"--data {double('query=' + text)}"),
    "curl two fields": lambda text: curl(f"-d team_id=-1 -d {single('query=' + text)}"),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping_means_the_same(wrapping: str) -> None:
    assert query_from(WRAPPINGS[wrapping](TEXT), setting="accounts_query") == query_from(
        QUERY, setting="accounts_query"
    )


@given(
    value=st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    wrapping=st.sampled_from(sorted(WRAPPINGS.keys() - {"curl double quotes"})),
)
def test_filter_values_survive_any_wrapping(value: str, wrapping: str) -> None:
    query = {"terms": [{"type": "string", "term": "identifier", "eq": value}], "fields": []}
    pasted = WRAPPINGS[wrapping](json.dumps(query))
    assert list(query_from(pasted, setting="users_query").terms) == query["terms"]


def test_paging_is_not_the_users_business_but_the_rest_is() -> None:
    query = query_from(QUERY, setting="accounts_query")
    assert query.extras == {"scope": "all"}
    assert len(query.terms) == len(query.fields) == 2


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "accounts_query is empty"),
        ("nonsense", "holds no JSON object"),
        ('{"terms": [}', "line 1, column 12"),
        ('{"terms": 5}', "terms is not a list"),
        ('{"terms": [{"term": "x"}]}', "terms[0] is not an object with a type"),
        ('{"terms": [], "fields": ["health"]}', "fields[0] is not an object with a type"),
        ('{"fields": [{"type": "string_attribute"}]}', "names no attribute"),
        ('{"terms": [{"type": "or", "or": [5]}]}', "or[0]"),
        ("curl https://x -d 'query={", "quotes of the curl command do not match"),
        ("curl https://x", "sends no data"),
        ("curl https://x -d @query.json", "from a file"),
    ],
)
def test_a_bad_query_is_refused_with_its_place(pasted: str, said: str) -> None:
    with pytest.raises(QueryError) as error:
        query_from(pasted, setting="accounts_query")
    assert said in str(error.value)


def test_a_token_in_the_paste_goes_nowhere() -> None:
    query = query_from(WRAPPINGS["curl --data"](TEXT), setting="accounts_query")
    assert "secret" not in repr(query)
