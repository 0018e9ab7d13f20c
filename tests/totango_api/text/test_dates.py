"""One reader of ISO dates for both plugins."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.text import epoch_milliseconds, is_exact, parse_iso, parse_moment

zones = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=-9, minutes=-30))])
moments = st.datetimes(timezones=zones)


@given(moments, st.sampled_from(["T", "t", " "]), st.booleans())
def test_what_python_writes_is_read_in_any_spelling(
    moment: dt.datetime, between: str, is_spaced: bool
) -> None:
    text = moment.isoformat(sep=between)
    if moment.tzinfo is dt.UTC:
        text = text.removesuffix("+00:00") + (" utc" if is_spaced else "z")
    assert parse_iso(f" {text}\n") == moment
    assert is_exact(text)
    assert parse_moment(text) == (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))


@given(st.dates())
def test_a_day_is_a_date_and_its_midnight_a_moment(day: dt.date) -> None:
    found = parse_iso(day.isoformat())
    assert found == day
    assert not isinstance(found, dt.datetime)
    assert parse_moment(day.isoformat()) == dt.datetime.combine(day, dt.time(), dt.UTC)


@pytest.mark.parametrize(
    ("text", "milliseconds", "exact"),
    [
        ("1970-01-01", 0, True),
        ("1970-01-01T01:00:00+01", 0, True),
        ("1970-01-01T00:00:00,0019999 GMT", 1, False),
        ("1970-01-01T00:00:00.0010000000Z", 1, True),
        ("1969-12-31T23:59:59.9995Z", -1, True),
    ],
)
def test_moments_are_cut_to_milliseconds(text: str, milliseconds: int, exact: bool) -> None:
    assert epoch_milliseconds(parse_moment(text)) == milliseconds
    assert is_exact(text) is exact


@pytest.mark.parametrize(
    "text",
    [
        *("", "today", "2024", "20240701", "2024-7-1", "2024-02-30", "2024-07-01T24:00"),
        *("2024-W01-1", "2024-07-01T10:00 CET", "2024-07-01T10:00+2", "2024-07-01Z"),
        "\u0662\u0660\u0662\u0664-07-01",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever Python says)
        parse_iso(text)
