"""Every row that matches throughout a read is given, whatever the tenant does meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from living_search import CREATED, MOVES, STATUSES, LivingSearch

from totango_api.reading import CompleteRead, Paging, date_keys_of
from totango_api.reading.partitions.partitioners import KnownValues
from totango_api.search import Query

KINDS = {
    "Create Date": {"has_created": True},
    "last activity": {"has_created": False, "is_growing": True},
    "no date": {"has_created": False},
}


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moves", MOVES)
@pytest.mark.parametrize("excludes", [False, True])
def test_nothing_that_lasts_is_lost(
    moves: str, kind: str, in_flight: int, *, excludes: bool
) -> None:
    moving = replace(MOVES[moves], active=MOVES[moves].active // 10)  # as small as the tenant
    how = {"names": 400, "window": 1_000, "page_max": 100, "excludes": excludes, **KINDS[kind]}
    search = LivingSearch(1_500, moving, **how)
    reading = CompleteRead(
        search,
        Query(fields=(CREATED,)),
        date_keys_of("accounts", [CREATED]),
        [KnownValues("status_group", STATUSES, 0.99)],
        Paging(page_size=100, window=1_000, in_flight=in_flight),
    )
    found = {hit["name"] for batch in reading.batches() for hit in batch.hits}
    assert search.lasting <= found
    assert reading.result.is_complete
    many = 3.3 if kind == "no date" else 1.7
    assert search.calls <= (1.1 * 15 + 3 + in_flight if excludes else many * 15 + 9)


@pytest.mark.parametrize("excludes", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["Create Date", "last activity"])
@pytest.mark.parametrize("tied", [0.3, 0.6, 1.0])
def test_rows_that_leave_a_moment_which_many_share_are_read_where_they_go(
    tied: float, kind: str, seed: int, *, excludes: bool
) -> None:
    moving = replace(MOVES["all"], active=2)
    how = {"names": 400, "window": 1_000, "page_max": 100, "excludes": excludes, **KINDS[kind]}
    search = LivingSearch(1_500, moving, seed, tied=tied, **how)
    keys = date_keys_of("accounts", [CREATED])
    paging = Paging(page_size=100, window=1_000, in_flight=1)
    reading = CompleteRead(search, Query(fields=(CREATED,)), keys, paging=paging)
    found = {hit["name"] for batch in reading.batches() for hit in batch.hits}
    assert search.lasting <= found
    assert reading.result.is_complete
    assert search.calls <= (1.1 * 15 + 3 if excludes else 6 * 15)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("moves", MOVES)
def test_a_small_tenant_that_lives_is_no_failure(moves: str, seed: int) -> None:
    """Groups of one name, and moves, that are large for its pages keep seams from closing."""
    moving = replace(MOVES[moves], active=2)
    search = LivingSearch(300, moving, seed, has_created=False, names=150, page_max=20, window=200)
    reading = CompleteRead(
        search,
        Query(fields=(CREATED,)),
        date_keys_of("accounts", [CREATED]),
        [KnownValues("status_group", STATUSES, 0.99)],
        Paging(page_size=20, window=200, in_flight=1),
    )
    for _ in reading.batches():
        pass
    assert reading.result.is_complete


@pytest.mark.parametrize("moves", MOVES)
def test_rows_that_come_behind_a_page_which_held_all_are_no_failure(moves: str) -> None:
    """All have the same name, so that no seam of smaller pages would close."""
    search = LivingSearch(500, MOVES[moves], has_created=False, names=1)
    reading = CompleteRead(search, Query(fields=(CREATED,)))
    found = {hit["name"] for batch in reading.batches() for hit in batch.hits}
    assert search.lasting <= found
    assert reading.result.is_complete
    assert search.calls <= 3


@pytest.mark.parametrize("moves", MOVES)
def test_rows_that_come_do_not_stand_for_others_that_no_part_holds(moves: str) -> None:
    search = LivingSearch(2_500, MOVES[moves], has_created=False, window=1_000, page_max=100, odd=5)
    ways = [KnownValues("status_group", STATUSES, 0.99)]
    paging = Paging(page_size=100, window=1_000, in_flight=1)
    reading = CompleteRead(search, Query(fields=(CREATED,)), (), ways, paging)
    found = {hit["name"] for batch in reading.batches() for hit in batch.hits}
    assert not search.lasting <= found
    assert reading.result.missing


@pytest.mark.parametrize("moves", ["in", "out"])
def test_what_a_partition_did_not_give_is_missing_whatever_comes_by_other_values(
    moves: str,
) -> None:
    """All have the same name, so that more than a page of them proves nothing."""
    search = LivingSearch(1_000, MOVES[moves], 1, has_created=False, names=1, page_max=100)
    ways = [KnownValues("status_group", STATUSES, 0.99), KnownValues("health", STATUSES[:1], 0.9)]
    paging = Paging(page_size=100, in_flight=1)
    reading = CompleteRead(search, Query(fields=(CREATED,)), (), ways, paging)
    for _ in reading.batches():
        pass
    assert not reading.result.is_complete
