"""Numbers as people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.mapping.values.convert import ConversionError
from target_totango.mapping.values.numbers import number_conversion, number_pattern


@pytest.mark.parametrize(
    ("sample", "value", "text"),
    [
        ("1,200.50", "$1,200.50", "1200.50"),
        ("1,200.50", "USD 1,234,567", "1234567"),
        ("1,200.50", "1200.5", "1200.5"),
        ("1,200.50", "(1,200.50)", "-1200.50"),
        ("1,200.50", "-$5", "-5"),
        ("1,200.50", "+5.00 ", "5.00"),
        ("1.200,50", "1.200,50 €", "1200.50"),
        ("1.200,50", "1.234.567", "1234567"),
        ("1.200,50", "0,5", "0.5"),
        ("1 200,50", "1\u202f200,50\u00a0EUR", "1200.50"),
        ("1'200.50", "CHF 1'200.50", "1200.50"),
        ("1200,50", "\u2212" + "7,25", "-7.25"),
        ("1,200", "1,200", "1200"),
        ("1,200.50", 7, "7"),
        ("1,200.50", 1.5, "1.5"),
    ],
)
def test_a_number_is_read_as_its_sample_is_written(sample: str, value: Any, text: str) -> None:
    assert number_conversion([sample])(value) == text


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        ("1,200.50", "1.200,50"),
        ("1,200.50", "1,20"),
        ("1,200.50", "12,00.5"),
        ("1,200.50", "1,200.50.1"),
        ("1.200,50", "1.5"),
        ("1200.50", "1,200"),
        ("1,200.50", "about 5"),
        ("1,200.50", "5%"),
        ("1,200.50", ""),
        ("1,200.50", "--5"),
        ("1,200.50", True),
    ],
)
def test_what_is_written_otherwise_is_refused(sample: str, value: Any) -> None:
    with pytest.raises(ConversionError):
        number_conversion([sample])(value)


def test_the_first_sample_that_fits_counts() -> None:
    convert = number_conversion(["1.200,50", "1,200.50"])
    assert [convert(text) for text in ("1.200", "1,5", "1,200.5")] == ["1200", "1.5", "1200.5"]


@pytest.mark.parametrize("sample", ["", "1,200,50", "5", "%d", "1a200.50", "1-200"])
def test_a_sample_says_how_1200_50_is_written(sample: str) -> None:
    with pytest.raises(ValueError, match="number_format"):
        number_pattern(sample)


@given(
    st.integers(-(10**11), 10**11).map(lambda cents: Decimal(cents) / 100),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", ".")]),
)
def test_what_is_written_like_a_sample_comes_back(number: Decimal, marks: tuple[str, str]) -> None:
    group, mark = marks
    written = f"{number:,.2f}".translate(str.maketrans({",": group, ".": mark}))
    assert Decimal(number_conversion([f"1{group}200{mark}50"])(written)) == number
