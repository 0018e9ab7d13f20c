"""When everything is read, from where the rest is, and what a run may leave behind."""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stub_totango import hits, ok

from tap_totango import tap as tap_module
from tap_totango.schema.times import moment_of, timestamp
from tap_totango.state import Bookmark, canonical
from tap_totango.state_file import checked_state, unwrapped_state
from totango_api.errors import InputError
from totango_api.http import headers
from totango_api.reading import ResumePoint
from totango_api.search.query import Query

if TYPE_CHECKING:
    from random import Random

KEY = "last_activity_time"
NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
QUERY = Query()

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def started(state: dict[str, Any], now: datetime = NOW, **how: Any):
    how = {"every_hours": 24, "lookback_seconds": 0, "start_date": None, **how}
    bookmark = Bookmark(state, KEY, now)
    return bookmark, bookmark.start(QUERY, **how)


def carried(state: dict[str, Any]) -> dict[str, Any]:
    """The state as the next run gets it: through JSON."""
    checked_state({"bookmarks": {"accounts": state}})
    again: dict[str, Any] = json.loads(json.dumps(state))
    return again


runs = st.lists(
    st.tuples(st.timedeltas(timedelta(0), timedelta(days=3)), st.none() | moments), max_size=10
)


@given(runs=runs, hours=st.none() | st.floats(0, 200), lookback=st.floats(0, 10**7))
@example(runs=[(timedelta(0), NOW)] * 2, hours=1e-12, lookback=0)
@example(runs=[(timedelta(0), NOW)] * 2, hours=1e300, lookback=1e300)
def test_never_backwards_and_never_past_the_start_of_a_run(
    runs: list[tuple[timedelta, datetime | None]], hours: float | None, lookback: float
) -> None:
    state: dict[str, Any] = {}
    now, before = NOW, None
    for wait, greatest in runs:
        now += wait
        bookmark, start = started(state, now, every_hours=hours, lookback_seconds=lookback)
        if start.since is not None:
            assert before is not None
            assert start.since <= before
        bookmark.finished(start, greatest and timestamp(greatest))
        state = carried(state)
        after = canonical(state.get("replication_key_value"))
        assert after is None or after <= timestamp(now)
        assert before is None or (after is not None and after >= before)
        if greatest is not None:
            assert after is not None
            assert after >= min(timestamp(greatest), timestamp(now))
        before = after


def full_reads(times: list[datetime], hours: float) -> list[datetime]:
    state: dict[str, Any] = {}
    full = []
    for now in times:
        bookmark, start = started(state, now, every_hours=hours)
        if start.full:
            full.append(now)
        bookmark.finished(start, timestamp(now - timedelta(minutes=5)))
        state = carried(state)
    return full


jitters = st.lists(st.integers(-80, 80), min_size=2, max_size=30)


@given(jitter=jitters)
def test_a_daily_schedule_is_full_every_day(jitter: list[int]) -> None:
    times = [NOW + timedelta(days=day, minutes=late) for day, late in enumerate(jitter)]
    assert full_reads(times, 24) == times


@pytest.mark.slow
@given(chance=st.randoms(use_true_random=False), days=st.integers(3, 6))
def test_an_hourly_schedule_is_full_once_a_day(chance: Random, days: int) -> None:
    jitter = [chance.randint(-10, 10) for _ in range(24 * days)]
    times = [NOW + timedelta(hours=hour, minutes=late) for hour, late in enumerate(jitter)]
    full = full_reads(times, 24)
    assert days <= len(full) <= days + 1
    gaps = [later - one for one, later in itertools.pairwise(full)]
    assert all(timedelta(hours=20) <= gap <= timedelta(hours=28) for gap in gaps)


def test_zero_hours_means_every_run() -> None:
    times = [NOW + timedelta(minutes=minute) for minute in range(5)]
    assert full_reads(times, 0) == times


def test_null_hours_mean_never_again() -> None:
    state: dict[str, Any] = {}
    bookmark, start = started(state, every_hours=None)
    assert start.full
    bookmark.finished(start, timestamp(NOW))
    _, later = started(state, NOW + timedelta(days=1000), every_hours=None)
    assert later.since == timestamp(NOW)
    assert not later.full


def test_a_clock_that_was_wrong_once_does_not_put_full_reads_off_for_years() -> None:
    state: dict[str, Any] = {}
    bookmark, start = started(state, datetime(2090, 1, 1, tzinfo=UTC))
    bookmark.finished(start, timestamp(NOW))
    _, later = started(carried(state), NOW)
    assert later.full


def test_start_date_wins_over_an_older_bookmark_but_not_over_a_newer_one() -> None:
    state = {
        "replication_key": KEY,
        "replication_key_value": "2026-02-01T00:00:00.000000Z",
        "full_refresh_at": timestamp(NOW),
        "full_refresh_anchor": timestamp(NOW),
    }
    for start_date, since in [
        ("2026-01-01", "2026-02-01T00:00:00.000000Z"),
        ("2026-02-15T00:00:00+01:00", "2026-02-14T23:00:00.000000Z"),
        (None, "2026-02-01T00:00:00.000000Z"),
    ]:
        assert started(dict(state), start_date=start_date)[1].since == since


def test_look_back_goes_back_but_not_before_the_start_date() -> None:
    state = {
        "replication_key": KEY,
        "replication_key_value": "2026-02-01T00:00:00.000000Z",
        "full_refresh_at": timestamp(NOW),
        "full_refresh_anchor": timestamp(NOW),
    }
    _, start = started(dict(state), lookback_seconds=86400)
    assert start.since == "2026-01-31T00:00:00.000000Z"
    _, start = started(dict(state), lookback_seconds=10 * 86400, start_date="2026-01-30")
    assert start.since == "2026-01-30T00:00:00.000000Z"


def test_a_bookmark_of_another_key_is_not_used() -> None:
    state = {"replication_key": "create_date", "replication_key_value": "2026-02-01T00:00:00Z"}
    bookmark, start = started(state)
    assert start.full
    bookmark.finished(start, "2025-01-01T00:00:00.000000Z")
    assert state["replication_key"] == KEY
    assert state["replication_key_value"] == "2025-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "written",
    ["2026-02-01T00:00:00Z", "2026-02-01T00:00:00+00:00", "2026-02-01", "2026-02-01T01:00:00+01"],
)
def test_bookmarks_in_other_spellings_are_understood(written: str) -> None:
    state = {
        "replication_key": KEY,
        "replication_key_value": written,
        "full_refresh_at": timestamp(NOW),
        "full_refresh_anchor": timestamp(NOW),
    }
    assert started(state)[1].since == "2026-02-01T00:00:00.000000Z"


RESUME = ResumePoint("last_activity_time", ((5, None),), rows=7)


def interrupted(query: Query = QUERY) -> dict[str, Any]:
    state: dict[str, Any] = {}
    bookmark, start = started(state)
    bookmark.progressed(start, query, RESUME)
    return carried(state)


def test_an_interrupted_full_read_goes_on_with_its_version_and_its_start() -> None:
    _, start = started(interrupted(), NOW + timedelta(hours=2))
    assert start.resume == RESUME
    assert start.version == int(NOW.timestamp() * 1000)
    assert start.at == NOW
    assert start.full


@pytest.mark.parametrize(
    ("query", "later"),
    [
        (Query(terms=({"type": "string", "term": "health", "eq": "red"},)), timedelta(hours=1)),
        (QUERY, timedelta(hours=25)),
        (QUERY, timedelta(hours=-1)),
    ],
    ids=["another query", "too old", "from the future"],
)
def test_what_no_longer_fits_is_begun_anew(query: Query, later: timedelta) -> None:
    bookmark = Bookmark(interrupted(), KEY, NOW + later)
    start = bookmark.start(query, every_hours=24, lookback_seconds=0, start_date=None)
    assert start.full
    assert start.resume is None


def test_the_end_of_a_read_forgets_where_it_was() -> None:
    state = interrupted()
    bookmark, start = started(state, NOW + timedelta(hours=1))
    bookmark.finished(start, None)
    assert "full_read" not in state
    assert moment_of(state["full_refresh_at"]) == NOW


@pytest.mark.parametrize(
    "bookmarks",
    [
        7,
        [],
        {"accounts": 7},
        {"accounts": {"replication_key_value": 1700000000000}},
        {"accounts": {"replication_key_value": "yesterday"}},
        {"accounts": {"full_refresh_at": ["2026"]}},
        {"accounts": {"full_refresh_anchor": "x"}},
        {"accounts": {"columns": 7}},
        {"accounts": {"columns": {"snake": {"plan": "Plan"}}}},
        {"accounts": {"columns": {"snake": {"plan": ["text", None]}}}},
        {"accounts": {"refused_columns": 7}},
        {"accounts": {"refused_columns": [7]}},
        {"accounts": {"full_read": 7}},
        {"accounts": {"full_read": {}}},
        {"accounts": {"full_read": {"started_at": "2026-03-01", "version": "x", "resume": {}}}},
        {"accounts": {"full_read": {**interrupted()["full_read"], "started_at": 5}}},
        {
            "accounts": {
                "full_read": {
                    **interrupted()["full_read"],
                    "resume": {"key": "x", "windows": [5], "rows": 1},
                }
            }
        },
        {
            "accounts": {
                "full_read": {
                    **interrupted()["full_read"],
                    "resume": {"key": "x", "windows": [["a", None]], "rows": 1},
                }
            }
        },
    ],
)
def test_a_state_of_the_wrong_shape_is_refused(bookmarks: Any) -> None:
    with pytest.raises(InputError):
        checked_state({"bookmarks": bookmarks})


@pytest.mark.parametrize(
    "state",
    [
        {"type": "STATE", "value": {"bookmarks": {}}},
        {"value": {"bookmarks": {}}},
        {"singer_state": {"bookmarks": {}}},
        {"singer_state": {"value": {"bookmarks": {}}}},
        {"bookmarks": {}, "value": {"bookmarks": {"accounts": {}}}},
    ],
    ids=str,
)
def test_a_state_is_taken_out_of_its_envelope(state: Any) -> None:
    assert unwrapped_state(state)["bookmarks"] == {}


@pytest.mark.parametrize(
    "state",
    [
        {"accounts": {"replication_key_value": "2026-01-01T00:00:00Z"}},
        {"singer_state": 7},
        {"completed": {"singer_state": {"bookmarks": {}}}},
    ],
    ids=str,
)
def test_a_state_in_another_envelope_is_refused_rather_than_overlooked(state: Any) -> None:
    with pytest.raises(InputError):
        checked_state(unwrapped_state(state))


def test_a_full_refresh_is_due_however_early_periods_began() -> None:
    for last, is_due in ((NOW, False), (NOW - timedelta(hours=30), True)):
        state = carried(
            {
                "replication_key": KEY,
                "replication_key_value": timestamp(NOW),
                "full_refresh_at": timestamp(last),
                "full_refresh_anchor": "0001-01-01T00:00:00Z",
            }
        )
        assert started(state)[1].full == is_due


@pytest.mark.parametrize(
    ("greatest", "is_said"),
    [
        ("1970-01-21T16:48:00.000000Z", True),
        ("1973-03-03T09:46:39.999000Z", True),
        ("1973-03-03T09:46:40.000000Z", False),
        (None, False),
    ],
)
def test_times_in_seconds_are_said(caplog, greatest: str | None, is_said: bool) -> None:
    bookmark, start = started({})
    bookmark.finished(start, greatest)
    assert ("times in seconds" in caplog.text) == is_said


def test_a_bookmark_in_the_future_is_said(caplog) -> None:
    state = {"replication_key": KEY, "replication_key_value": "2026-03-01T06:00:01Z"}
    started(state)
    assert "lies in the future" in caplog.text
    caplog.clear()
    started({**state, "replication_key_value": "2026-03-01T06:00:00Z"})
    assert not caplog.text


@pytest.mark.parametrize(
    "state", [{}, {"bookmarks": {}}, {"bookmarks": {"gone": {"x": 1}}, "currently_syncing": None}]
)
def test_a_state_with_nothing_for_us_is_taken(state: Any) -> None:
    checked_state(state)


def test_a_start_date_in_the_future_is_said(caplog) -> None:
    Bookmark({}, "last_activity_time", NOW).start(
        Query(), every_hours=24, lookback_seconds=0, start_date="2999-01-01"
    )
    assert "start_date 2999-01-01T00:00:00.000000Z lies in the future" in caplog.text


def test_a_clock_that_is_ahead_takes_no_activity_during_a_read_for_read(
    stub, tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that became active meanwhile would let the bookmark pass others that did."""
    ahead, began = 20 * 60, datetime.now(UTC)
    late = int((began + timedelta(minutes=10)).timestamp() * 1000)
    row = {"name": "a-1", "last_activity_time": late, "selected_fields": []}
    server = stub(lambda _: ok(hits("accounts", [row], 1)))
    monkeypatch.setattr(headers, "time", SimpleNamespace(time=lambda: time.time() + ahead))
    monkeypatch.setattr(tap_module, "utc_now", lambda: datetime.now(UTC) + timedelta(seconds=ahead))
    ran = tap(config=server.config())
    assert ran.value("accounts") is not None
    assert moment_of(ran.value("accounts")) <= began + timedelta(minutes=5)
    assert "clock is 1" in ran.said
