"""Events of any service: each once, all of them, and an end; or a word."""

from __future__ import annotations

import json
import random
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from hypothesis import example, given, settings
from hypothesis import strategies as st

from totango_api.reading.events import EventsRead
from totango_api.search.query import Query


class Model:
    """Answers like a Totango that holds these events."""

    def __init__(self, moments: list[int], *, size: int, unit: str, counts: bool, shuffles: bool):
        self.rows = [{"id": str(n), "timestamp": moment} for n, moment in enumerate(moments)]
        self.size, self.unit, self.counts, self.shuffles = size, unit, counts, shuffles
        self.calls = 0
        self._random = random.Random(3)

    def post_form(self, path: str, form: bytes, **_: Any) -> Any:
        self.calls += 1
        query = json.loads(parse_qs(form.decode())["query"][0])
        rows = [row for row in self.rows if all(self._fits(row, one) for one in query["terms"])]
        if self.shuffles:
            self._random.shuffle(rows)
        rows.sort(key=lambda row: -row["timestamp"])
        count = min(query["count"], self.size)
        skip = query["offset"] * (count if self.unit == "page" else 1)
        body: dict[str, Any] = {"hits": rows[skip : skip + count]}
        if self.counts:
            body["total_hits"] = len(rows)
        return {"response": {"events": body}}

    @staticmethod
    def _fits(row: dict[str, Any], term: dict[str, Any]) -> bool:
        moment: int = row["timestamp"]
        return bool(term.get("gte", moment) <= moment <= term.get("lte", moment))


@settings(deadline=None, max_examples=300)
@example(
    moments=[0, 0, 0, 1, 1, 1],
    size=3,
    asked=3,
    unit="row",
    counts=False,
    shuffles=False,
    in_flight=1,
)
@example(moments=[0, 0, 0], size=2, asked=2, unit="page", counts=False, shuffles=True, in_flight=1)
@given(
    moments=st.lists(st.integers(0, 8) | st.integers(0, 10**6), max_size=80),
    size=st.integers(1, 12),
    asked=st.integers(1, 12),
    unit=st.sampled_from(["page", "row"]),
    counts=st.booleans(),
    shuffles=st.booleans(),
    in_flight=st.integers(1, 4),
)
def test_each_once_and_all_or_a_word(
    moments: list[int],
    size: int,
    asked: int,
    unit: str,
    counts: bool,
    shuffles: bool,
    in_flight: int,
) -> None:
    model = Model(moments, size=size, unit=unit, counts=counts, shuffles=shuffles)
    reading = EventsRead(model, Query(count=asked, sort_order=None), in_flight=in_flight)  # type: ignore[arg-type]
    with patch("totango_api.reading.ahead.SLOW_SECONDS", -1.0):  # every server counts as slow
        found = [hit["id"] for hits in reading.batches() for hit in hits]
    outcome = reading.outcome
    assert len(found) == len(set(found)) == outcome.rows
    complete = len(found) == len(moments)
    assert complete or outcome.shifted or (counts and outcome.total == len(moments))
    if not shuffles:
        assert complete
    assert model.calls <= 5 * (len(moments) // min(size, asked) + 20)


def test_rows_without_an_id_are_counted() -> None:
    model = Model([5, 4, 3], size=10, unit="page", counts=False, shuffles=False)
    for row, odd in zip(model.rows, (None, "", True), strict=True):
        row["id"] = odd
    model.rows.append({"id": 7, "timestamp": 1})
    reading = EventsRead(model, Query(sort_order=None))  # type: ignore[arg-type]
    assert [hit["id"] for hits in reading.batches() for hit in hits] == [7]
    assert reading.outcome.unreadable >= 3
