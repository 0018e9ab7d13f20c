"""Pieces hold every row they promise, and what a server ignores is seen."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from totango_api.reading.date_splitting import DateWindows, date_at, date_in
from totango_api.reading.name_splitting import NameParts
from totango_api.reading.pieces import WHOLE
from totango_api.reading.splitters import Partitions, splitters_for
from totango_api.reading.value_splitting import IN_LIST_LENGTH, AttributeValues, ParentAccounts

FIELD = {"type": "string_attribute", "attribute": "CSM"}


def pieces(walk) -> list[Any]:
    found = []
    while walk is not None and (piece := walk.next()) is not None:
        walk.counted(1)
        found.append(piece)
    return found


@given(values=st.lists(st.none() | st.text(max_size=3) | st.integers(), max_size=60))
def test_every_value_seen_is_in_one_list(values: list[Any]) -> None:
    splitter = AttributeValues(FIELD, 0)
    sample = [{"selected_fields": [value]} for value in values]
    lists = [
        piece.all_terms()[0]["in_list"] for piece in pieces(splitter.walk(WHOLE, sample, 100, 20))
    ]
    if lists:
        flat = [value for one in lists for value in one]
        assert len(flat) == len(set(flat))
        assert set(flat) == {value for value in values if isinstance(value, str) and value}
        assert all(len(one) <= IN_LIST_LENGTH for one in lists)


@given(ids=st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=1500))
def test_every_account_is_in_one_list_of_accounts(ids: list[str]) -> None:
    splitter = ParentAccounts(lambda: ids)
    found = pieces(splitter.walk(WHOLE, [], 50_000, 20_000))
    lists = [piece.all_terms()[0]["terms"][0]["in_list"] for piece in found]
    if len(ids) > 1:
        assert [one for some in lists for one in some] == ids
        assert all(0 < len(some) <= IN_LIST_LENGTH for some in lists)
    else:
        assert not lists


def test_account_ids_are_asked_for_once_and_only_when_needed() -> None:
    asked = []

    def ask() -> list[str]:
        asked.append(1)
        return ["a", "b", "c"]

    splitter = ParentAccounts(ask)
    assert splitter.coverage([]) == 1.0
    assert not asked
    for _ in range(2):
        pieces(splitter.walk(WHOLE, [], 50_000, 20_000))
    assert asked == [1]


def test_a_date_filter_that_is_ignored_is_seen() -> None:
    splitter = DateWindows("d", {"type": "date", "term": "d"}, date_in("d"))
    piece = WHOLE.cut("d", splitter.window(10, 20))
    assert splitter.honoured(piece, {"d": 10})
    assert splitter.honoured(piece, {"d": 20})
    for hit in ({"d": 9}, {"d": 21}, {"d": None}, {}):
        assert not splitter.honoured(piece, hit)
    assert splitter.honoured(WHOLE.cut("d", splitter.window(None, None)), {})


def test_a_list_filter_that_is_ignored_is_seen() -> None:
    splitter = AttributeValues(FIELD, 0)
    piece = WHOLE.cut(splitter.name, {**FIELD, "in_list": ["Dana"]})
    assert splitter.honoured(piece, {"selected_fields": ["Dana"]})
    assert not splitter.honoured(piece, {"selected_fields": ["Eli"]})


def test_an_account_filter_that_is_ignored_is_seen() -> None:
    splitter = ParentAccounts(lambda: ["a", "b"])
    piece = pieces(splitter.walk(WHOLE, [], 10, 5))[0]
    assert splitter.honoured(piece, {"account": {"name": "a"}})
    assert not splitter.honoured(piece, {"account": {"name": "b"}})


@given(names=st.lists(st.text(max_size=6), min_size=1, max_size=30))
def test_parts_of_names_are_parts_of_names(names: list[str]) -> None:
    sample = [{"display_name": name} for name in names]
    for piece in pieces(NameParts().walk(WHOLE, sample, 100, 20)):
        part = piece.all_terms()[0]["contains"]
        assert part.strip()
        assert any(part in name for name in names)


def test_partitions_are_used_once_and_as_they_are() -> None:
    named = [[{"type": "a"}], [{"type": "b"}, {"type": "c"}]]
    found = pieces(Partitions(named).walk(WHOLE, [], 0, 0))
    assert [list(piece.all_terms()) for piece in found] == named
    assert Partitions(named).walk(found[0], [], 0, 0) is None


def test_dates_are_read_where_they_stand() -> None:
    assert date_at(1)({"selected_fields": ["x", 5]}) == 5
    for hit in ({}, {"selected_fields": 7}, {"selected_fields": ["x"]}):
        assert date_at(1)(hit) is None
    for odd in ("5", True, None, 5.0, [5]):
        assert date_in("d")({"d": odd}) is None


def test_every_field_that_can_cut_does() -> None:
    fields = [FIELD, {"type": "date_attribute", "attribute": "Since"}, {"type": "health_trend"}]
    names = {splitter.name for splitter in splitters_for("accounts", fields, list)}
    assert {"attribute:CSM", "date:Since", "last_activity_time", "search_name"} <= names
    assert len(names) == len(splitters_for("accounts", fields, list))
    users = {splitter.name for splitter in splitters_for("users", [], list)}
    assert {"parent_account", "first_activity_time", "last_activity_time"} <= users
