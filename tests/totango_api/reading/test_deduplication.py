"""A row is new to a read once, and to each part of it once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from totango_api.reading.deduplication import Seen
from totango_api.search.endpoint import key_of

ids = st.lists(st.sampled_from("abcdefgh"), max_size=12)


def seen() -> Seen:
    return Seen(lambda hit: key_of("accounts", hit))


def hits(names: list[str]) -> list[dict]:
    return [{"name": name} for name in names]


@given(before=ids, outer=ids, inner=ids, after=ids)
def test_parts_count_their_own_rows(
    before: list[str], outer: list[str], inner: list[str], after: list[str]
) -> None:
    rows = seen()
    rows.take(hits(before))
    with rows.part() as whole:
        rows.take(hits(outer))
        with rows.part() as part:
            rows.take(hits(inner))
        rows.take(hits(after))
    rows.take(hits(["z"]))
    assert part.rows == len(set(inner))
    assert whole.rows == len({*outer, *inner, *after})
    assert len(rows) == len({*before, *outer, *inner, *after, "z"})


def test_only_rows_never_seen_before_come_back() -> None:
    rows = seen()
    assert rows.take(hits(["a", "b", "a"])) == (hits(["a", "b"]), 0)
    with rows.part() as part:
        assert rows.take([*hits(["b", "c"]), {}, {"name": ""}]) == (hits(["c"]), 2)
    assert part.rows == 2
