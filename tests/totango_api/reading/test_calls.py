"""Rows that all have a date are read in hardly more calls than there are pages."""

from __future__ import annotations

import pytest
from dates import ORDERS, SHAPES, dates_of
from search_model import LargeSearch

from totango_api.reading.complete_read import CompleteRead
from totango_api.reading.paginator import Paging
from totango_api.reading.splitters import splitters_for
from totango_api.search.query import Query

PAGES = Paging(in_flight=1)
CASES = [(shape.__name__, order) for shape in SHAPES for order in ORDERS]


def calls(search: LargeSearch, paging: Paging = PAGES) -> int:
    reading = CompleteRead(search, Query(), splitters_for("accounts", [], list), paging)
    names = [hit["name"] for batch in reading.batches() for hit in batch.hits]
    assert len(names) == len(set(names)) == len(search.dates)
    assert reading.outcome.proven
    return search.calls


@pytest.mark.parametrize(("shape", "order"), CASES)
@pytest.mark.parametrize(("rows", "most"), [(20_001, 23), (25_000, 30)])
def test_some_windows(shape: str, order: str, rows: int, most: int) -> None:
    assert calls(LargeSearch(dates_of(shape, order, rows))) <= most


def test_an_empty_answer_beyond_the_window_is_as_good_as_a_refusal() -> None:
    assert calls(LargeSearch(dates_of("evenly", "any", 60_000), beyond="empty")) <= 66


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "order"), CASES)
def test_ten_in_a_hundred_more_for_a_hundred_thousand(shape: str, order: str) -> None:
    assert calls(LargeSearch(dates_of(shape, order, 100_000))) <= 110


def test_fifteen_in_a_hundred_more_for_a_thousand_windows() -> None:
    search = LargeSearch(dates_of("growing", "any", 200_000), window=2_000, page_max=200)
    assert calls(search, Paging(page_size=200, window=2_000, in_flight=1)) <= 1_150


@pytest.mark.parametrize("rows", [1, 999, 9_999, 10_001, 12_000, 19_999])
def test_no_call_too_many_within_reach(rows: int) -> None:
    assert calls(LargeSearch(dates_of("evenly", "any", rows))) == -(-rows // 1_000)


def test_a_count_that_is_just_the_window_costs_a_call_of_its_own() -> None:
    # It may be as far as the server counts: ten full pages cannot tell (see `_other_end`).
    assert calls(LargeSearch(dates_of("evenly", "any", 10_000))) == 11


def test_no_such_call_once_the_server_counted_further() -> None:
    dates = [1_000 + row // 10_000 for row in range(30_000)]
    search = LargeSearch(dates)
    calls(search)
    assert [count for _, count in search.counts].count(10_000) >= 1
    assert search.log_of_orders.count("DESC") == 10


def test_rows_beyond_the_window_are_not_asked_for_where_all_have_a_date() -> None:
    search = LargeSearch(dates_of("evenly", "any", 25_000), beyond="serve")
    assert calls(search) <= 28
    assert search.furthest <= 10_000


def test_a_server_that_serves_beyond_the_window_is_read_plainly_where_dates_are_missing() -> None:
    dates = [
        None if row % 10 == 0 else date
        for row, date in enumerate(dates_of("evenly", "any", 25_000))
    ]
    assert calls(LargeSearch(dates, beyond="serve")) <= 26
