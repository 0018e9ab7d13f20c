"""Keys are told apart, in memory and in a file alike."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.reading.deduplication import KeySet

keys = st.tuples(st.text(max_size=4)) | st.tuples(st.text(max_size=4), st.text(max_size=4))


@given(st.lists(keys), st.integers(1, 5))
def test_a_key_is_new_once(found: list[tuple[str, ...]], in_memory: int) -> None:
    seen = KeySet(in_memory)
    known: set[tuple[str, ...]] = set()
    for key in found:
        assert seen.add(key) is (key not in known)
        known.add(key)
    assert len(seen) == len(known)
    seen.close()


def test_no_character_makes_two_keys_one() -> None:
    seen = KeySet()
    assert seen.add(("a\x00b", "c"))
    assert seen.add(("a", "b\x00c"))


@given(st.lists(st.lists(keys, max_size=6), max_size=8), st.integers(1, 5))
def test_keys_of_a_page_are_new_once(pages: list[list[tuple[str, ...]]], in_memory: int) -> None:
    seen, known = KeySet(in_memory), set()
    for page in pages:
        expected = []
        for key in page:
            expected.append(key not in known)
            known.add(key)
        assert seen.add_all(page) == expected
    seen.close()


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=20), st.integers(1, 3)
)
def test_a_key_comes_again_with_a_later_version(
    found: list[tuple[str, int]], in_memory: int
) -> None:
    seen, latest = KeySet(in_memory), dict[str, int]()
    for key, version in found:
        is_later = version > latest.get(key, -1)
        assert seen.add_all([(key,)], [version]) == [is_later]
        latest[key] = max(version, latest.get(key, -1))
    assert len(seen) == len(latest)
    seen.close()


@pytest.mark.parametrize("reserved", [0, 30_000])
def test_a_place_is_at_most_77_bytes_for_each_key(reserved: int) -> None:
    seen = KeySet()
    seen.reserve(reserved)
    for start in range(0, 30_000, 1_000):
        seen.add_all([(f"acc-{start + number}",) for number in range(1_000)])
    assert len(seen) == 30_000
    assert sys.getsizeof(seen._firsts) * 3 <= 77 * len(seen)


def test_keys_whose_first_hashes_are_alike_are_told_apart() -> None:
    seen = KeySet()
    assert seen._add_hashes([(1, 1, 0), (1, 2, 0), (1 + len(seen._firsts), 1, 0)]) == [True] * 3
    assert seen._add_hashes([(1, 2, 0), (1, 3, 0)]) == [False, True]
    assert len(seen) == 4
