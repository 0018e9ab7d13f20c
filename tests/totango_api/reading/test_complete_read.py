"""Either every key comes exactly once, or the read says that it is incomplete."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from dates import SHAPES, dates_of
from hypothesis import given
from hypothesis import strategies as st
from search_model import LargeSearch, ModelSearch

from totango_api.reading import (
    CompleteRead,
    Hints,
    Paging,
    ResumePoint,
    UserPartitions,
    date_keys_of,
    partitioners_of,
)
from totango_api.search import Page, Query

FIELD = {"type": "string_attribute", "attribute": "Success Manager"}
PAGING = Paging(page_size=5, window=20, in_flight=2)

hits = st.builds(
    lambda name, date, status, health, manager: {
        "display_name": name,
        "last_activity_time": date,
        "_status_group": status,
        "_health": health,
        "selected_fields": [manager],
    },
    name=st.text("abcdefgh", min_size=1, max_size=4) | st.just("same"),
    date=st.none() | st.integers(0, 2_000_000_000_000) | st.sampled_from([5, 1_700_000_000_000]),
    status=st.sampled_from(["paying", "free", "canceled", None]),
    health=st.sampled_from(["green", "yellow", "red", None]),
    manager=st.sampled_from([None, "Dana", "Eli", "Fay", "Gus", "Hal"]),
)


def numbered(rows: list[dict]) -> list[dict]:
    return [{**row, "name": f"acc-{number}"} for number, row in enumerate(rows)]


def read(search: ModelSearch, **how) -> tuple[list[str], CompleteRead]:
    how.setdefault("keys", date_keys_of("accounts", [FIELD]))
    how.setdefault("partitioners", partitioners_of("accounts", [FIELD], list))
    how.setdefault("paging", PAGING)
    reading = CompleteRead(search, Query(fields=(FIELD,)), **how)
    return [hit["name"] for batch in reading.batches() for hit in batch.hits], reading


tenants = st.builds(
    ModelSearch,
    hits=st.lists(hits, max_size=150).map(numbered),
    beyond=st.sampled_from(["error", "empty", "serve"]),
    terms=st.frozensets(
        st.sampled_from(["date", "string", "string_attribute", "search_name"]), max_size=4
    ),
    unsupported=st.sampled_from(["error", "ignore"]),
    unstable=st.booleans(),
    one_way=st.booleans(),
)


@given(search=tenants)
def test_every_key_once_or_said_to_be_incomplete(search: ModelSearch) -> None:
    names, reading = read(search)

    assert len(names) == len(set(names)), "a key came twice"
    assert reading.result.rows == len(names)
    if reading.result.is_complete:
        assert set(names) == {hit["name"] for hit in search.hits}
    else:
        missing = reading.result.missing
        assert missing is None or missing >= len(search.hits) - len(names)


def spread(number: int, *, dated: bool = True) -> list[dict]:
    return [
        {
            "name": f"acc-{index}",
            "display_name": f"Company {index:05d}",
            "last_activity_time": 1_700_000_000_000 + index * 7919 if dated else None,
            "_status_group": ["paying", "free", "canceled"][index % 3],
            "_health": ["green", "yellow", "red"][index // 3 % 3],
            "selected_fields": [f"CSM {index % 7}"],
        }
        for index in range(number)
    ]


@pytest.mark.parametrize("beyond", ["error", "empty", "serve"])
@pytest.mark.parametrize("number", [0, 1, 5, 19, 20, 21, 39, 40, 41, 100, 400])
def test_reads_all_and_proves_it(number: int, beyond: str) -> None:
    search = ModelSearch(spread(number), beyond=beyond)
    names, reading = read(search)
    assert len(names) == number
    assert reading.result.is_complete


@pytest.mark.parametrize("unsupported", ["error", "ignore"])
def test_evidenced_terms_are_enough(unsupported: str) -> None:
    search = ModelSearch(
        spread(150, dated=False),
        terms=frozenset({"string", "string_attribute", "search_name"}),
        unsupported=unsupported,
    )
    names, reading = read(search)
    assert len(names) == 150
    assert reading.result.is_complete


def test_thousands_on_one_timestamp_are_split_by_other_terms() -> None:
    rows = [{**row, "last_activity_time": 1_700_000_000_000} for row in spread(200)]
    names, reading = read(ModelSearch(rows))
    assert len(names) == 200
    assert reading.result.is_complete


def test_rows_without_a_date_are_found_by_other_terms() -> None:
    rows = [
        {**row, "last_activity_time": None} if number % 10 == 0 else row
        for number, row in enumerate(spread(200))
    ]
    names, reading = read(ModelSearch(rows))
    assert len(names) == 200
    assert reading.result.is_complete


def test_a_server_that_does_not_sort_both_ways_is_read_whole() -> None:
    search = ModelSearch(spread(35), one_way=True)
    names, reading = read(search)
    assert len(names) == 35
    assert reading.result.is_complete


@pytest.mark.parametrize("rows", [60, 75, 140])
def test_a_server_that_does_not_sort_at_all_is_counted(rows: int) -> None:
    """Pages in any order share rows by chance: that shows nothing."""
    for seed in range(10):
        chance = random.Random(seed)
        search = ModelSearch(
            spread(rows), page_max=50, window=1_000, unstable=True, unsorted=True, shuffler=chance
        )
        reading = CompleteRead(search, Query(), paging=Paging(page_size=50, window=1_000))
        names = {hit["name"] for batch in reading.batches() for hit in batch.hits}
        assert len(names) == rows or not reading.result.is_complete


@pytest.mark.parametrize(("rows", "calls"), [(10_001, 11), (15_000, 16), (19_900, 21)])
def test_both_orders_meet_without_a_page_that_brings_little(rows: int, calls: int) -> None:
    search = LargeSearch([None] * rows)
    reading = CompleteRead(search, Query())
    assert len({hit["name"] for batch in reading.batches() for hit in batch.hits}) == rows
    assert reading.result.is_complete
    assert search.calls == calls


def test_such_a_server_is_read_on_where_it_serves_rows_beyond_the_window() -> None:
    search = ModelSearch(spread(35), one_way=True, beyond="serve", terms=frozenset())
    names, reading = read(search)
    assert len(names) == 35
    assert reading.result.is_complete


def test_windows_beyond_every_date_come_to_an_end() -> None:
    undated = [{**row, "last_activity_time": None} for row in spread(80)]
    dated = [{**row, "last_activity_time": 5} for row in spread(3)]
    search = ModelSearch(numbered(undated + dated), terms=frozenset({"date"}))
    _, reading = read(search)
    assert not reading.result.is_complete
    assert search.calls < 200


@pytest.mark.parametrize("claims", [41, 1_000])
def test_a_server_that_always_claims_more_is_not_believed_for_ever(claims: int) -> None:
    search = ModelSearch(spread(30), claims=claims)
    names, reading = read(search)
    assert len(names) == 30
    assert reading.result.missing == claims - 30


@dataclass
class Overcounts(ModelSearch):
    """Counts as many rows too many in every response."""

    more: int = 3

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        page = super().page(query, max_retry_seconds=max_retry_seconds)
        return replace(page, total_hits=(page.total_hits or 0) + self.more)


@pytest.mark.parametrize("terms", [("date",), ("string", "string_attribute"), ()])
@pytest.mark.parametrize(("rows", "more"), [(120, 3), (120, 1), (120, 30), (300, 3)])
def test_counts_that_are_always_too_high_are_not_looked_into_for_ever(
    rows: int, more: int, terms: tuple[str, ...]
) -> None:
    search = Overcounts(spread(rows), terms=frozenset(terms), window=1_000, page_max=10, more=more)
    names, reading = read(search, paging=Paging(page_size=10, window=1_000))
    assert len(names) == rows
    assert reading.result.missing == more
    assert search.calls <= 3 * rows // 10 + 30


@dataclass
class Doubles(ModelSearch):
    """Gives another row in place of acc-39: at each call the one at the next of some places."""

    places: tuple[int | None, ...] = ()

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        page = super().page(query, max_retry_seconds=max_retry_seconds)
        place = self.places[(self.calls - 1) % len(self.places)]
        if place is None:
            return page
        hits = [
            page.hits[place % len(page.hits)] if hit["name"] == "acc-39" else hit
            for hit in page.hits
        ]
        return replace(page, hits=hits)


@pytest.mark.parametrize(
    ("places", "rows", "doubled", "is_complete"),
    [((2, None), 40, 0, True), ((2,), 39, 1, True), ((0, 1, 2, 3, 4), 39, 0, False)],
    ids=["once", "always", "another one each time"],
)
def test_a_row_that_comes_twice_is_asked_for_again(
    places: tuple[int | None, ...], rows: int, doubled: int, *, is_complete: bool
) -> None:
    search = Doubles(spread(40), page_max=100, window=1_000, places=places)
    paging = Paging(page_size=100, window=1_000, in_flight=1)
    names, reading = read(search, keys=(), partitioners=(), paging=paging)
    assert len(names) == rows
    assert (reading.result.doubled, reading.result.is_complete) == (doubled, is_complete)


@pytest.mark.parametrize("claims", [0, 3, 4])
def test_a_count_below_the_rows_of_a_page_does_not_make_it_the_only_one(claims: int) -> None:
    search = ModelSearch(spread(6), claims=claims, window=1000)
    names, reading = read(search, paging=Paging(page_size=20, window=1000))
    assert len(names) == 6
    assert reading.result.is_complete


@dataclass
class CountsPages(ModelSearch):
    """Counts the rows of a page instead of all, or only of one that it cuts."""

    only_full: bool = False

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        page = super().page(query, max_retry_seconds=max_retry_seconds)
        is_counted = self.only_full and len(page.hits) < self.page_max
        return page if is_counted else replace(page, total_hits=len(page.hits))


@pytest.mark.parametrize("only_full", [False, True])
@pytest.mark.parametrize("cut", [10, 13])
@pytest.mark.parametrize("rows", [15, 30, 33, 250])
def test_a_server_that_counts_no_more_than_it_cuts_a_page_to_is_read_on(
    rows: int, cut: int, *, only_full: bool
) -> None:
    search = CountsPages(spread(rows), window=1_000, page_max=cut, only_full=only_full)
    names, reading = read(search, paging=Paging(page_size=100, window=1_000))
    assert len(names) == rows
    assert reading.result.is_complete


@pytest.mark.parametrize(("rows", "calls"), [(9, 1), (10, 2), (77, 2), (99, 2)])
def test_more_rows_are_looked_for_behind_as_many_as_a_server_may_cut_pages_to(
    rows: int, calls: int
) -> None:
    search = ModelSearch(spread(rows), window=1_000, page_max=100)
    names, reading = read(search, paging=Paging(page_size=100, window=1_000))
    assert len(names) == rows
    assert reading.result.is_complete
    assert search.calls == calls


class ExcludesEnds(ModelSearch):
    """Takes neither end of a date filter to be in it."""

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        terms = tuple(
            {**term, "gte": term.get("gte", -1) + 1, "lte": term.get("lte", 10**15) - 1}
            for term in query.terms
        )
        narrower = replace(query, terms=terms)
        return super().page(narrower, max_retry_seconds=max_retry_seconds)


def test_no_row_falls_between_windows_whose_ends_are_excluded() -> None:
    rows = [
        {**row, "last_activity_time": 1_700_000_000_000 + number * 7 % 160}
        for number, row in enumerate(spread(400))
    ]
    search = ExcludesEnds(rows, page_max=20, window=80, terms=frozenset({"date"}))
    names, reading = read(search, paging=Paging(page_size=20, window=80, in_flight=2))
    assert len(names) == 400
    assert reading.result.is_complete


@pytest.mark.parametrize("shape", [shape.__name__ for shape in SHAPES])
@pytest.mark.parametrize(("rows", "calls"), [(5_000, 25), (5_250, 26), (6_500, 31)])
def test_a_few_windows_cost_hardly_more_than_the_pages_in_them(
    rows: int, calls: int, shape: str
) -> None:
    search = LargeSearch([*dates_of(shape, rows)], window=2_500, page_max=250)
    keys = [key for key in date_keys_of("accounts", ()) if key.name == "last_activity_time"]
    paging = Paging(page_size=250, window=2_500, in_flight=1)
    reading = CompleteRead(search, Query(), keys, paging=paging)
    assert sum(len(batch.hits) for batch in reading.batches()) == rows
    assert reading.result.is_complete
    assert search.calls <= calls


def test_windows_that_a_service_ignores_come_to_an_end() -> None:
    """Rows of a window's day may be in it, where a service compares days."""
    dates = [9985, 5, 0, 105, 9985, 53527, 7, 9, 5, 88, 20, 53527, 1]
    rows = [
        {**row, "last_activity_time": date} for row, date in zip(spread(13), dates, strict=True)
    ]
    search = ModelSearch(rows, terms=frozenset(), unsupported="ignore")
    names, reading = read(search, partitioners=())
    assert len(names) == 13
    assert reading.result.is_complete
    assert search.calls < 100


@pytest.mark.parametrize("undated", [3, 100])
def test_a_count_that_goes_no_further_than_a_query_proves_nothing(undated: int) -> None:
    rows = [{**row, "last_activity_time": None} for row in spread(100)[-undated:]]
    search = ModelSearch(spread(100)[:-undated] + rows, counts_to=20, terms=frozenset({"date"}))
    names, reading = read(search)
    assert len(names) < 100
    assert not reading.result.is_complete


def test_where_rows_beyond_are_served_it_proves_nothing_either() -> None:
    search = ModelSearch(spread(100), counts_to=20, terms=frozenset(), beyond="serve")
    names, reading = read(search)
    assert len(names) == 100
    assert reading.result.is_complete


def test_what_cannot_be_cut_is_said_to_be_missing() -> None:
    search = ModelSearch(spread(100), terms=frozenset())
    names, reading = read(search)
    assert len(names) == 40
    assert reading.result.missing == 60
    assert not reading.result.is_complete


def test_partitions_of_the_user_come_first() -> None:
    search = ModelSearch(spread(90), terms=frozenset({"string"}))
    partitions = [
        [{"type": "string", "term": "status_group", "in_list": [status]}]
        for status in ("paying", "free", "canceled")
    ]
    names, reading = read(search, partitioners=[UserPartitions(partitions)])
    assert len(names) == 90
    assert reading.result.is_complete


def users_of(accounts: int) -> list[dict[str, Any]]:
    """Return 200 users of one name, who belong to so many accounts in turn."""
    return [
        {
            "name": f"u{index}@x.com",
            "display_name": "same",
            "account": {"name": f"acc-{index % accounts}"},
            "selected_fields": [None],
        }
        for index in range(200)
    ]


def test_users_are_cut_by_their_accounts() -> None:
    search = ModelSearch(users_of(40), stream="users", terms=frozenset({"parent_account"}))
    ids = [f"acc-{index}" for index in range(40)]
    names, reading = read(search, partitioners=partitioners_of("users", [], lambda: ids))
    assert len(names) == 200
    assert reading.result.is_complete


def test_a_last_page_of_rows_that_changed_places_is_not_the_end() -> None:
    names = ["a", "b", "b", "same", "c", "same", "a", "same", "a", "b", "same", "same"]
    search = ModelSearch(
        numbered([{"display_name": name, "selected_fields": [None]} for name in names]),
        terms=frozenset(),
        unstable=True,
    )
    found, reading = read(search)
    assert len(found) == len(names) or not reading.result.is_complete


def interrupted(search: ModelSearch) -> tuple[list[str], ResumePoint]:
    keys = date_keys_of("accounts", [FIELD])
    reading = CompleteRead(search, Query(fields=(FIELD,)), keys, (), PAGING)
    before: list[str] = []
    for batch in reading.batches():
        before += [hit["name"] for hit in batch.hits]
        if batch.resume is not None and batch.resume.rows >= 80:
            return before, batch.resume
    raise AssertionError


def test_an_interrupted_read_goes_on_at_the_first_unfinished_piece() -> None:
    search = ModelSearch(spread(200))
    before, plan = interrupted(search)
    search.calls = 0
    after, resumed = read(search, resume=plan)
    assert set(before) | set(after) == {hit["name"] for hit in search.hits}
    assert resumed.result.is_complete
    ahead = [hit["name"] for hit in search.hits if hit["last_activity_time"] >= plan.windows[0][0]]
    assert set(after) <= {*ahead, *(hit["name"] for hit in search.hits[:5])}
    assert len(ahead) < 150


@pytest.mark.parametrize(
    ("terms", "how"),
    [({"string"}, {}), ({"date", "string"}, {"keys": ()})],
    ids=["the service refuses the date", "the stream has the date no more"],
)
def test_an_interrupted_read_that_cannot_go_on_begins_again(
    terms: set[str], how: dict[str, Any]
) -> None:
    search = ModelSearch(spread(110))
    _, plan = interrupted(search)
    search.terms = frozenset(terms)
    names, reading = read(search, resume=plan, **how)
    assert sorted(names) == sorted(hit["name"] for hit in search.hits)
    assert (reading.result.rows, reading.result.is_complete) == (110, True)


def test_users_are_read_in_ever_fewer_accounts_until_they_fit_a_page() -> None:
    search = ModelSearch(
        users_of(60), stream="users", terms=frozenset({"parent_account"}), unstable=True
    )
    ids = [f"acc-{index}" for index in range(600)]
    names, reading = read(search, partitioners=partitioners_of("users", [], lambda: ids))
    assert len(names) == 200
    assert reading.result.is_complete


def test_parts_that_overlap_are_not_counted_twice() -> None:
    rows = [{**row, "display_name": f"ab {row['name']}"} for row in spread(200, dated=False)]
    search = ModelSearch(rows, terms=frozenset({"search_name"}))
    overlapping = [
        [{"type": "string", "term": "search_name", "contains": part}]
        for part in ("acc-10", "acc-11", "acc-12", "acc-13", "acc-14")
    ]
    names, reading = read(search, partitioners=[UserPartitions(overlapping * 4)])
    assert len(names) < 200
    assert not reading.result.is_complete
    assert reading.result.missing == 200 - len(names)


@dataclass
class OddRows(ModelSearch):
    """One row of the third page is no object."""

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        page = super().page(query, max_retry_seconds=max_retry_seconds)
        if not 5 < query.offset < 12 or not page.hits:
            return page
        return replace(page, hits=page.hits[1:], unreadable_hits=1)


def test_a_row_that_is_no_object_is_told_wherever_it_stands() -> None:
    _, reading = read(OddRows(spread(18)), keys=(), partitioners=())
    assert reading.result.unreadable > 0
    assert not reading.result.is_complete


def test_a_hint_saves_calls() -> None:
    refused = Hints(is_window_closed=True, refused_dates=frozenset({"last_activity_time"}))
    plain, hinted = (ModelSearch(spread(100), terms=frozenset({"string"})) for _ in range(2))
    assert sorted(read(plain)[0]) == sorted(read(hinted, hints=refused)[0])
    assert hinted.calls < plain.calls


@given(search=tenants, is_closed=st.booleans(), is_refused=st.booleans())
def test_a_wrong_hint_is_paid_with_calls_or_told(
    search: ModelSearch, *, is_closed: bool, is_refused: bool
) -> None:
    dates = frozenset({"last_activity_time"} if is_refused else ())
    names, reading = read(search, hints=Hints(is_closed, dates))
    if reading.result.is_complete:
        assert set(names) == {hit["name"] for hit in search.hits}


def test_a_wrong_hint_that_keeps_rows_away_is_told() -> None:
    search = ModelSearch(spread(100), terms=frozenset(), beyond="serve")
    assert read(search)[1].result.is_complete
    result = read(search, hints=Hints(is_window_closed=True))[1].result
    assert not result.is_complete
    assert result.missing


def test_the_key_of_each_hit_is_read_off_it_once() -> None:
    rows = numbered([{"display_name": f"{row:03}", "last_activity_time": row} for row in range(60)])
    read_off: list[str] = []

    class Counting(ModelSearch):
        def key(self, hit):
            read_off.append(hit["name"])
            return super().key(hit)

    search = Counting(rows, window=100)
    names, reading = read(search, paging=Paging(page_size=5, window=100, in_flight=1))
    assert (len(names), reading.result.missing) == (60, 0)
    came = sum(min(query.count, 5, 60 - query.offset) for query in search.log)
    assert len(read_off) == came
