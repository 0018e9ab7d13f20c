"""Runs queries: the rows that one selects, a page of them, and the total that the answer gives."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import deque
from math import gcd
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import ApiError
from totango_sandbox.search.filters import compile_terms
from totango_sandbox.storage import made_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_sandbox.search.query import Query
    from totango_sandbox.storage import Store, Table
    from totango_sandbox.switches import Switches


_RESULTS_KEPT: Final = 32
_TEAMS: Final = 3


class Searcher:
    """Runs queries on one store and remembers results until something changes."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self._store = store
        self._switches = switches
        self._pages_served = 0
        self._results: dict[str, tuple[Any, list[int]]] = {}
        self._totals: dict[str, deque[int]] = {}

    def clear(self) -> None:
        """Forget all results and earlier totals."""
        self._results.clear()
        self._totals.clear()

    def matching(self, table: Table, query: Query) -> Sequence[int]:
        """Return all rows that a query selects, sorted."""
        key = f"{_key(table, query)} {query.sort_by} {query.descending}"
        versions = [kept.version for kept in self._store.tables.values()]
        state = (table.version, *versions, self._switches.revision, dates.day_start())
        known = self._results.get(key)
        if known is not None and known[0] == state:
            return known[1]
        rows = self._select(table, query)
        while len(self._results) >= _RESULTS_KEPT:
            del self._results[next(iter(self._results))]
        self._results[key] = (state, rows)
        return rows

    def page(self, table: Table, query: Query, faults: Sequence[str]) -> tuple[int, list[int]]:
        """Return the number of rows that a query selects, and those of the page it asks for.

        Args:
            table: accounts or users.
            query: with offset and count.
            faults: names of faults that spoil the page.

        Raises:
            ApiError: the page lies behind the result window.
        """
        rows = self.matching(table, query)
        offset, count = query.offset, query.count
        if offset + count > self._switches.whole("window_rows"):
            # Totango: Search API, "maximum of 10,000 total records"; what happens is not said.
            mode = self._switches.text("beyond_window")
            if mode == "error":
                msg = (
                    "Result window is too large, offset + count must be less than or equal to: "
                    f"[{self._switches.whole('window_rows')}] but was [{offset + count}]"
                )
                raise ApiError(msg)
            if mode == "empty":
                return len(rows), []
        value = table.base[query.sort_by].__getitem__
        return len(rows), self.cut_page(rows, value, offset, count, faults)

    def cut_page(
        self,
        rows: Sequence[int],
        value: Callable[[int], object],
        offset: int,
        count: int,
        faults: Sequence[str],
    ) -> list[int]:
        """Return rows ``offset`` to ``offset + count``; ties in another order each time.

        Args:
            rows: positions, sorted by their value.
            value: gives the value that a row was sorted by.
            offset: rows to skip.
            count: rows to return at most.
            faults: names of faults that spoil the page.
        """
        if "duplicate-page" in faults:
            offset = max(0, offset - count)
        if "short-page" in faults:
            count //= 2
        self._pages_served += 1
        is_unstable = self._switches.text("ties") == "unstable"
        return _page_of(rows, value, offset, count, self._pages_served if is_unstable else None)

    def shown_total(self, total: int, key: str) -> int | None:
        """Return what total_hits says, as switched; None leaves it out.

        Args:
            total: the number of rows that the query selects now.
            key: identifies the query: a stale total is an earlier one of the same query.
        """
        mode, _, number = self._switches.text("total_hits").partition(":")
        if mode == "missing":
            return None
        if mode == "stale":
            earlier = self._totals.setdefault(key, deque(maxlen=int(number) + 1))
            earlier.append(total)
            return earlier[self._pages_served % len(earlier)]
        return total + int(number or 0)

    def total_of(self, table: Table, query: Query, total: int) -> int | None:
        """Return the total_hits of a query on accounts or users."""
        return self.shown_total(total, _key(table, query))

    def _select(self, table: Table, query: Query) -> list[int]:
        store = self._store
        select = compile_terms(store, table, query.terms)
        rows = table.ordered(query.sort_by, descending=query.descending)
        if select is not None:
            rows = _in_order(rows, select(range(table.size)))
        ids = table.base["account_id" if "account_id" in table.base else "id"]
        if blocked := self._switches.listed("blocked_accounts"):
            rows = [row for row in rows if ids[row] not in blocked]
        if not query.sees_all_teams:
            rows = [row for row in rows if made_up(ids[row], "team") % _TEAMS]
        return rows


def _key(table: Table, query: Query) -> str:
    return json.dumps([table.kind, query.terms, query.sees_all_teams])


def _in_order(order: Sequence[int], chosen: Sequence[int]) -> list[int]:
    """Put chosen rows into an order: filters run over neighbouring cells, which is faster."""
    mask = bytearray(max(chosen, default=-1) + 1 or 1)
    for row in chosen:
        mask[row] = 1
    last = len(mask)
    return [row for row in order if row < last and mask[row]]


# Any step that shares no factor with the number of tied rows visits each of them once.
_STEPS: Final = (1_000_003, 15_485_863, 32_452_843, 49_979_687, 67_867_967, 86_028_121)


def _page_of(
    rows: Sequence[int], value: Callable[[int], object], offset: int, count: int, nonce: int | None
) -> list[int]:
    """Return rows ``offset`` to ``offset + count``.

    Args:
        rows: positions, sorted by their value.
        value: gives the value that a row was sorted by.
        offset: rows to skip.
        count: rows to return at most.
        nonce: decides the order among equal values; None leaves them as they are.
    """
    end = min(offset + count, len(rows))
    if nonce is None or offset >= end:
        return list(rows[offset:end])
    result: list[int] = []
    position = offset
    while position < end:
        tied = value(rows[position])
        start, stop = position, position + 1
        if position == offset:
            start = bisect_left(range(position), True, key=lambda at: value(rows[at]) == tied)
        while stop < end and value(rows[stop]) == tied:
            stop += 1
        inside = stop
        if stop == end:
            stop += bisect_left(
                range(stop, len(rows)), True, key=lambda at: value(rows[at]) != tied
            )
        size = stop - start
        if size == 1:
            result.append(rows[position])
        else:
            result += [
                rows[start + _shuffled(at - start, size, nonce)] for at in range(position, inside)
            ]
        position = inside
    return result


def _shuffled(index: int, size: int, nonce: int) -> int:
    step = next(step for step in _STEPS[nonce % len(_STEPS) :] + _STEPS if gcd(step, size) == 1)
    return (index * step + nonce * 2_654_435_761) % size
