"""A model of the events search whose events come, go and are edited before every answer."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from totango_api.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

_NOW = 1_760_000_000_000
_SPAN = 300 * 86_400_000
_NEVER = 10**15

Event = dict[str, Any]


@dataclass(frozen=True)
class Moves:
    """How many events come, come with an old date, go, or are edited at each call."""

    ins: int = 0
    backdated: int = 0
    outs: int = 0
    edited: int = 0


STILL = Moves()
MOVES = {
    "still": STILL,
    "in": Moves(ins=1),
    "back-dated": Moves(backdated=1),
    "out": Moves(outs=1),
    "edited": Moves(edited=3),
    "all": Moves(1, 1, 1, 1),
}


@dataclass
class LivingEvents:
    """Answers like a Totango of so many events, of which some change at each call.

    Attributes:
        grain: Milliseconds by which times differ: the larger, the more are at one moment.
        order: `desc` or `asc`, by time.
        unit: Of offsets: `page` or `row`.
        times: Whether it filters by time: `on`, or `refused`, `ignored`, or `days`: by whole days.
        total: What it counts too many; None if it does not count.
        unstable: Whether events of one moment come in another order at each call.
        page_max: Events on a page at most.
        stingy: Every so many pages hold half of what they should.
        share: Of what they should hold, so much instead of half.
        window: Events behind so many are not given by offsets; None if all are.
        filters_both: Whether it takes times in an `or`.
        spelling: How it writes times.
        wraps: Whether an offset beyond the end gives the first page.
        moves_times: Whether an edit gives an event the time of the edit.
        lasting: Ids of the events that were there at the first call and still are.
        calls: How often it was asked.
    """

    rows: int
    moves: Moves = STILL
    seed: int = 0
    grain: int = 1
    order: str = "desc"
    unit: str = "page"
    times: str = "on"
    total: int | None = None
    unstable: bool = True
    page_max: int = 1_000
    stingy: int = 0
    share: float = 0.5
    window: int | None = None
    filters_both: bool = True
    spelling: Callable[[int], object] = int
    wraps: bool = False
    moves_times: bool = True
    calls: int = 0
    lasting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._events: dict[str, Event] = {}
        self._ids: list[str] = []
        self._now = _NOW
        for _ in range(self.rows):
            self._arrive(_NOW - int(_SPAN * self._random.random() ** 2))

    def post_form(self, path: str, form: bytes, **_: Any) -> Any:
        assert path == "/api/v2/events/search"
        self.calls += 1
        if self.calls == 1:
            self.lasting = set(self._events)
        else:
            self._move()
        query = json.loads(parse_qs(form.decode())["query"][0])
        events = self._matching(query["terms"])
        count = min(query["count"], self.page_max)
        skip = query["offset"] * (count if self.unit == "page" else 1)
        skip = 0 if self.wraps and skip >= len(events) else skip
        hits = events[skip : min(skip + count, self.window or len(events))]
        if self.stingy and self.calls % self.stingy == 0:
            hits = hits[: max(int(len(hits) * self.share), 1)]
        body: dict[str, Any] = {"hits": [self._shown(event) for event in hits]}
        if self.total is not None:
            body["total_hits"] = len(events) + self.total
        return {"response": {"events": body}}

    def _shown(self, event: Event) -> Event:
        moment = event["timestamp"]
        return {**event, "timestamp": None if moment is None else self.spelling(moment)}

    def _matching(self, terms: list[dict[str, Any]]) -> list[Event]:
        events = list(self._events.values())
        for term in terms:
            if self.times == "refused" or (term["type"] == "or" and not self.filters_both):
                raise RefusedError("POST /events", status=400, reason="no such term")
            if self.times != "ignored":
                events = self._within(events, term)
        chance = self._random.random if self.unstable else float
        places = [(event["timestamp"] or 0) + chance() / 2 for event in events]
        order = sorted(range(len(events)), key=places.__getitem__, reverse=self.order == "desc")
        return [events[number] for number in order]

    def _within(self, events: list[Event], term: dict[str, Any]) -> list[Event]:
        unit = 86_400_000 if self.times == "days" else 1
        spans = [
            (one.get("gte", 0) // unit, one.get("lte", _NEVER) // unit)
            for one in (term["or"] if term["type"] == "or" else [term])
        ]
        low, high = spans[0]
        moments = [event["timestamp"] for event in events]
        if len(spans) == 1:
            are_in = [one is not None and low <= one // unit <= high for one in moments]
        else:
            are_in = [
                one is not None and any(low <= one // unit <= high for low, high in spans)
                for one in moments
            ]
        return list(itertools.compress(events, are_in))

    # What happens ----------------------------------------------------------------------------

    def _move(self) -> None:
        moves = self.moves
        if moves != STILL:
            self._now += 60_000
        for _ in range(moves.ins):
            self._arrive(self._now)
        for _ in range(moves.backdated):
            self._arrive(self._now - int(_SPAN * self._random.random()))
        for _ in range(min(moves.outs, len(self._ids))):
            gone = self._ids.pop(self._random.randrange(len(self._ids)))
            del self._events[gone]
            self.lasting.discard(gone)
        for _ in range(moves.edited if self._ids and self.moves_times else 0):
            self._events[self._random.choice(self._ids)]["timestamp"] = self._now

    def _arrive(self, moment: int) -> None:
        event_id = f"e-{len(self._events)}-{self._random.getrandbits(32):08x}"
        self._ids.append(event_id)
        self._events[event_id] = {"id": event_id, "timestamp": moment // self.grain * self.grain}

    def without_times(self, events: int) -> None:
        """Take the time from some events."""
        for event_id in self._ids[:events]:
            self._events[event_id]["timestamp"] = None
