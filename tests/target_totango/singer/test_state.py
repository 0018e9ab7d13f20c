"""Which STATE goes out, whatever the order in which rows are settled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_totango.singer.state import HeldState, StateCheckpointer


def test_a_state_waits_for_every_row_before_it() -> None:
    emitted: list[int] = []
    states = StateCheckpointer(emitted.append)
    first, second = states.draw(), states.draw()
    states.put(1)
    states.settle(second)
    states.emit_due(now=True)
    assert emitted == []
    assert states.held == HeldState(first=1, count=1, rows=2)
    states.settle(first)
    states.emit_due(now=True)
    assert emitted == [1]
    assert states.held is None


@given(
    kinds=st.lists(st.sampled_from(["settle", "hold", "state"]), max_size=40),
    order=st.randoms(use_true_random=False),
)
def test_no_state_passes_a_row_that_is_held(kinds: list[str], order: object) -> None:
    """States are numbered by the rows before them; so is what may be emitted of them."""
    emitted: list[int] = []
    states = StateCheckpointer(emitted.append)
    rows, results = 0, []
    for kind in kinds:
        if kind == "state":
            states.put(rows or 0.5)
            continue
        rows = states.draw()
        results.append((kind, rows))
    order.shuffle(results)  # type: ignore[attr-defined]
    for kind, ticket in results:
        getattr(states, kind)(ticket)
        states.emit_due(now=True)
    states.emit_due(now=True)
    first_held = min((ticket for kind, ticket in results if kind == "hold"), default=10**9)
    assert all(value < first_held for value in emitted)
    assert emitted == sorted(emitted)
    assert states.unsettled == sum(kind == "hold" for kind, _ in results)
    puts, seen = [], 0
    for kind in kinds:
        seen += kind != "state"
        if kind == "state":
            puts.append(seen)
    may_go = [value or 0.5 for value in puts if value < first_held]
    assert emitted[-1:] == may_go[-1:]
    held = sorted({value for value in puts if value >= first_held})
    assert (states.held.first if states.held else None) == (held[0] if held else None)
