"""Which STATE goes out, whatever the order in which rows are completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.singer.state import HeldState, StateCheckpointer

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from target_runs import Delivered

events = st.lists(st.sampled_from(["complete", "together", "hold", "never", "state"]), max_size=40)


def test_a_state_waits_for_every_row_before_it() -> None:
    states = StateCheckpointer()
    first, second = states.next_row(), states.next_row()
    states.put(1)
    states.complete([second])
    assert states.due(now=True) is None
    assert states.held == HeldState(first=1, count=1, rows=2)
    states.complete([first])
    assert states.due(now=True) == 1
    assert states.held is None
    assert states.due(now=True) is None


@given(events, st.randoms(use_true_random=False))
def test_a_state_goes_out_exactly_when_every_row_before_it_is_complete(
    script: list[str], random: Random
) -> None:
    states = StateCheckpointer()
    covers: dict[int, int] = {}
    rows: list[tuple[str, int]] = []
    for number, event in enumerate(script):
        if event == "state":
            covers[number] = len(rows)
            states.put({"n": number})
        else:
            rows.append((event, states.next_row()))
    random.shuffle(rows)
    together = [seq for event, seq in rows if event == "together"]
    complete: set[int] = set()
    emitted: list[dict[str, int]] = []
    for event, seq in rows:
        if event == "complete":
            states.complete([seq])
            complete.add(seq)
        elif event == "together" and not complete.issuperset(together):
            states.complete(together)
            complete.update(together)
        elif event == "hold":
            states.hold(seq)
        if (state := states.due(now=True)) is not None:
            emitted.append(state)
            assert set(range(1, covers[state["n"]] + 1)) <= complete
    if (state := states.due(now=True)) is not None:
        emitted.append(state)
    may_go = [n for n, count in covers.items() if set(range(1, count + 1)) <= complete]
    assert ([emitted[-1]["n"]] if emitted else []) == may_go[-1:]
    assert [state["n"] for state in emitted] == sorted({state["n"] for state in emitted})
    assert states.emitted == len(emitted)
    assert states.incomplete == len(rows) - len(complete)
    stay = [n for n in covers if n not in may_go]
    assert (states.held is not None) == bool(stay)
    if states.held is not None:
        # Of states with no row between them only the last one counts.
        assert states.held.rows == covers[stay[0]]
        assert covers[states.held.first["n"]] == covers[stay[0]]


def test_what_is_held_does_not_grow_with_the_input() -> None:
    states = StateCheckpointer()
    states.hold(states.next_row())
    for number in range(1_000):
        states.complete([states.next_row()])
        states.put(number + 1)
    assert states.held == HeldState(first=1, count=1_000, rows=2)
    assert not states._ahead
    assert not states._waiting


@pytest.mark.parametrize("empty", [{}, None])
def test_an_empty_state_is_none(empty: Any) -> None:
    states = StateCheckpointer()
    states.put(empty)
    assert states.due(now=True) is None


def test_a_state_with_a_text_that_is_no_unicode_goes_out_as_it_came(
    deliver: Callable[..., Delivered],
) -> None:
    done = deliver('{"type":"STATE","value":{"n":"\\ud800"}}').ok()
    assert done.states == [{"n": "\ud800"}]
