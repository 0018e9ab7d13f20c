"""Keys are told apart, in memory and in a file alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from totango_api.keyset import KeySet

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
