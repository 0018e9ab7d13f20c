"""Rows are given once, unless their latest version is wanted."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from totango_api.reading.deduplication import Deduplicator
from totango_api.search import Page, key_of

pages = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=6)


def new(rows: Deduplicator, hits: list[dict]) -> list[dict]:
    page = Page(hits, None, key_of=partial(key_of, "accounts"))
    return rows.new(page).hits


def hits(names: list[str]) -> list[dict]:
    return [{"name": name} for name in names]


@given(pages)
def test_each_row_comes_back_once(names: list[list[str]]) -> None:
    rows = Deduplicator()
    given_rows = [hit["name"] for page in names for hit in new(rows, hits(page))]
    wanted = {name for page in names for name in page}
    assert sorted(given_rows) == sorted(wanted)
    assert len(rows) == len(wanted)


def test_only_a_later_version_comes_again() -> None:
    rows = Deduplicator()
    versions = [[{"name": "a", "last_activity_time": at}] for at in (None, 5, 5, 4, 7)]
    given_rows = [new(rows, page) for page in versions]
    assert given_rows == [versions[0], versions[1], [], [], versions[4]]
    assert len(rows) == 1


def test_a_row_without_a_key_counts_once_though_pages_overlap() -> None:
    rows = Deduplicator()
    nameless = {"display_name": "Nobody"}
    assert new(rows, [nameless, *hits(["a"])]) == hits(["a"])
    assert new(rows, [nameless, {"display_name": "Nobody else"}]) == []
    assert rows.keyless == 2
