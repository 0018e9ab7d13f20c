"""What earlier partitions held of another, and what none held, while a tenant changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from search_model import ModelSearch

from totango_api.reading.pages import Pages, Paging
from totango_api.reading.partitions.pages import PartitionPages
from totango_api.reading.partitions.partitioners import KnownValues
from totango_api.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUS = KnownValues("status_group", ["paying", "free"], 1.0)
HEALTH = KnownValues("health", ["green"], 1.0)
PAYING, FREE, GREEN = STATUS.term(["paying"]), STATUS.term(["free"]), HEALTH.term(["green"])


@pytest.fixture
def search() -> ModelSearch:
    """Twelve accounts: the first six are paying, three of these green, and the others free."""
    return ModelSearch(
        [
            {
                "name": f"acc-{number:02}",
                "display_name": f"{number:02}",
                "_status_group": "paying" if number < 6 else "free",
                "_health": "green" if number < 3 else None,
            }
            for number in range(12)
        ]
    )


@pytest.fixture
def partitions(search: ModelSearch) -> Iterator[PartitionPages]:
    with ThreadPoolExecutor(1) as pool:
        yield PartitionPages(Pages(search, Paging(page_size=5, window=20), pool))


def test_rows_that_earlier_partitions_held_need_not_be_read_again(
    search: ModelSearch, partitions: PartitionPages
) -> None:
    green = Query().narrowed(GREEN)
    assert partitions.is_read(green, 3, [PAYING])
    assert partitions.is_read(green, 3, [FREE, PAYING])
    assert not partitions.is_read(green, 3, [FREE])
    search.hits[11]["_health"] = "green"
    assert not partitions.is_read(green, 4, [PAYING])
    search.terms = frozenset()
    assert not partitions.is_read(Query(), 12, [PAYING])


def test_rows_in_no_partition_are_counted_at_once_where_the_tenant_changes(
    search: ModelSearch, partitions: PartitionPages
) -> None:
    del search.hits[5]
    # Thirteen were counted at first; now six of the eleven are not paying.
    assert partitions.lacking(Query(), 13, 6, STATUS.term(["paying"])) == 6
    # Four came by another filter, of which some may be new: what both leave out is counted.
    assert partitions.remaining(Query(), 6, 4, [PAYING, FREE]) == 0
    assert partitions.remaining(Query(), 6, 4, [PAYING]) == 6
    assert partitions.remaining(Query(), 6, 4, []) == 6
    search.terms = frozenset()
    assert partitions.remaining(Query(), 6, 4, [PAYING]) == 6


def test_in_a_still_tenant_counts_are_believed(partitions: PartitionPages) -> None:
    assert partitions.lacking(Query(), 12, 7, PAYING) == 5
    assert partitions.remaining(Query(), 5, 4, [PAYING]) == 1
