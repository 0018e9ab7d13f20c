from __future__ import annotations

from totango_sandbox.http import CallLog, Request

MINUTE = 60_000


def test_calls_are_counted_minute_by_minute_and_older_ones_not():
    calls = CallLog()
    for minute in (0, 7, 8, 9, 9):
        calls.end(Request("GET", "/", "/", b"", [], b"", "users"), 200, minute * MINUTE, 0.0)
    assert calls.per_minute(3, 9 * MINUTE) == [{"users": 2}, {"users": 1}, {"users": 1}]
