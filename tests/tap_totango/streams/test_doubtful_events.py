"""Events that cannot be had keep the bookmark where it was, whether the run goes on or not."""

from __future__ import annotations

import re

import pytest
from stub_totango import hits, ok

START = 1_760_000_000_000


@pytest.mark.parametrize(("incomplete", "code"), [("warn", 0), ("fail", 1)])
def test_the_bookmark_stays_where_events_are_missing(
    service, tap, discover, incomplete: str, code: int
) -> None:
    catalog = discover().select("events").deselect("accounts", "users")
    service.load(
        events=[
            {"id": one, "timestamp": START, "type": "note", "account": {"id": "a"}}
            for one in ("e-1", "", "e-3")
        ]
    )
    ran = tap(catalog=catalog, on_incomplete=incomplete)
    assert ran.code == code
    assert sorted(ran.keys("events")) == [("e-1",), ("e-3",)]
    assert ran.value("events") is None
    assert "1 row came without an id" in ran.said
    assert len(re.findall(r"events: row \d, 'note of .*', has no id\.", ran.said)) == 1


def test_ids_that_came_with_a_fraction_of_nothing(stub, tap, discover) -> None:
    row = {"id": 12345.0, "timestamp": START, "type": "note", "account": {"id": "a"}}
    server = stub(lambda call: ok(hits("events", [row] * (not call.query["offset"]), 1)))
    config = server.config()
    catalog = discover(config=config).select("events").deselect("accounts", "users")
    ran = tap(config=config, catalog=catalog).ok()
    assert ran.keys("events") == [("12345",)]
    assert ran.said.count("events: ids came as numbers such as 5.0, and are read as 5.") == 1
