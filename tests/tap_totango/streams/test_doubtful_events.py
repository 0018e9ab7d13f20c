"""Events that cannot be had keep the bookmark where it was, whether the run goes on or not."""

from __future__ import annotations

import pytest

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
    assert "1 have no id" in ran.said
