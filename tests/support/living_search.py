"""A model of the search endpoint whose tenant changes a little before every answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from totango_api.errors import RefusedError
from totango_api.search import Page, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_api.search import Hit, Key, Query, Term

CREATED = {"type": "date_attribute", "attribute": "Create Date"}
STATUSES = ("paying", "free", "canceled", "unknown")
_YEAR = 365 * 86_400_000
_NOW = 1_760_000_000_000


@dataclass(frozen=True)
class Moves:
    """How many rows come, go, change or are replaced at each call."""

    ins: int = 0
    outs: int = 0
    renamed: int = 0
    active: int = 0
    replaced: int = 0
    redated: int = 0


STILL = Moves()
MOVES = {
    "still": STILL,
    "active": Moves(active=20),
    "in": Moves(ins=1),
    "out": Moves(outs=1),
    "renamed": Moves(renamed=1),
    "replaced": Moves(replaced=1),
    "all": Moves(ins=1, outs=1, renamed=1, active=20, replaced=1),
}


@dataclass
class LivingSearch:
    """Answers like a Totango of so many accounts, of which some change at each call.

    Attributes:
        undated: Share of rows without any date.
        tied: Share of rows that have the same date in the beginning.
        odd: Rows that are there from the beginning, with a status that is none of `STATUSES`.
        has_terms: Whether it filters by dates.
        excludes: Whether it leaves out rows by their ids.
        lasting: Ids of the rows that were there at the first call and still are.
        calls: How often it was asked.
    """

    rows: int
    moves: Moves = STILL
    seed: int = 0
    undated: float = 0.0
    is_growing: bool = False
    has_created: bool = True
    has_terms: bool = True
    excludes: bool = False
    unstable: bool = True
    unsorted: bool = False
    names: int = 10**9
    lumpy: bool = False
    tied: float = 0.0
    odd: int = 0
    window: int = 10_000
    page_max: int = 1_000
    calls: int = 0
    stream: str = "accounts"
    lasting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._next = 0
        self._hits: dict[str, Hit] = {}
        self._ids: list[str] = []
        for _ in range(self.rows):
            self._arrive(is_new=False)
        self._sorted: list[Hit] = []
        self._is_sorted = False

    def key(self, hit: Hit) -> Key | None:
        return key_of(self.stream, hit)

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        self.calls += 1
        if self.calls == 1:
            self.lasting = set(self._hits)
        else:
            self._move()
        if query.offset + query.count > self.window:
            raise RefusedError("POST /search", status=400, reason="beyond the window")
        rows = self._matching(query)
        if query.sort_order == "DESC":
            rows = rows[::-1]
        count = min(query.count, self.page_max)
        hits = [
            {**hit, "selected_fields": list(hit["selected_fields"])}
            for hit in rows[query.offset : query.offset + count]
        ]
        return Page(hits, len(rows), key_of=self.key)

    def is_there(self, account_id: str) -> bool:
        return account_id in self._hits

    def _matching(self, query: Query) -> list[Hit]:
        if not self._is_sorted:
            self._sorted = sorted(self._hits.values(), key=lambda hit: hit["display_name"])
            self._is_sorted = True
        rows = self._sorted
        if self.unsorted:
            rows = self._random.sample(rows, len(rows))
        for term in query.terms:
            is_there = self.has_terms or term["type"] in {"string", "or"}
            if "not_in_list" in term:
                is_there = self.excludes
            if not is_there:
                raise RefusedError("POST /search", status=400, reason="no such term")
            rows = list(filter(_matcher(term), rows))
        if self.unstable and not self.unsorted and self.names < self.rows:
            places = [(hit["display_name"], self._random.random()) for hit in rows]
            rows = [rows[number] for number in sorted(range(len(rows)), key=places.__getitem__)]
        return rows

    # What happens ----------------------------------------------------------------------------

    def _move(self) -> None:
        moves = self.moves
        for _ in range(moves.ins + moves.replaced):
            self._arrive(is_new=True)
        for _ in range(moves.outs + moves.replaced):
            self._leave()
        for _ in range(moves.renamed):
            self._hits[self._any()]["display_name"] = self._name()
        for _ in range(moves.redated):
            self._hits[self._any()]["selected_fields"] = [self._date()]
        for _ in range(moves.active):
            self._now += 1_000
            self._hits[self._any()]["last_activity_time"] = self._now
        if moves != STILL:
            self._is_sorted = False

    _now = _NOW

    def _any(self) -> str:
        return self._ids[self._random.randrange(len(self._ids))]

    def _leave(self) -> None:
        at = self._random.randrange(len(self._ids))
        gone = self._ids[at]
        self._ids[at] = self._ids[-1]
        self._ids.pop()
        del self._hits[gone]
        self.lasting.discard(gone)

    def _arrive(self, *, is_new: bool) -> None:
        account_id = f"acc-{self._next}"
        self._next += 1
        self._ids.append(account_id)
        is_dated = self._random.random() >= self.undated
        if is_new:
            self._now += 1_000
        created = self._now if is_new else self._date()
        active = self._now if is_new else self._date()
        self._hits[account_id] = {
            "name": account_id,
            "display_name": self._name(),
            "last_activity_time": active if is_dated and self.is_growing else None,
            "selected_fields": [created if is_dated and self.has_created else None],
            "_status": self._status(),
        }

    def _status(self) -> str:
        if self._next <= self.odd:
            return "odd"
        return STATUSES[min(int(self._random.expovariate(1)), 3)]

    def _date(self) -> int:
        if self.tied and self._random.random() < self.tied:
            return _NOW - _YEAR
        if self.lumpy:
            year = min(int(self._random.expovariate(0.7)), 6)
            return _NOW - year * _YEAR - int(_YEAR * self._random.random() ** 3)
        return _NOW - int(6 * _YEAR * self._random.random())

    def _name(self) -> str:
        if self.names < self.rows:
            return f"Company {self._random.randrange(self.names):06}"
        return f"{self._random.getrandbits(60):015x}"


def _matcher(term: Term) -> Callable[[Hit], bool]:
    """Return what tells whether a row matches: thousands of rows are asked about each term."""
    if term["type"] == "or":
        matchers = [_matcher(one) for one in term["or"]]
        return lambda hit: any(matches(hit) for matches in matchers)
    if "not_in_list" in term:
        left_out = frozenset(term["not_in_list"])
        return lambda hit: hit["name"] not in left_out
    if term["type"] == "string":
        statuses = frozenset(term["in_list"])
        return lambda hit: hit["_status"] in statuses
    least, most, has_attribute = term.get("gte"), term.get("lte"), "attribute" in term

    def is_between(hit: Hit) -> bool:
        date: Any = hit["selected_fields"][0] if has_attribute else hit["last_activity_time"]
        if date is None:
            return False
        return (least is None or least <= date) and (most is None or date <= most)

    return is_between
