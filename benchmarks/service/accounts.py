"""Made-up accounts, as many as wanted, and the pages of searches over them."""

from __future__ import annotations

import json
import random
from array import array
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from benchmarks.service.attributes import NAMES, VARIANTS, variants

if TYPE_CHECKING:
    from collections.abc import Sequence

Term = dict[str, Any]

LAST_ACTIVITY: Final = "last_activity_time"
PAGES_KEPT: Final = 128
"""Pages that are kept ready: all of a read of 100,000 accounts."""

_NOW: Final = 1_790_000_000_000
_MONTH: Final = 30 * 86_400_000
_PAGE_ROWS: Final = 1000
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_BOUNDS: Final = ("gte", "lte")
_OPEN: Final = (-(1 << 62), 1 << 62)


class RefusedError(Exception):
    """A search that is not answered."""


class Accounts:
    """Accounts in the order of their names, which says nothing about their dates.

    Activity thins out towards the past: half of the accounts were active in the last three weeks.

    Args:
        number: How many there are.
        window: Rows that one query reaches; 0 = all.
        page_max: Most rows of a page.
    """

    def __init__(self, number: int, *, window: int = 0, page_max: int = _PAGE_ROWS) -> None:
        self.number = number
        self._window = window
        self._page_max = page_max
        rnd = random.Random(2)  # noqa: S311 (no secret depends on it)
        self._activity = array(
            "q", (_NOW - int(rnd.expovariate(1 / _MONTH)) for _ in range(number))
        )
        self._variants = variants()
        self._tails = lru_cache(maxsize=8)(self._rendered)
        self._matching = lru_cache(maxsize=4)(self._found)
        self._dated = lru_cache(maxsize=4)(self._by_date)
        self._page = lru_cache(maxsize=PAGES_KEPT)(self._built)

    def page(self, query: dict[str, Any]) -> bytes:
        """Return the JSON of a page.

        Raises:
            RefusedError: If it lies beyond the window, or has a filter that is not known here.
        """
        offset = int(query.get("offset", 0))
        count = min(int(query.get("count", _PAGE_ROWS)), self._page_max)
        if self._window and offset + count > self._window:
            msg = f"Result window is too large, from + size must be at most {self._window}"
            raise RefusedError(msg)
        terms = json.dumps(query.get("terms", []))
        fields = tuple(str(field.get("attribute")) for field in query.get("fields", []))
        return self._page(terms, fields, offset, count, query.get("sort_order") == "DESC")

    def _built(
        self, terms: str, fields: tuple[str, ...], offset: int, count: int, descending: bool
    ) -> bytes:
        found, tails = self._matching(terms), self._tails(fields)
        ordered = found[::-1][offset : offset + count] if descending else found[offset:][:count]
        activity = self._activity
        hits = ",".join(
            f'{{"name":"acme-{at:07d}","display_name":"Acme {at:07d}",'
            f'"last_activity_time":{activity[at]},"selected_fields":{tails[at % VARIANTS]}}}'
            for at in ordered
        )
        return (
            '{"status":"success","service_id":"12345","_type":"search","_version":1,"took":1,'
            f'"response":{{"accounts":{{"total_hits":{len(found)},"stats":{{}},"hits":[{hits}]}}}}}}'
        ).encode()

    def _rendered(self, fields: tuple[str, ...]) -> list[str]:
        """Return the JSON of the values of some attributes, for each variant."""
        return [_JSON.encode([values.get(name) for name in fields]) for values in self._variants]

    def _found(self, terms: str) -> Sequence[int]:
        """Return the accounts that all terms match, in the order of their names."""
        found: Sequence[int] = range(self.number)
        for number, term in enumerate(json.loads(terms)):
            matched = self._in_window(term)
            kept = set(found).intersection(matched) if number else matched
            found = array("q", sorted(kept))
        return found

    def _in_window(self, term: Term) -> Sequence[int]:
        name = {"date": "term", "date_attribute": "attribute"}.get(str(term.get("type")), "")
        if term.get(name) not in {LAST_ACTIVITY, *NAMES} or term.keys() - {name, "type", *_BOUNDS}:
            msg = f"Unsupported term: {json.dumps(term)}"
            raise RefusedError(msg)
        dates, numbers = self._dated(str(term[name]))
        first = bisect_left(dates, term.get("gte", _OPEN[0]))
        return numbers[first : bisect_right(dates, term.get("lte", _OPEN[1]))]

    def _by_date(self, name: str) -> tuple[array[int], array[int]]:
        """Return the dates of all accounts that have one, in order, and whose they are."""
        if name == LAST_ACTIVITY:
            pairs = sorted(zip(self._activity, range(self.number), strict=True))
        else:
            values = [one[name] for one in self._variants]
            dated = ((values[at % VARIANTS], at) for at in range(self.number))
            pairs = sorted((value, at) for value, at in dated if isinstance(value, int))
        return array("q", (date for date, _ in pairs)), array("q", (at for _, at in pairs))
