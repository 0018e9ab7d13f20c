"""Every row that matches throughout a read is given, whatever the tenant does meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from living_search import CREATED, MOVES, STATUSES, LivingSearch

from totango_api.reading import CompleteRead, Paging, date_keys_of
from totango_api.reading.values import KnownValues
from totango_api.search import Query

KINDS = {
    "Create Date": {"has_created": True},
    "last activity": {"has_created": False, "is_growing": True},
    "no date": {"has_created": False},
}


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moves", MOVES)
def test_nothing_that_lasts_is_lost(moves: str, kind: str, in_flight: int) -> None:
    moving = replace(MOVES[moves], active=MOVES[moves].active // 10)  # as small as the tenant
    search = LivingSearch(1_500, moving, names=400, window=1_000, page_max=100, **KINDS[kind])
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
    assert search.calls <= (2.2 if kind == "no date" else 1.7) * 15 + 8
