"""Values as text: nothing is lost on the way, and what cannot travel is refused."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.mapping.convert import (
    UnfitValueError,
    to_id,
    to_number,
    to_text,
    to_whole_id,
    to_yes_no,
)
from target_totango.mapping.dates import date_reader, to_date


@given(st.datetimes(), st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_moments_keep_what_they_say_and_lose_their_zeros(
    moment: dt.datetime, timespec: str
) -> None:
    written = to_date(moment.isoformat(timespec=timespec) + "Z")
    said = dt.datetime.fromisoformat(moment.isoformat(timespec=timespec) + "Z")
    assert dt.datetime.fromisoformat(written) == said
    if timespec == "microseconds":
        digits = written[20:-1]
        assert len(digits) == (6 if said.microsecond % 1000 else 3 if said.microsecond else 0)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_stays_as_it_is(text: str) -> None:
    assert to_text(text) == text
    assert not text or to_whole_id(text) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_numbers_keep_their_digits_and_have_no_exponent(number: Decimal) -> None:
    text = to_number(number)
    assert Decimal(text) == number
    assert set(text) <= set("-0123456789.")


@given(
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.builds(
        Decimal, st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{1,30})?(E[+-][0-9]{1,2})?", fullmatch=True)
    )
)
def test_numbers_are_written_out(number: Decimal) -> None:
    try:
        text = to_number(number)
    except UnfitValueError:
        assert abs(number.adjusted()) > 400 or abs(number.as_tuple().exponent) > 400
    else:
        assert text == format(number, "f")


@given(st.integers())
def test_whole_numbers_as_ids(number: int) -> None:
    assert to_id(number) == str(number)
    assert to_whole_id(Decimal(f"{number}.0")) == str(number)
    assert to_id(Decimal(f"{number}.0")) == f"{number}.0"


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), float("nan"), Decimal("1E+999999999")]
)
def test_numbers_that_are_none(value: Any) -> None:
    for convert in (to_text, to_number, to_id, to_whole_id):
        with pytest.raises(UnfitValueError):
            convert(value)


@pytest.mark.parametrize("value", ["1,000", "$5", "5 EUR", "1e5", "", ".5", "0x1", True, [1], {}])
def test_text_that_is_no_plain_number(value: Any) -> None:
    with pytest.raises(UnfitValueError) as caught:
        to_number(value)
    assert caught.value.code == "not a number"


@pytest.mark.parametrize("value", ["-5", "0.50", "12345678901234567890"])
def test_text_that_is_a_plain_number(value: str) -> None:
    assert to_number(value) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-07-01", "2024-07-01"),
        ("2024-07-01T10:00:00Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01T10:00:00.5Z", "2024-07-01T10:00:00.5Z"),
        ("2024-07-01T10:00:00.000000Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01T10:00:00.123456Z", "2024-07-01T10:00:00.123456Z"),
        ("2024-07-01T12:00:00+02:00", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00:00", "2024-07-01T10:00:00Z"),
        ("2024-07-01T10:00", "2024-07-01T10:00:00Z"),
        (dt.date(2024, 7, 1), "2024-07-01"),
        (dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC), "2024-07-01T10:00:00Z"),
    ],
)
def test_dates(value: Any, text: str) -> None:
    assert to_date(value) == text


@pytest.mark.parametrize(
    "value", ["", "soon", "2024-02-30", "20240701", "2024-07-01T25:00", "2024-W27-1", 1719792000000]
)
def test_what_is_no_date(value: Any) -> None:
    with pytest.raises(UnfitValueError) as caught:
        to_date(value)
    assert caught.value.code == "not a date"


# From 1975 on all zones are whole minutes from UTC, as ISO 8601 has it.
@given(st.datetimes(timezones=st.timezones(), min_value=dt.datetime(1975, 1, 1)))
def test_moments_stay_the_same_moment(moment: dt.datetime) -> None:
    text = to_date(moment.isoformat())
    assert dt.datetime.fromisoformat(text) == dt.datetime.fromisoformat(moment.isoformat())
    assert text.endswith("Z")


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [
        ("%d/%m/%Y", "31/12/2024", "2024-12-31"),
        ("%Y%m%d", 20241231, "2024-12-31"),
        ("%d.%m.%Y %H:%M", "31.12.2024 23:59", "2024-12-31T23:59:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2024-12-31T23:59:00-0100", "2025-01-01T00:59:00Z"),
        ("epoch_s", 1735689599, "2024-12-31T23:59:59Z"),
        ("epoch_ms", "1735689599500", "2024-12-31T23:59:59.500Z"),
        ("epoch_s", -1, "1969-12-31T23:59:59Z"),
    ],
)
def test_date_formats(pattern: str, value: Any, text: str) -> None:
    assert date_reader(pattern)(value) == text


@pytest.mark.parametrize("pattern", ["", "iso", "dd/mm", "%Q", "epoch"])
def test_what_is_no_date_format(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        date_reader(pattern)


@pytest.mark.parametrize(
    ("pattern", "value"), [("%d/%m/%Y", "2024"), ("epoch_s", "x"), ("epoch_ms", 10**30)]
)
def test_values_that_do_not_have_the_format(pattern: str, value: Any) -> None:
    with pytest.raises(UnfitValueError):
        date_reader(pattern)(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "yes"), (False, "no"), ("Yes", "yes"), ("NO", "no"), ("true", "yes"), (0, "no")],
)
def test_yes_and_no(value: Any, text: str) -> None:
    assert to_yes_no(value) == text


def test_neither_yes_nor_no() -> None:
    with pytest.raises(UnfitValueError):
        to_yes_no("maybe")


def test_lists_are_joined_and_objects_are_json() -> None:
    with pytest.raises(UnfitValueError) as raised:
        to_text(["a", "b,c"])
    assert raised.value.code == "comma in a list item"
    assert to_text(["a", 1, None, Decimal("2.50"), True]) == "a,1,2.50,true"
    assert to_text({"b": Decimal("1.50"), "ä": [1]}) == '{"b":1.50,"ä":[1]}'
    assert json.loads(to_text([{"a": 1}, [2]])) == [{"a": 1}, [2]]


def test_half_a_surrogate_pair_is_refused_wherever_it_is() -> None:
    for value in ("\ud800", ["x", "\ud800"]):
        with pytest.raises(UnfitValueError) as caught:
            to_text(value)
        assert caught.value.code == "not Unicode"
