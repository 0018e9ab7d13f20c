"""Counts in sentences."""

from __future__ import annotations

import pytest

from totango_api.text import calls, counted, rows, rows_were


@pytest.mark.parametrize(
    ("count", "alone", "before_verb"),
    [
        (0, "0 rows", "0 rows were"),
        (1, "1 row", "1 row was"),
        (2, "2 rows", "2 rows were"),
    ],
)
def test_one_is_singular(count: int, alone: str, before_verb: str) -> None:
    assert rows(count) == alone
    assert rows_were(count) == before_verb


def test_one_call_is_singular() -> None:
    assert [calls(count) for count in (0, 1, 2)] == ["0 calls", "1 call", "2 calls"]


def test_any_noun_is_counted_as_it_is_said() -> None:
    assert [counted(count, "id") for count in (0, 1, 2)] == ["0 ids", "1 id", "2 ids"]
    assert [counted(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]
    assert counted(1234, "row", form=",") == "1,234 rows"
    assert [counted(days, "day", form="g") for days in (1.0, 1.5)] == ["1 day", "1.5 days"]
