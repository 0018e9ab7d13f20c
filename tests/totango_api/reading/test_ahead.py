"""Pages fetched ahead: those expected, no more at once than allowed, failures only where asked."""

from __future__ import annotations

import itertools
import threading

import pytest

from totango_api.errors import RefusedError
from totango_api.reading.ahead import PagesAhead
from totango_api.search.endpoint import Page


class Pages:
    """Gives empty pages, and notes how many were asked for at once; some can be refused."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused
        self.asked: list[int] = []
        self._lock = threading.Lock()
        self._now = self.most = 0

    def fetch(self, offset: int) -> Page:
        with self._lock:
            self.asked.append(offset)
            self._now += 1
            self.most = max(self.most, self._now)
        threading.Event().wait(0.01)
        with self._lock:
            self._now -= 1
        if offset in self.refused:
            raise RefusedError("POST /events", reason="no")
        return Page([{"offset": offset}], None)


def test_pages_come_in_order_and_several_are_fetched_at_once() -> None:
    pages = Pages()
    ahead = PagesAhead(pages.fetch, 3)
    found = [ahead.page(n, itertools.count(n + 1)).hits[0]["offset"] for n in range(8)]
    ahead.close()
    assert found == list(range(8))
    assert 1 < pages.most <= 3
    assert sorted(pages.asked)[:8] == list(range(8))
    assert ahead.calls <= 8 + 2


def test_nothing_is_fetched_that_is_not_expected() -> None:
    pages = Pages()
    ahead = PagesAhead(pages.fetch, 3)
    assert [ahead.page(n).hits[0]["offset"] for n in (0, 5, 2)] == [0, 5, 2]
    ahead.close()
    assert pages.asked == [0, 5, 2]


def test_a_wrong_guess_costs_a_call_and_no_page() -> None:
    pages = Pages()
    ahead = PagesAhead(pages.fetch, 2)
    ahead.page(0, [1])
    assert ahead.page(10, [20]).hits == [{"offset": 10}]
    assert ahead.page(20).hits == [{"offset": 20}]
    ahead.close()


def test_a_refusal_matters_only_when_the_page_is_asked_for() -> None:
    pages = Pages(1)
    ahead = PagesAhead(pages.fetch, 2)
    assert ahead.page(0, [1]).hits == [{"offset": 0}]
    with pytest.raises(RefusedError):
        ahead.page(1)
    ahead.close()
