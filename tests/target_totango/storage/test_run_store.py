"""What a run has seen, in RAM and on disk: the counts are exact wherever a key is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from target_totango.storage.key_counts import KeyCounts, key_digest
from target_totango.storage.run_store import RunStore, comparable, is_older

if TYPE_CHECKING:
    import pytest

texts = st.text(st.characters(), max_size=3)
keys = st.tuples(st.sampled_from(["accounts", "users"]), texts) | st.lists(texts).map(tuple)


@given(st.lists(keys, max_size=60), st.integers(1, 5))
def test_keys_are_counted_wherever_they_are(seen: list[tuple[str, ...]], in_ram: int) -> None:
    store = RunStore()
    counting = KeyCounts(lambda: store.database, in_ram=in_ram)
    expected: Counter[tuple[str, ...]] = Counter()
    for key in seen:
        assert counting.count(key) == expected[key]
        expected[key] += 1
    store.close()


@given(st.lists(st.lists(keys, max_size=6), max_size=20), st.integers(1, 12))
def test_keys_are_counted_together_as_one_by_one(
    batches: list[list[tuple[str, ...]]], in_ram: int
) -> None:
    store = RunStore()
    counting = KeyCounts(lambda: store.database, in_ram=in_ram)
    expected: Counter[tuple[str, ...]] = Counter()
    for batch in batches:
        repeated = []
        for place, key in enumerate(batch):
            if expected[key]:
                repeated.append(place)
            expected[key] += 1
        assert list(counting.count_all(batch)) == repeated
    assert all(counting.count(key) == times for key, times in list(expected.items()))
    store.close()


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 9)), max_size=60))
def test_the_most_recent_moment_is_known_wherever_its_key_is(
    rows: list[tuple[str, int | None]],
) -> None:
    store = RunStore()
    store._counts = KeyCounts(lambda: store.database, in_ram=2)
    store.count = store._counts.count
    newest: dict[str, int] = {}
    for name, number in rows:
        store.count((name,))
        moment = comparable(number)
        stale = moment is not None and store.is_stale((name,), moment)
        before = newest.get(name)
        assert stale == (number is not None and before is not None and number < before)
        if number is not None and not stale:
            newest[name] = number
    store.close()


numbers = st.integers(-(10**15), 10**15) | st.decimals(-1000, 1000, allow_nan=False, places=3)
moments = st.datetimes(dt.datetime(1970, 1, 1), timezones=st.just(dt.UTC))


@given(st.lists(numbers, min_size=2, max_size=2), st.lists(st.booleans(), min_size=2, max_size=2))
def test_numbers_are_compared_as_such_even_if_they_are_texts(
    pair: list[int | Decimal], as_text: list[bool]
) -> None:
    first, second = (str(n) if is_text else n for n, is_text in zip(pair, as_text, strict=True))
    assert is_older(comparable(first), comparable(second)) == (pair[0] < pair[1])


@given(moments, moments, st.integers(-12, 12))
def test_dates_are_compared_whatever_their_zone(
    first: dt.datetime, second: dt.datetime, hours: int
) -> None:
    elsewhere = second.astimezone(dt.timezone(dt.timedelta(hours=hours))).isoformat()
    assert is_older(comparable(first.isoformat()), comparable(elsewhere)) == (first < second)


@given(st.sampled_from([None, "", "v9", "NaN", "Monday", True, Decimal("Infinity"), [1], {"a": 1}]))
def test_what_is_no_moment_is_not_compared(value: object) -> None:
    assert comparable(value) is None


spellings = st.tuples(st.sampled_from("aAbB"), st.sampled_from(["x", "X", "xX"]))


@given(st.lists(spellings, max_size=40), st.lists(spellings, unique=True, max_size=4))
def test_keys_that_differ_in_case_are_told_wherever_they_are(
    rows: list[tuple[str, str]], rejected: list[tuple[str, str]]
) -> None:
    store = RunStore()
    store._counts = KeyCounts(lambda: store.database, in_ram=2)
    store.count = store._counts.count
    seen: set[tuple[str, ...]] = set()

    def is_alike(key: tuple[str, ...]) -> bool:
        small = [part.lower() for part in key]
        return any(small == [part.lower() for part in other] for other in seen - {key})

    for row in rejected:
        key = ("users", *row)
        assert store.differs_in_case(key, is_counted=False) == is_alike(key)
        seen.add(key)
    counted: set[tuple[str, ...]] = set()
    for row in rows:
        key = ("users", *row)
        if store.count(key):
            assert key in counted
            continue
        assert store.differs_in_case(key) == is_alike(key)
        seen.add(key)
        counted.add(key)
        assert not store.differs_in_case(key, is_counted=False), "it was counted"
    store.close()


def test_few_keys_need_no_database() -> None:
    def none() -> None:
        msg = "the database was opened"
        raise AssertionError(msg)

    counting = KeyCounts(none, in_ram=3)  # type: ignore[arg-type, return-value]
    assert [counting.count((name,)) for name in "abca"] == [0, 0, 0, 1]


def test_a_key_that_only_seems_to_be_on_disk_was_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("target_totango.storage.key_counts.KeyFilter._PLACES", 1)
    store = RunStore()
    counting = KeyCounts(lambda: store.database, in_ram=1)
    assert [counting.count((name,)) for name in "abcab"] == [0, 0, 0, 1, 1]
    store.close()


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert key_digest(("a", "b1:c")) != key_digest(("a1:b", "c"))
    assert key_digest(("1:a",)) != key_digest(("", "a"))
    assert key_digest(("ab", "")) != key_digest(("a", "b"))
    assert key_digest(("a', 'b",)) != key_digest(("a", "b"))
    assert key_digest(("\ud800",)) != key_digest(("\\ud800",))
