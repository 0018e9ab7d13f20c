"""Parts of a stream: disjoint, and together the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.command import Part
from totango_api.errors import SettingsError


@given(st.text(), st.integers(1, 40))
def test_every_key_is_in_one_part(key: str, count: int) -> None:
    assert [Part(number, count).holds(key) for number in range(1, count + 1)].count(True) == 1


def test_a_key_stays_in_its_part() -> None:
    assert [key for key in "abcdefghij" if Part(2, 3).holds(key)] == list("ghj")


def test_parts_are_alike_in_size() -> None:
    held = [sum(Part(number, 8).holds(f"a-{n}") for n in range(8000)) for number in range(1, 9)]
    assert min(held) > 850


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/1001", "a/b", "", "-1/2", "1/2/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="part cannot be"):
        Part.parse(text)


def test_the_whole_is_no_part() -> None:
    assert Part.parse(None) is None
    assert Part.parse("1/1") is None
    assert Part.parse(" 3 / 8 ") == Part(3, 8)
