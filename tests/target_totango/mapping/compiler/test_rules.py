"""Rules for odd values: which ids are looked at, and which are taken as they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_totango.mapping.compiler.rules import (
    _ORDINARY_ID,
    _ORDINARY_USER_ID,
    is_accident,
)
from target_totango.objects import OBJECTS
from totango_api.writing import is_short_salesforce_id, user_id_problems

RULES = {
    problems_of
    for object_ in OBJECTS.values()
    for problems_of in (
        *(each.problems_of for each in object_.ids),
        *(each.problems_of for each in object_.named if each.problems_of is not None),
    )
}


@given(st.from_regex(_ORDINARY_ID, fullmatch=True))
def test_no_rule_refuses_an_ordinary_id(text: str) -> None:
    assert not any(problems_of(text) for problems_of in RULES)
    assert not is_accident(text)
    assert not is_short_salesforce_id(text)


@given(st.from_regex(_ORDINARY_USER_ID, fullmatch=True))
def test_no_rule_refuses_an_ordinary_id_of_a_user(text: str) -> None:
    assert not user_id_problems(text)
    assert not is_accident(text)
    assert not is_short_salesforce_id(text)
