"""How refused columns are found: right whatever is refused, and with few calls."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tap_totango.probe.column_search import ColumnValues, FoundColumns, find_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = st.sets(st.sampled_from(string.ascii_lowercase[:14]), min_size=1)


def searched(types: dict[str, str], refused: set[str], calls: int) -> tuple[FoundColumns, int]:
    """Return what is found of columns, and how many calls that took."""
    asked: list[list[str]] = []

    def ask(names: Sequence[str]) -> ColumnValues | None:
        asked.append(list(names))
        return None if refused & set(names) else {name: [name] for name in names}

    return find_refused(types, ask, calls), len(asked)


@given(names=NAMES, refused=NAMES, calls=st.integers(0, 40))
def test_each_column_has_one_answer_and_a_given_one_is_given(
    names: set[str], refused: set[str], calls: int
) -> None:
    types = {name: name for name in sorted(names)}
    found, asked = searched(types, refused, calls)
    assert sorted([*found.values, *found.refused, *found.unknown]) == sorted(names)
    assert asked <= max(calls, 1)
    assert not refused & set(found.values)
    assert set(found.refused) <= refused


@given(names=NAMES, refused=NAMES)
def test_with_calls_enough_everything_is_known(names: set[str], refused: set[str]) -> None:
    types = {name: name for name in sorted(names)}
    found, _ = searched(types, refused, 100)
    assert not found.unknown
    assert set(found.refused) == refused & names


@given(st.lists(st.sampled_from("snd"), min_size=1, max_size=14), st.sampled_from("snd"))
def test_a_type_is_found_within_seven_calls(kinds: list[str], refused: str) -> None:
    types = {f"{kind}{at}": kind for at, kind in enumerate(kinds)}
    off = {name for name, kind in types.items() if kind == refused}
    found, asked = searched(types, off, 7)
    assert not found.unknown
    assert set(found.refused) == off
    assert asked <= 7
