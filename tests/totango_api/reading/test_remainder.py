"""What is left of a query when the rows that came are left out shows that none is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from living_search import CREATED, MOVES, STATUSES, LivingSearch, Moves

from totango_api.errors import RateLimitError, RefusedError
from totango_api.reading import CompleteRead, Paging, date_keys_of, remainder
from totango_api.reading.partitions.partitioners import KnownValues
from totango_api.search import Page, Query


def read(search: LivingSearch, *, in_flight: int = 1) -> tuple[set[str], CompleteRead]:
    reading = CompleteRead(
        search,
        Query(fields=(CREATED,)),
        date_keys_of("accounts", [CREATED]),
        [KnownValues("status_group", STATUSES, 0.99)],
        Paging(page_size=search.page_max, window=search.window, in_flight=in_flight),
    )
    return {hit["name"] for batch in reading.batches() for hit in batch.hits}, reading


@pytest.mark.parametrize("excludes", [False, True])
@pytest.mark.parametrize(("rows", "seed"), [(150, 86), (100, 107)])
def test_a_row_that_is_renamed_to_where_it_was_read_each_time_is_not_lost(
    rows: int, seed: int, *, excludes: bool
) -> None:
    search = LivingSearch(
        rows, Moves(renamed=1), seed, has_created=False, page_max=10, excludes=excludes
    )
    reading = CompleteRead(search, Query(), (), (), Paging(page_size=10, in_flight=1))
    found = {hit["name"] for batch in reading.batches() for hit in batch.hits}
    assert search.lasting <= found
    assert reading.result.is_complete


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("names", [1, 3, 8])
def test_rows_of_a_few_names_cost_hardly_more_than_their_pages(names: int, seed: int) -> None:
    moving = replace(MOVES["all"], active=2)
    how = {"has_created": False, "page_max": 100, "excludes": True}
    search = LivingSearch(1_000, moving, seed, names=names, **how)
    found, reading = read(search)
    assert search.lasting <= found
    assert reading.result.is_complete
    assert search.calls <= 10 + 2


@pytest.mark.parametrize("seed", range(5))
def test_a_row_whose_date_changes_to_a_window_already_read_is_not_lost(seed: int) -> None:
    search = LivingSearch(1_500, Moves(redated=3), seed, window=500, page_max=100, excludes=True)
    found, reading = read(search)
    assert "in windows of date:Create Date" in reading.result.ways
    assert search.lasting <= found
    assert reading.result.is_complete


@pytest.mark.parametrize("excludes", [False, True])
def test_a_server_that_does_not_sort_while_rows_come_is_not_read_for_ever(
    *, excludes: bool
) -> None:
    search = LivingSearch(45, MOVES["in"], unsorted=True, page_max=10, excludes=excludes)
    found, reading = read(search)
    assert search.lasting <= found or not reading.result.is_complete
    assert reading.result.is_complete or not excludes
    assert search.calls <= (8 if excludes else 150)


@dataclass
class Excluding(LivingSearch):
    """Answers queries that leave out rows in ways that prove nothing."""

    answer: str = "nothing"

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        is_excluding = any("not_in_list" in term for term in query.terms)
        if is_excluding and self.answer == "failure":
            self.calls += 1
            raise RefusedError("POST /search", status=413, reason="too large")
        if is_excluding and self.answer == "anything":
            query = replace(query, terms=())
        page = super().page(query, max_retry_seconds=max_retry_seconds)
        is_empty = is_excluding and self.answer == "nothing"
        return Page([], 0, key_of=self.key) if is_empty else page


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("answer", ["nothing", "anything", "failure"])
def test_what_is_not_left_out_proves_nothing(answer: str, seed: int) -> None:
    how = {"has_created": False, "page_max": 50, "excludes": True}
    search = Excluding(300, MOVES["out"], seed, **how, answer=answer)
    found, reading = read(search)
    assert search.lasting <= found
    assert reading.result.is_complete
    assert "by leaving out what came, until nothing was left" not in reading.result.ways


def test_ids_of_rows_on_small_pages_are_not_sent_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remainder, "MOST_SENT", 500)
    search = LivingSearch(300, MOVES["all"], page_max=50, excludes=True)
    found, reading = read(search)
    assert search.lasting <= found
    assert reading.result.is_complete
    assert "in windows of date:Create Date" in reading.result.ways


@pytest.mark.parametrize("excludes", [False, True])
def test_a_call_that_comes_too_often_is_no_refusal(*, excludes: bool) -> None:
    class Limited(LivingSearch):
        def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
            if max_retry_seconds is not None:
                raise RateLimitError("POST /search", wait=60)
            return super().page(query)

    search = Limited(300, MOVES["in"], page_max=50, excludes=excludes)
    found, reading = read(search)
    assert search.lasting <= found
    assert reading.result.is_complete
    (way,) = reading.result.ways
    assert way.startswith("by leaving out" if excludes else "in windows")


@pytest.mark.parametrize("moves", MOVES)
def test_rows_without_counts_are_read_until_nothing_is_left(moves: str) -> None:
    class Uncounted(LivingSearch):
        def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
            page = super().page(query, max_retry_seconds=max_retry_seconds)
            return replace(page, total_hits=None)

    search = Uncounted(300, MOVES[moves], has_created=False, page_max=50, excludes=True)
    found, reading = read(search)
    assert search.lasting <= found
    assert reading.result.is_complete
    assert search.calls <= 6 + 2
