"""Windows lie side by side, hold every date once, and come to an end."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from totango_api.reading.pieces import Piece
from totango_api.reading.walks import ListWalk
from totango_api.reading.windows import WindowWalk

MOST_CALLS = 5_000  # an end there must be; how soon is for the benchmark to say
Window = tuple[int | None, int | None]

dates = st.lists(
    st.integers(0, 50)
    | st.integers(0, 2_000_000_000_000)
    | st.integers(1_700_000_000_000, 1_700_000_100_000)
    | st.just(1_700_000_000_000),
    min_size=1,
    max_size=300,
)


def walked(all_dates: list[int], sample: list[int], reach: int, bounds: Window) -> list[Window]:
    """Go through the windows as a reader does; return those that were read."""
    windows: list[Window] = []

    def window(first: int | None, last: int | None) -> Piece:
        return Piece({"w": ({"first": first, "last": last},)})

    walk = WindowWalk(
        sample,
        share=len(sample) / len(all_dates),
        total=len(all_dates),
        reach=reach,
        bounds=bounds,
        window=window,
    )
    for _ in range(MOST_CALLS):
        piece = walk.next()
        if piece is None:
            return windows
        term = piece.terms["w"][0]
        count = sum(inside(date, (term["first"], term["last"])) for date in all_dates)
        if walk.counted(count):
            windows.append((term["first"], term["last"]))
            rest = [one.terms["w"][0] for one in walk.rest()]
            left = [(one["first"], one["last"]) for one in rest]
            for date in all_dates:
                held = sum(inside(date, one) for one in [*windows, *left])
                assert held == inside(date, bounds), "what is read and what is left are not all"
    pytest.fail(f"no end after {windows[-3:]}")


def inside(date: int, window: Window) -> bool:
    first, last = window
    return (first is None or date >= first) and (last is None or date <= last)


@settings(deadline=None, max_examples=300)
@given(all_dates=dates, data=st.data(), reach=st.integers(2, 40))
@example(all_dates=[5] * 100, data=None, reach=10)
@example(all_dates=[*range(100), *[10**12] * 50], data=None, reach=7)
def test_every_date_is_in_one_window(all_dates: list[int], data, reach: int) -> None:
    sample = (
        all_dates[:reach]
        if data is None
        else data.draw(st.lists(st.sampled_from(all_dates), min_size=1, max_size=50))
    )
    windows = walked(all_dates, sample, reach, (None, None))
    for date in all_dates:
        assert sum(inside(date, window) for window in windows) == 1
    for first, last in windows:
        held = sum(inside(date, (first, last)) for date in all_dates)
        moments = {date for date in all_dates if inside(date, (first, last))}
        assert held <= reach or len(moments) == 1


@settings(deadline=None)
@given(all_dates=dates, reach=st.integers(2, 20), data=st.data())
def test_within_bounds(all_dates: list[int], reach: int, data) -> None:
    low, high = sorted(data.draw(st.tuples(st.sampled_from(all_dates), st.sampled_from(all_dates))))
    held = [date for date in all_dates if low <= date <= high]
    windows = walked(held, held[:10], reach, (low, high))
    assert min(window[0] for window in windows) == low
    assert max(window[1] for window in windows) == high


def test_a_list_is_gone_through_in_order() -> None:
    pieces = [Piece({"x": ({"n": number},)}) for number in range(3)]
    walk = ListWalk(pieces)
    assert walk.next() is pieces[0]
    assert walk.counted(10**9)
    assert walk.rest() == pieces[1:]
    assert [walk.next(), walk.next(), walk.next()] == [pieces[1], pieces[2], None]
    assert walk.rest() == []
