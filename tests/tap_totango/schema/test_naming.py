"""Column names depend on nothing but the names that Totango has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_totango.schema.naming import ORIGINAL, SNAKE, unique_names
from totango_api.names import snake

if TYPE_CHECKING:
    import random

similar = st.sampled_from(
    ["Plan", "plan", "PLAN", "plan 2", "Plan_2", "plan_2_2", "Größe", "Grosse", "größe", "#", "!!"]
)
names = st.lists(similar | st.text(max_size=8), unique=True, max_size=12)
styles = st.sampled_from([SNAKE, ORIGINAL])
TAKEN = {"account_id", "account_name", "last_activity_time", "_extra"}


@given(names=names, style=styles, chance=st.randoms(use_true_random=False))
def test_unique_whatever_the_case_and_the_same_in_any_order(
    names: list[str], style: str, chance: random.Random
) -> None:
    found = unique_names(names, style=style, taken=TAKEN)
    shuffled = names[:]
    chance.shuffle(shuffled)
    assert unique_names(shuffled, style=style, taken=TAKEN) == found
    assert set(found) == set(names)
    folded = [column.casefold() for column in found.values()]
    assert len(set(folded)) == len(folded)
    assert not set(folded) & TAKEN


@given(names=names)
def test_snake_names_are_snake(names: list[str]) -> None:
    for column in unique_names(names, style=SNAKE, taken=()).values():
        assert column
        assert column == column.lower()
        assert not column[0].isdigit()
        assert not set(column) & set(" .-/\"'`;,()")


@given(name=st.text(max_size=12))
def test_snake_of_snake_is_itself(name: str) -> None:
    assert snake(snake(name)) == snake(name)


@given(names=names)
def test_original_names_are_kept_unless_they_clash(names: list[str]) -> None:
    found = unique_names(names, style=ORIGINAL, taken=TAKEN)
    folded = [name.casefold() for name in names]
    for name, column in found.items():
        if folded.count(name.casefold()) == 1 and name.casefold() not in TAKEN:
            numbered = any(name.casefold().startswith(f"{one}_") for one in [*folded, *TAKEN])
            assert column == name or numbered


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Contract Value", "contract_value"),
        ("contractValue", "contract_value"),
        ("ARR %", "arr"),
        ("NPS (last)", "nps_last"),
        ("Größe", "grosse"),
        ("30 day logins", "_30_day_logins"),
        ("売上", "売上"),
        ("###", "unnamed"),
        ("", "unnamed"),
        ("__internal_role", "internal_role"),
    ],
)
def test_spellings(name: str, column: str) -> None:
    assert snake(name) == column


def test_who_is_spelled_like_the_column_gets_it() -> None:
    found = unique_names(["Plan", "PLAN", "plan"], style=SNAKE, taken=())
    assert found == {"plan": "plan", "PLAN": "plan_2", "Plan": "plan_3"}


def test_a_name_of_a_base_column_is_numbered() -> None:
    found = unique_names(["Account ID", "_extra"], style=SNAKE, taken=TAKEN)
    assert found == {"Account ID": "account_id_2", "_extra": "extra"}
