"""For any input: what Totango holds is what the record said, or the row says why not."""

from __future__ import annotations

import json
import re
import string
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_runs import held, record, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

pytestmark = pytest.mark.slow

ACCOUNT_CHARACTERS = set(string.ascii_letters + string.digits + "_-")
USER_CHARACTERS = ACCOUNT_CHARACTERS | set("@.")
ACCIDENT = re.compile(r"-?\d+\.0+", re.ASCII)

# One sandbox and one temporary folder serve all examples: each empties what it needs to.
relaxed = settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
tricky = st.one_of(
    texts,
    st.text("%+&=#;,\\\"'{} \t\n\r\x00é€😀", max_size=20),
    st.just("x" * 512),
    st.just("é" * 513),
)


@relaxed
@given(st.lists(tricky, min_size=1, max_size=15))
def test_texts_arrive_as_they_are(deliver: Deliver, service: Sandbox, values: list[str]) -> None:
    service.reset()
    service.set(unknown_attributes="text")
    rows = [
        record("accounts", account_id=f"a-{n}", account_name=value[:128], Note=value)
        for n, value in enumerate(values)
    ]
    done = deliver(schema("accounts", "account_id", "account_name", "Note"), *rows)
    there = held(service, "accounts")
    for n, value in enumerate(values):
        if len(value) > 512:
            assert (f"a-{n}",) not in there
            continue
        expected = {"account_name": value[:128], "Note": value} if value else {}
        assert there[(f"a-{n}",)] == expected
    assert len(done.rejected) == sum(len(value) > 512 for value in values)


ids = st.one_of(
    st.text("abcXYZ019_-@.", min_size=1, max_size=12),
    st.text("a1_-@.+% é/\\\n", max_size=8),
    texts,
    st.integers(-(10**20), 10**20),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers(), max_size=2),
    st.just("x" * 101),
    st.just("y" * 481),
)


def said(value: Any) -> str | None:
    """An id as text, if it can be one."""
    if isinstance(value, str):
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else None


def fits(value: Any, characters: set[str], limit: int) -> bool:
    text = said(value)
    if not text or ACCIDENT.fullmatch(text):
        return False
    return len(text) <= limit and set(text) <= characters


@relaxed
@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=15))
def test_ids_arrive_unaltered_or_are_rejected(
    deliver: Deliver, service: Sandbox, pairs: list[tuple[Any, Any]]
) -> None:
    service.reset()
    rows = [record("users", account_id=account, user_id=user) for account, user in pairs]
    done = deliver(schema("users", "account_id", "user_id"), *rows)
    good = {
        (said(account), said(user))
        for account, user in pairs
        if fits(account, ACCOUNT_CHARACTERS, 480) and fits(user, USER_CHARACTERS, 100)
    }
    there = set(held(service, "users"))
    # Numbers with a fraction hold a dot, which a user id may have: they arrive as digits.
    assert good <= there
    assert all(set(account) <= ACCOUNT_CHARACTERS for account, _ in there)
    sent = done.totals.get("sent", 0)
    assert sent + len(done.rejected) == len(pairs)
    assert service.dump("log") == [], "the sandbox had to drop something"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.text(st.characters(categories=["Cs", "L"]), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@relaxed
@given(st.lists(st.dictionaries(st.sampled_from("abc"), json_values), max_size=10))
def test_whatever_a_record_holds_is_written_or_kept_whole(
    deliver: Deliver, service: Sandbox, records: list[dict[str, Any]]
) -> None:
    service.reset()
    service.set(unknown_attributes="text")
    rows = [record("accounts", account_id=f"a-{n}", **one) for n, one in enumerate(records)]
    done = deliver(schema("accounts", "account_id", "a", "b", "c"), *rows)
    there = held(service, "accounts")
    kept = {row["account_id"]: row for row in done.rejected}
    assert len(there) + len(kept) == len(records)
    for n, one in enumerate(records):
        identifier = f"a-{n}"
        if identifier in kept:
            back = {name: kept[identifier][name] for name in one}
            assert is_same(json.loads(json.dumps(back)), json.loads(json.dumps(one)))


def is_same(found: Any, sent: Any) -> bool:
    """Whether two values are equal; NaN, unlike elsewhere, is equal to NaN."""
    if isinstance(sent, dict):
        return found.keys() == sent.keys() and all(is_same(found[one], sent[one]) for one in sent)
    if isinstance(sent, list):
        return len(found) == len(sent) and all(map(is_same, found, sent))
    return bool(found == sent or (found != found and sent != sent))
