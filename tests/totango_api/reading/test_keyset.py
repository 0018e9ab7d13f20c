"""Keys are told apart, in memory and in a file alike."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.reading.keyset import KeySet

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
def test_each_key_has_the_moment_at_which_it_was_seen_last(
    pages: list[list[tuple[str, ...]]], in_memory: int
) -> None:
    seen = KeySet(in_memory)
    last: dict[tuple[str, ...], int] = {}
    for page in pages:
        now = seen.tick()
        expected = []
        for key in page:
            expected.append(last.get(key, 0))
            last[key] = now
        assert seen.meet(page) == expected
    seen.close()


@pytest.mark.parametrize("reserved", [0, 30_000])
def test_a_place_is_at_most_64_bytes_for_each_key(reserved: int) -> None:
    seen = KeySet()
    seen.reserve(reserved)
    for start in range(0, 30_000, 1_000):
        seen.meet([(f"acc-{start + number}",) for number in range(1_000)])
    assert len(seen) == 30_000
    assert sys.getsizeof(seen._firsts) * 2.5 <= 64 * len(seen)


def test_keys_whose_first_hashes_are_alike_are_told_apart() -> None:
    seen = KeySet()
    assert seen._meet_all([(1, 1), (1, 2), (1 + len(seen._firsts), 1)]) == [0, 0, 0]
    seen.tick()
    assert seen._meet_all([(1, 2), (1, 3)]) == [1, 0]
    assert len(seen) == 4
