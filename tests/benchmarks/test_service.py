"""What the service of the benchmarks answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from benchmarks.service.accounts import Accounts, RefusedError
from benchmarks.service.attributes import NAMES
from benchmarks.service.limit import Limit
from benchmarks.service.surfaces import Surfaces

NUMBER = 2_500
FIELDS = [{"type": "any", "attribute": name} for name in NAMES]


@pytest.fixture(scope="module")
def accounts() -> Accounts:
    return Accounts(NUMBER, window=2_000)


def found(accounts: Accounts, **query: Any) -> tuple[list[dict[str, Any]], int]:
    body = json.loads(accounts.page(query))["response"]["accounts"]
    return body["hits"], body["total_hits"]


def test_pages_go_through_all_accounts_once_in_both_orders() -> None:
    accounts = Accounts(NUMBER)
    for order, first in (("ASC", "acme-0000000"), ("DESC", "acme-0002499")):
        names = [
            hit["name"]
            for offset in range(0, 4_000, 1000)
            for hit in found(accounts, offset=offset, count=1000, sort_order=order)[0]
        ]
        assert names[0] == first
        assert sorted(names) == [f"acme-{number:07d}" for number in range(NUMBER)]


def test_values_stand_where_their_fields_do(accounts: Accounts) -> None:
    (whole,), _ = found(accounts, fields=FIELDS, offset=7, count=1)
    (some,), _ = found(accounts, fields=FIELDS[3:5], offset=7, count=1)
    assert len(whole["selected_fields"]) == 17
    assert some["selected_fields"] == whole["selected_fields"][3:5]
    assert some["name"] == whole["name"] == "acme-0000007"


@pytest.mark.parametrize(
    "date", [("date", "term", "last_activity_time"), ("date_attribute", "attribute", "Create Date")]
)
def test_windows_on_a_date_part_the_accounts(date: tuple[str, str, str]) -> None:
    accounts = Accounts(NUMBER)
    kind, key, name = date
    everybody, total = found(accounts, fields=[{"attribute": "Create Date"}], count=1000)
    assert total == NUMBER

    def date_of(hit: dict[str, Any]) -> Any:
        return hit.get(name, hit["selected_fields"][0])

    middle = date_of(next(hit for hit in everybody if date_of(hit) is not None))
    term = {"type": kind, key: name}
    low, high = ([{**term, "lte": middle}], [{**term, "gte": middle + 1}])
    below, above = (found(accounts, terms=one)[1] for one in (low, high))
    assert 0 < below < NUMBER
    assert below + above == found(accounts, terms=[term])[1]
    assert found(accounts, terms=[*low, *high])[1] == 0
    for hit in found(accounts, terms=low, fields=[{"attribute": "Create Date"}])[0]:
        assert date_of(hit) <= middle


def test_refuses_beyond_the_window_and_filters_it_does_not_know(accounts: Accounts) -> None:
    assert len(found(accounts, offset=1_000, count=1000)[0]) == 1000
    with pytest.raises(RefusedError, match="at most 2000"):
        accounts.page({"offset": 1_500, "count": 1000})
    for term in (
        {"type": "string", "term": "health", "in_list": ["green"]},
        {"type": "date", "term": "last_activity_time", "joker": "yesterday"},
        {"type": "date", "term": "first_activity_time", "gte": 0},
    ):
        with pytest.raises(RefusedError, match="Unsupported"):
            accounts.page({"terms": [term]})


@pytest.mark.parametrize("encoding", ["form", "json"])
def test_takes_queries_as_forms_and_as_json(accounts: Accounts, encoding: str) -> None:
    query = json.dumps({"terms": [], "offset": 3, "count": 1})
    form, document = urlencode({"query": query}), json.dumps({"query": query})
    surfaces = Surfaces(accounts, Limit(0), delay=0.0, record=None)
    body = (form if encoding == "form" else document).encode()
    answer = surfaces.respond(b"/api/v1/search/accounts", body)
    assert answer.encoded.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"name":"acme-0000003"' in answer.encoded
    refused = surfaces.respond(b"/api/v1/search/accounts", urlencode({"query": _FAR}).encode())
    assert refused.encoded.startswith(b"HTTP/1.1 400 ")
    counts = json.loads(surfaces.respond(b"/counts", b"").encoded.partition(b"\r\n\r\n")[2])
    assert counts == {"search": 2, "refused": 1}


_FAR = json.dumps({"terms": [], "offset": 2_000, "count": 1})


def test_limit_counts_down_and_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("benchmarks.service.limit.time.monotonic", lambda: now[0])
    limit = Limit(2)
    spent = [limit.spend() for _ in range(3)]
    assert [allowed for allowed, _ in spent] == [True, True, False]
    assert [headers["RateLimit-Remaining"] for _, headers in spent] == [1, 0, 0]
    assert spent[0][1]["RateLimit-Reset"] == 60
    now[0] += 60
    assert limit.spend()[0]
    assert Limit(0).spend() == (True, {})
