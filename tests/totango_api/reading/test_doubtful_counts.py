"""What the server counts is evidence, not proof: it may fall, stop short or ignore the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from search_model import ModelSearch

from totango_api.reading.complete_read import CompleteRead
from totango_api.reading.paginator import Paging
from totango_api.reading.splitters import splitters_for
from totango_api.search.endpoint import Page
from totango_api.search.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable

FIELD = {"type": "string_attribute", "attribute": "Success Manager"}
PAGING = Paging(page_size=5, window=20, in_flight=1)


@dataclass
class DoubtfulSearch(ModelSearch):
    """Counts what `counted` makes of the truth; before call `n`, `changes[n]` rows go away."""

    counted: Callable[[int], int] = int
    changes: tuple[int, ...] = ()

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        if self.calls < len(self.changes):
            del self.hits[: self.changes[self.calls]]
        if self.calls > 2_000:
            pytest.fail("it never ends")
        page = super().page(query, max_retry_seconds=max_retry_seconds)
        return Page(page.hits, self.counted(page.total_hits or 0))


def rows(number: int) -> list[dict]:
    return [
        {
            "name": f"acc-{index}",
            "display_name": f"Company {index:05d}",
            "last_activity_time": 1_700_000_000_000 + index * 7919,
            "_status_group": ["paying", "free", "canceled"][index % 3],
            "_health": ["green", "yellow", "red"][index // 3 % 3],
            "selected_fields": [f"CSM {index % 7}"],
        }
        for index in range(number)
    ]


def read(search: ModelSearch) -> tuple[set[str], CompleteRead]:
    splitters = splitters_for("accounts", [FIELD], list)
    reading = CompleteRead(search, Query(fields=(FIELD,)), splitters, PAGING)
    return {hit["name"] for batch in reading.batches() for hit in batch.hits}, reading


@pytest.mark.parametrize("changes", [(0, 2), (0, 2, 2, 2), (0, 0, 0, 1)])
def test_rows_passed_over_where_others_went_away_are_read_after_all(
    changes: tuple[int, ...],
) -> None:
    search = DoubtfulSearch(rows(19), changes=changes)
    names, reading = read(search)
    assert {hit["name"] for hit in search.hits} <= names
    assert reading.outcome.proven


def test_rows_that_keep_going_away_leave_a_doubt() -> None:
    search = DoubtfulSearch(rows(19), changes=(0, *[1] * 12))
    _, reading = read(search)
    assert reading.outcome.shifted
    assert not reading.outcome.proven


@pytest.mark.parametrize("beyond", ["error", "empty"])
@pytest.mark.parametrize("number", [21, 25, 39, 60])
def test_a_count_that_stops_at_the_window_proves_nothing(number: int, beyond: str) -> None:
    search = DoubtfulSearch(rows(number), beyond=beyond, counted=lambda count: min(count, 20))
    names, reading = read(search)
    assert len(names) == min(number, 40)
    assert not reading.outcome.proven
    assert reading.outcome.missing is None


@pytest.mark.parametrize("unstable", [False, True])
def test_a_count_that_is_just_the_window_may_be_right(unstable: bool) -> None:
    search = DoubtfulSearch(rows(20), unstable=unstable)
    names, reading = read(search)
    assert len(names) == 20
    assert reading.outcome.proven


@pytest.mark.parametrize("number", [0, 3, 12])
def test_a_count_that_ignores_the_query_ends_in_a_doubt(number: int) -> None:
    search = DoubtfulSearch(rows(number), counted=lambda _: 1_000)
    names, reading = read(search)
    assert len(names) == number
    assert not reading.outcome.proven


@pytest.mark.parametrize("unstable", [False, True])
@pytest.mark.parametrize("number", [150, 400])
def test_a_count_that_is_always_a_few_too_high_does_not_cost_thousands_of_calls(
    number: int, unstable: bool
) -> None:
    search = DoubtfulSearch(rows(number), unstable=unstable, counted=lambda count: count + 3)
    names, reading = read(search)
    assert len(names) == number
    assert reading.outcome.missing == 3
    assert search.calls <= 6 * number / 5


def test_what_is_missing_beyond_such_a_count_is_still_asked_for() -> None:
    many = [{**row, "display_name": f"Company {index // 7}"} for index, row in enumerate(rows(300))]
    search = DoubtfulSearch(many, unstable=True, counted=lambda count: count + 1)
    names, reading = read(search)
    assert len(names) == 300
    assert reading.outcome.missing == 1
