"""Windows of a date: whatever lies in it and whatever is said of it, each row is in one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from search_model import ModelSearch

from totango_api.errors import UnavailableError
from totango_api.reading.date_keys import DAY, DateKey, KeyNotUsableError, Movement, Window
from totango_api.reading.deduplication import Deduplicator
from totango_api.reading.pages import Pages, Paging
from totango_api.reading.windows.estimates import trend_of
from totango_api.reading.windows.planner import WindowPlanner
from totango_api.reading.windows.reader import WindowReader
from totango_api.search import Page, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 20_000 * DAY

moments = st.one_of(
    st.integers(NOW, NOW + 50),
    st.integers(0, 40).map(lambda days: NOW - days * DAY),
    st.integers(NOW - 900 * DAY, NOW),
    st.just(NOW),
)
orders = st.sampled_from([list, sorted, lambda dates: [*sorted(dates[:12]), *sorted(dates[12:])]])
rows_by_name = st.tuples(st.lists(moments, min_size=1, max_size=60), orders).map(
    lambda drawn: drawn[1](drawn[0])
)


def rows_in(window: Window, dates: Sequence[int]) -> list[int]:
    low = -1 if window.low is None else window.low
    return [date for date in dates if low < date and (window.high is None or date <= window.high)]


@given(
    dates=rows_by_name,
    page=st.integers(1, 12),
    most=st.integers(12, 24),
    change=st.integers(-30, 30),
    stop=st.integers(1, 9),
)
# Fewer rows are left than were counted: they would be looked for in all eternity.
@example(dates=[NOW], page=1, most=12, change=50, stop=0)
# Each row seen first stands for more than can be read at once.
@example(dates=[NOW + at for at in (9, 3, 7, 1, 5, 2) * 10], page=2, most=12, change=0, stop=2)
@example(dates=[NOW - at * DAY for at in range(60)], page=1, most=12, change=0, stop=2)
# Names follow dates, but for many rows that are older, or at one moment.
@example(dates=[*range(NOW, NOW + 12), *range(NOW - 40, NOW)], page=12, most=12, change=0, stop=2)
@example(dates=[*range(NOW, NOW + 12), *[NOW + 15] * 40], page=12, most=12, change=0, stop=2)
@example(dates=[NOW + at * at for at in range(60, 0, -1)][::-1], page=8, most=12, change=0, stop=2)
def test_planned_windows_hold_each_row_once_and_no_more_than_can_be_read(
    dates: list[int], page: int, most: int, change: int, stop: int
) -> None:
    total = max(len(dates) + change, 1)
    planner = WindowPlanner(dates[:page], total, page)
    read: list[int] = []
    reached = None
    for step in range(40 * len(dates) + 40):
        if step == stop and (gaps := planner.left()):  # another run goes on from here
            planner = WindowPlanner(dates[:page], total, page, gaps)
        window = planner.next(most, most)
        if window is None:
            break
        assert window.low == reached
        assert planner.left()[0] == window
        held = rows_in(window, dates)
        if len(held) > most and planner.can_cut(window):
            sample = held[:page]
            planner.put_back(window, len(held), sample, trend_of(sample))
            continue
        planner.read(window, len(held))
        read += held
        reached = window.high
    assert planner.left() == []
    assert reached is None
    assert sorted(read) == sorted(dates)


KEY = DateKey("created", {"type": "date", "term": "created"}, Movement.STABLE)


def tenant(dates: Sequence[int], **options: Any) -> ModelSearch:
    """Return a service whose rows have these dates, in the order of their names."""
    names = [f"acc-{number:03}" for number in range(len(dates))]
    rows = zip(names, dates, strict=True)
    hits = [{"name": name, "display_name": name, "created": date} for name, date in rows]
    return ModelSearch(hits, **options)


class Run:
    """A read of a whole tenant in windows."""

    def __init__(self, search: ModelSearch, key: DateKey = KEY) -> None:
        self.names: list[str] = []
        self.left: list[tuple[tuple[int | None, int | None], ...]] = []
        with ThreadPoolExecutor(1) as pool:
            pages = Pages(search, Paging(page_size=5, window=20), pool)
            first = pages.learn_size(Query(), pages.first(Query()))
            reader = WindowReader(
                pages,
                Query(),
                key,
                Deduplicator(),
                first,
                first.total_hits or 0,
                otherwise=self.at_one_moment,
            )
            for batch in reader.batches():
                self.names += [hit["name"] for hit in batch.hits]
                if batch.resume is not None:
                    self.left.append(batch.resume.windows)

    def at_one_moment(self, query: Query, first: Page) -> Any:
        raise AssertionError("these dates can be cut")
        yield


@pytest.mark.parametrize("step", [-1, 1])
def test_names_that_run_against_a_date_are_read_back_through_time(step: int) -> None:
    dates = [NOW + step * number * DAY for number in range(40)]
    read = Run(tenant(dates))
    growing = Run(tenant(dates), DateKey(KEY.name, KEY.term, Movement.GROWING))
    assert len(read.names) == len(growing.names) == len(dates)
    assert set(read.names) == set(growing.names)
    # What changes only for a later date is read from the earliest on.
    assert growing.left[0][-1][1] is None
    low, high = read.left[0][0][0], read.left[0][-1][1]
    assert (low is None) == (step < 0)
    assert (high is None) == (step > 0)


class WholeDays(ModelSearch):
    """Compares days, whatever moments are asked for."""

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        edges = (("gte", 0), ("lte", DAY - 1))
        whole = [
            term | {at: term[at] // DAY * DAY + edge for at, edge in edges if at in term}
            for term in query.terms
        ]
        return super().page(replace(query, terms=tuple(whole)))


class Uncounted(ModelSearch):
    """Counts all rows, but not those of a filter."""

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        page = super().page(query)
        return replace(page, total_hits=None) if query.terms else page


class Unavailable(ModelSearch):
    """Fails at every filter, as a service may that does not know it."""

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        if query.terms:
            raise UnavailableError("POST /search", status=500)
        return super().page(query)


ONE_DAY = [NOW + number * 60_000 for number in range(40)]
DAYS = [NOW - number * 3 * DAY for number in range(40)]


@pytest.mark.parametrize(
    ("search", "said"),
    [
        (WholeDays(tenant(ONE_DAY).hits), "it does not part rows"),
        (tenant(ONE_DAY, terms=frozenset(), unsupported="ignore"), "it does not part rows"),
        (tenant(DAYS, terms=frozenset(), unsupported="ignore"), "the server ignores it"),
        (tenant(DAYS, terms=frozenset()), "it is refused: POST /search"),
        (Unavailable(tenant(DAYS).hits), "it is refused: POST /search"),
        (Uncounted(tenant(DAYS).hits), "the server does not count"),
    ],
)
def test_a_filter_that_does_not_part_rows_is_left_for_another(
    search: ModelSearch, said: str
) -> None:
    with pytest.raises(KeyNotUsableError, match=said):
        Run(search)
    assert search.calls < 100


def test_a_server_that_compares_whole_days_gives_every_row_of_many_days() -> None:
    assert len(set(Run(WholeDays(tenant(DAYS).hits)).names)) == len(DAYS)
