"""How many rows a filter leaves out is told by counts that the server really makes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from search_model import ModelSearch

from totango_api.reading.coverage import coverage_of
from totango_api.reading.pages import Pages, Paging
from totango_api.search import Query

LONG_AGO = {"type": "date", "term": "last_activity_time", "gte": 0}


@pytest.mark.parametrize(
    ("dated", "counts_to", "left_out"),
    [(12, None, 0), (10, None, 2), (19, None, 0), (30, None, 0), (30, 20, None)],
)
def test_rows_without_a_date_are_counted(
    dated: int, counts_to: int | None, left_out: int | None
) -> None:
    rows = [
        {"name": f"a{row}", "display_name": f"{row:02}", "last_activity_time": row + 1}
        for row in range(max(dated, 12))
    ]
    for row in rows[dated:]:
        row["last_activity_time"] = None
    search = ModelSearch(rows, counts_to=counts_to)
    with ThreadPoolExecutor(1) as pool:
        pages = Pages(search, Paging(page_size=5, window=20), pool)
        total = search.page(Query()).total_hits
        assert coverage_of(pages, Query(), LONG_AGO, total or 0).left_out == left_out
