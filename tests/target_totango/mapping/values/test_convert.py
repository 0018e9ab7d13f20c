"""Values as text: nothing is lost on the way, and what cannot travel is refused."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.mapping.values.convert import (
    ConversionError,
    to_id,
    to_number,
    to_text,
    to_whole_id,
    to_yes_no,
)


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
    except ConversionError:
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
        with pytest.raises(ConversionError):
            convert(value)


@pytest.mark.parametrize(
    ("number", "text"), [("1E+3", "1000"), (" -1.50E+3 ", "-1500"), ("0E-10", "0.0000000000")]
)
def test_a_decimal_in_text_is_written_out(number: str, text: str) -> None:
    """Taps write decimals as texts (`singer.decimal`), as Python does: 0E-10."""
    assert to_number(number) == text


def test_a_decimal_in_text_that_is_absurdly_long() -> None:
    with pytest.raises(ConversionError) as caught:
        to_number("1E+999999999")
    assert caught.value.code == "number out of range"


@pytest.mark.parametrize("value", ["1,000", "$5", "5 EUR", "1e5", "", ".5", "0x1", True, [1], {}])
def test_text_that_is_no_plain_number(value: Any) -> None:
    with pytest.raises(ConversionError) as caught:
        to_number(value)
    assert caught.value.code == "not a number"


@pytest.mark.parametrize("value", ["-5", "0.50", "12345678901234567890"])
def test_text_that_is_a_plain_number(value: str) -> None:
    assert to_number(value) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "yes"), (False, "no"), ("Yes", "yes"), ("NO", "no"), ("true", "yes"), (0, "no")],
)
def test_yes_and_no(value: Any, text: str) -> None:
    assert to_yes_no(value) == text


def test_neither_yes_nor_no() -> None:
    with pytest.raises(ConversionError):
        to_yes_no("maybe")


def test_lists_are_joined_and_objects_are_json() -> None:
    with pytest.raises(ConversionError) as raised:
        to_text(["a", "b,c"])
    assert raised.value.code == "comma in a list item"
    assert to_text(["a", 1, None, Decimal("2.50"), True]) == "a,1,2.50,true"
    assert to_text({"b": Decimal("1.50"), "ä": [1]}) == '{"b":1.50,"ä":[1]}'
    assert json.loads(to_text([{"a": 1}, [2]])) == [{"a": 1}, [2]]


def test_half_a_surrogate_pair_is_refused_wherever_it_is() -> None:
    for value in ("\ud800", ["x", "\ud800"]):
        with pytest.raises(ConversionError) as caught:
            to_text(value)
        assert caught.value.code == "not Unicode"


def test_a_moment_without_zone_counts_as_utc() -> None:
    assert to_text(dt.datetime(2024, 7, 1, 10)) == "2024-07-01T10:00:00Z"


@pytest.mark.parametrize("value", [{"a": "\ud800"}, [["\ud800"]]], ids=repr)
def test_what_is_no_unicode_is_refused_within_json_too(value: Any) -> None:
    with pytest.raises(ConversionError):
        to_text(value)
