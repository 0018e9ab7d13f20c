"""Runs queries: the rows that one selects, a page of them, and the total that the answer gives."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import ApiError
from totango_sandbox.search.filters import compile_terms
from totango_sandbox.search.paging import page
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
        return page(rows, value, offset, count, self._pages_served if is_unstable else None)

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
        """Return what total_hits says of a query on accounts or users."""
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
