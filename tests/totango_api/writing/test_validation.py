"""Which ids and texts Totango takes."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.writing.validation import (
    account_id_problems,
    attribute_name_problems,
    is_short_salesforce_id,
    length_problems,
    product_id_problems,
    salesforce_long_id,
    user_id_problems,
)

ACCOUNT_CHARACTERS = string.ascii_letters + string.digits + "_-"
USER_CHARACTERS = ACCOUNT_CHARACTERS + "@."


@given(st.text(max_size=600))
def test_account_ids_are_letters_digits_underscore_and_dash(text: str) -> None:
    fits = 0 < len(text) <= 480 and set(text) <= set(ACCOUNT_CHARACTERS)
    assert (account_id_problems(text) == []) == fits


@given(st.text(alphabet=USER_CHARACTERS + "+ é%", max_size=120))
def test_user_ids_may_also_hold_at_and_dot(text: str) -> None:
    fits = 0 < len(text) <= 100 and set(text) <= set(USER_CHARACTERS)
    assert (user_id_problems(text) == []) == fits


def test_every_problem_is_told_at_once_and_names_the_characters() -> None:
    problems = user_id_problems("a+b c" + "x" * 100)
    assert [problem.code for problem in problems] == ["characters", "too long"]
    assert "'+'" in problems[0].message
    assert "' '" in problems[0].message


@pytest.mark.parametrize("text", ["acc\n", "acc\n-1", "\uff41cc", "٣"])
def test_what_only_looks_like_a_letter_or_ends_in_a_line_feed_is_refused(text: str) -> None:
    assert [problem.code for problem in account_id_problems(text)] == ["characters"]


def test_lengths() -> None:
    assert length_problems("é" * 128, 128) == []
    assert [problem.code for problem in length_problems("é" * 129, 128)] == ["too long"]
    assert product_id_problems("any thing, really") == []
    assert [problem.code for problem in product_id_problems("x" * 256)] == ["too long"]


@pytest.mark.parametrize("name", ["Contract Value", "plan", "Größe", " plan", "plan ", "x" * 100])
def test_attribute_names_that_are_taken(name: str) -> None:
    assert attribute_name_problems(name) == []


@pytest.mark.parametrize("name", ["", " ", "\tplan", "a\nb", "x" * 101])
def test_attribute_names_that_are_not(name: str) -> None:
    assert attribute_name_problems(name) != []


@pytest.mark.parametrize(
    ("short", "long"),
    # Pairs from Salesforce's own help and developer documentation.
    [
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("00530000003xqAb", "00530000003xqAbAAI"),
    ],
)
def test_salesforce_ids_get_their_three_characters(short: str, long: str) -> None:
    assert is_short_salesforce_id(short)
    assert salesforce_long_id(short) == long


@pytest.mark.parametrize(
    "text",
    [
        "001D000000IRFmaIAH",
        "001000000000001",
        "customer1234567",
        "001D000000IRFm",
        "a01D000000IRFma",
    ],
)
def test_what_is_no_short_salesforce_id(text: str) -> None:
    assert not is_short_salesforce_id(text)


@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=13, max_size=13))
def test_long_ids_differ_even_where_case_is_lost(tail: str) -> None:
    one, other = "00" + tail, "00" + tail.swapcase()
    if one != other:
        assert salesforce_long_id(one).lower() != salesforce_long_id(other).lower()
