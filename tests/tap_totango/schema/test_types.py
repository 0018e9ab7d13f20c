"""Whatever comes in, what goes out fits its column; what would be lost is refused instead."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tap_runs import strict

from tap_totango.schema import types as values
from tap_totango.schema.times import ConversionError, milliseconds_of, moment_of, timestamp
from tap_totango.schema.types import convert

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**14), 10**14)
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ["", " ", "true", "No", "yes", "2026-02-30", "2026-01-31", "1e5", "+7", "-.5"]
    )
    | st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
    | st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
TOO_LONG = "9" * 5000
VALIDATORS = {
    kind: strict({"type": "object", "properties": {"value": schema}})
    for kind, schema in values.SCHEMAS.items()
}


@given(kind=st.sampled_from(sorted(values.SCHEMAS)), value=anything)
@example(kind="number", value=TOO_LONG)
@example(kind="timestamp", value=TOO_LONG)
@example(kind="timestamp", value=Decimal("1E+999999999"))
@example(kind="text", value=Decimal("1E+999999999"))
@example(kind="text", value=Decimal("1E-999999999"))
@example(kind="number", value=Decimal("1E+999999999"))
@example(kind="timestamp", value=math.nan)
@example(kind="timestamp", value=math.inf)
@example(kind="text", value=math.inf)
@example(kind="timestamp", value=10**400)
@example(kind="timestamp", value="0001-01-01T00:00:00+14:00")
@example(kind="timestamp", value="9999-12-31T23:59:59-14:00")
@example(kind="timestamp", value="2026-06-30T23:59:60Z")
def test_what_is_converted_fits_the_column(kind: str, value: Any) -> None:
    try:
        made = convert(kind, value)
    except ConversionError:
        return
    if kind == values.JSON:
        return  # takes everything, as JSON has it
    faults = [fault.message for fault in VALIDATORS[kind].iter_errors({"value": made})]
    assert not faults


@given(value=st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_a_column_of_numbers_holds_the_number_that_came(value: float) -> None:
    if isinstance(value, bool):
        with pytest.raises(ConversionError):
            convert(values.NUMBER, value)
    elif abs(value) <= 1.7e308:
        assert convert(values.NUMBER, value) == value


@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_numbers_that_came_as_text_keep_every_digit(number: Decimal) -> None:
    made = convert(values.NUMBER, f" {number:f} ")
    assert Decimal(str(made)) == number


@pytest.mark.parametrize(
    "text",
    ["1,000", "12 EUR", "€5", "0x10", "1_000", "--1", "1.2.3", "NaN", "1e99999999999999999999"],
)
def test_text_that_is_no_plain_number_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ConversionError):
        convert(values.NUMBER, text)


@given(value=st.text() | st.integers() | st.booleans())
def test_text_can_be_read_back(value: Any) -> None:
    made = convert(values.TEXT, value)
    assert made == value if isinstance(value, str) else json.loads(made) == value


@given(options=st.lists(st.text(st.characters(exclude_characters=",")), min_size=2))
def test_several_options_can_be_told_apart(options: list[str]) -> None:
    assert convert(values.TEXT, options).split(",") == options


def test_options_that_hold_a_comma_are_not_joined() -> None:
    with pytest.raises(ConversionError):
        convert(values.TEXT, ["a,b", "c"])


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=offsets
)


@given(moment=moments)
def test_a_time_keeps_its_moment_and_has_one_form(moment: datetime) -> None:
    made = convert(values.TIMESTAMP, moment.isoformat())
    assert datetime.fromisoformat(made) == moment
    assert made == timestamp(moment) == timestamp(moment_of(made))


@given(milliseconds=st.integers(-(10**13), 10**14))
@example(milliseconds=0)
@example(milliseconds=-1)
def test_epoch_milliseconds_are_kept(milliseconds: int) -> None:
    made = convert(values.TIMESTAMP, milliseconds)
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert datetime.fromisoformat(made) == expected
    assert milliseconds_of(made) == milliseconds


@given(one=moments, other=moments)
def test_times_compare_as_text_as_they_do_as_times(one: datetime, other: datetime) -> None:
    assert (timestamp(one) < timestamp(other)) == (one < other)


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("2026-01-31T10:00", "2026-01-31T10:00:00.000000Z"),
        ("2026-01-31 10:00:00", "2026-01-31T10:00:00.000000Z"),
        ("2026-01-31t10:00:00.5z", "2026-01-31T10:00:00.500000Z"),
        ("2026-01-31T10:00:00+0200", "2026-01-31T08:00:00.000000Z"),
        ("1769853600000", "2026-01-31T10:00:00.000000Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z"),
        ("  ", None),
    ],
)
def test_spellings_of_times(written: str, made: str | None) -> None:
    assert convert(values.TIMESTAMP, written) == made


@pytest.mark.parametrize("text", ["2026-02-30", "31/01/2026", "2026", "20260131", "soon", "12"])
def test_text_that_is_no_time_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ConversionError):
        convert(values.TIMESTAMP, text)


def test_a_time_finer_than_a_microsecond_is_not_cut() -> None:
    with pytest.raises(ConversionError):
        convert(values.TIMESTAMP, "2026-01-31T10:00:00.0000001Z")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-08-20", "2025-08-20"),
        (" 2025-08-20 ", "2025-08-20"),
        ("2025-08-20T00:00:00Z", "2025-08-20"),
        ("2025-08-20T00:00:00.000+00:00", "2025-08-20"),
        ("2025-08-20 00:00", "2025-08-20"),
        (1_755_648_000_000, "2025-08-20"),
        ("1755648000000", "2025-08-20"),
        (" ", None),
    ],
    ids=repr,
)
def test_days_stay_days(written: Any, day: str | None) -> None:
    assert convert(values.DATE, written) == day


@pytest.mark.parametrize(
    "written",
    [
        *("2025-08-20T10:00:00Z", "2025-08-20T00:00:00.001Z", "2025-08-20T00:00:00+02:00"),
        *(1_755_648_000_001, "2025-02-30", "20250820", "2025-W34-3", "soon", True, ["2025-08-20"]),
    ],
)
def test_a_day_with_a_time_of_day_is_not_cut(written: Any) -> None:
    with pytest.raises(ConversionError):
        convert(values.DATE, written)
