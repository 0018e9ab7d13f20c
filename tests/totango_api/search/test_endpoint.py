"""Responses of a search: which of them hold no rows, and which are unusable."""

from __future__ import annotations

from typing import Any

import pytest

from totango_api.errors import ResponseError
from totango_api.search import page_in


def response(body: Any) -> dict[str, Any]:
    return {"status": "success", "response": {"accounts": body}}


@pytest.mark.parametrize("body", [{"hits": None, "total_hits": 0}, {"total_hits": "0"}])
def test_a_search_that_counts_nothing_needs_no_list(body: Any) -> None:
    page = page_in(response(body), "accounts", endpoint="POST /x")
    assert (page.hits, page.total_hits) == ([], 0)


@pytest.mark.parametrize(
    "body",
    [None, {}, {"hits": None}, {"hits": None, "total_hits": 3}, {"hits": {}, "total_hits": 0}],
)
def test_rows_that_are_counted_or_unknown_are_not_taken_for_none(body: Any) -> None:
    with pytest.raises(ResponseError, match="the response holds no"):
        page_in(response(body), "accounts", endpoint="POST /x")
