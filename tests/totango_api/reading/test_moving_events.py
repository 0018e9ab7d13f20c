"""Events that come and go while others are read neither hide those nor fail the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest

from totango_api.reading.events import EventsRead
from totango_api.search.query import Query


@dataclass
class MovingEvents:
    """Newest first; before call `n`, `changes[n]` events are added or, below zero, removed."""

    ids: list[int]
    changes: tuple[int, ...]
    counts_rows: bool
    calls: int = 0

    def post_form(self, path: str, form: bytes) -> dict[str, Any]:
        del path
        change = self.changes[self.calls] if self.calls < len(self.changes) else 0
        self.calls += 1
        del self.ids[: max(-change, 0)]
        for _ in range(change):
            self.ids.insert(0, 1_000 + len(self.ids))
        query = json.loads(dict(parse_qsl(form.decode()))["query"])
        count = query["count"]
        start = query["offset"] * (1 if self.counts_rows else count)
        hits = [{"id": f"e{one}"} for one in self.ids[start : start + count]]
        return {"response": {"events": {"hits": hits, "total_hits": len(self.ids)}}}


@pytest.mark.parametrize("counts_rows", [False, True])
@pytest.mark.parametrize("changes", [(0, 3), (0, 3, 3, 3), (0, -3), (0, -3, -1, -2), (0, 0, -4)])
def test_events_that_move_are_found(changes: tuple[int, ...], *, counts_rows: bool) -> None:
    service: Any = MovingEvents(list(range(47)), changes, counts_rows)
    reading = EventsRead(service, Query(terms=(), count=10, sort_order=None))
    ids = [hit["id"] for hits in reading.batches() for hit in hits]
    assert len(ids) == len(set(ids))
    assert {f"e{one}" for one in service.ids} <= set(ids)
    assert not reading.outcome.shifted


def test_events_that_keep_going_away_leave_a_doubt() -> None:
    service: Any = MovingEvents(list(range(47)), (0, *[-1] * 40), counts_rows=False)
    reading = EventsRead(service, Query(terms=(), count=10, sort_order=None))
    list(reading.batches())
    assert reading.outcome.shifted
