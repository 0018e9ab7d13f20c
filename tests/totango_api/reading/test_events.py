"""Every event that matches throughout a read is given, whatever the tenant does; or a word."""

from __future__ import annotations

import itertools
from decimal import Decimal
from time import ctime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from living_events import MOVES, LivingEvents, Moves

from totango_api import limits
from totango_api.reading.events.read import EventsRead
from totango_api.search.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = ("page", "row")


def read(service: LivingEvents, count: int = 100) -> tuple[list[str], EventsRead]:
    """Read everything; return the ids in their order, and the read."""
    reading = EventsRead(service, Query(count=count, sort_order=None))  # type: ignore[arg-type]
    return [hit["id"] for hits in reading.batches() for hit in hits], reading


@pytest.mark.parametrize("times", ["on", "refused"])
@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize("unit", ["page", "row"])
@pytest.mark.parametrize("moves", MOVES)
def test_nothing_that_lasts_is_lost(moves: str, unit: str, order: str, times: str) -> None:
    service = LivingEvents(1_500, MOVES[moves], page_max=100, unit=unit, order=order, times=times)
    found, reading = read(service)
    assert service.lasting <= set(found)
    assert reading.result.is_complete
    # By offsets, an edit that moves an event pushes others about.
    assert service.calls <= (15 * 1.05 + 4 if times == "on" else 40)


def spare_calls(pages: float, moves: str, order: str, *, by_row: bool) -> int:
    """Return how many calls a read may take beside the pages that all events fill."""
    spare = 2 if pages < 20 or (moves != "still" and order == "desc") else 1
    return spare + by_row  # that offsets do not count pages, as documented, is found out by a call


@pytest.mark.parametrize(
    ("rows", "page", "moves", "order", "unit"),
    [
        *itertools.product((200, 400, 700), (200,), ("still", "all"), ("desc", "asc"), UNITS),
        (20_000, 1_000, "still", "desc", "page"),
        (20_000, 1_000, "still", "asc", "row"),
        (20_000, 1_000, "all", "desc", "row"),
        (20_000, 1_000, "all", "asc", "page"),
    ],
)
def test_a_read_costs_hardly_a_call_more_than_its_pages(
    rows: int, page: int, moves: str, order: str, unit: str
) -> None:
    grain = 10**6 if moves == "still" else 1
    how: dict[str, Any] = {"order": order, "unit": unit, "seed": rows, "grain": grain}
    service = LivingEvents(rows, MOVES[moves], page_max=page, **how)
    found, reading = read(service, page)
    assert service.lasting <= set(found)
    assert moves != "still" or len(found) == len(set(found))
    assert reading.result.is_complete
    assert not reading.result.leaves_newer
    spare = spare_calls(rows / page, moves, order, by_row=unit == "row")
    spare += unit == "row" and grain > 1  # many at the newest moment are passed by their places
    assert service.calls <= rows // page + spare


@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize("stingy", [2, 3, 5])
def test_pages_cut_short_while_events_go_hide_nothing(stingy: int, order: str) -> None:
    service = LivingEvents(320, Moves(1, 1, 1), order=order, page_max=40, stingy=stingy, share=0.3)
    found, reading = read(service, 40)
    assert service.lasting <= set(found) or not reading.result.is_complete


def test_an_older_event_behind_as_many_as_came_is_not_the_end() -> None:
    """Two pages of one moment are cut short at the same event, and seem to be the last."""
    service = LivingEvents(
        300,
        Moves(ins=1, backdated=1, edited=3),
        seed=300,
        grain=15 * 86_400_000,
        order="asc",
        unit="row",
        unstable=False,
        page_max=30,
        stingy=3,
        share=0.3,
    )
    found, reading = read(service, 30)
    assert service.lasting <= set(found)
    assert reading.result.is_complete


@pytest.mark.parametrize("times", ["on", "refused"])
@pytest.mark.parametrize("total", [None, 0])
def test_a_window_that_cuts_a_page_is_not_the_end(
    times: str, total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WINDOW_ROWS", 1_000)
    service = LivingEvents(1_100, window=1_000, times=times, total=total, page_max=50)
    found, reading = read(service, 50)
    is_all = sorted(found) == sorted(service.lasting)
    assert is_all if times == "on" else is_all or not reading.result.is_complete
    assert reading.result.is_complete or times == "refused"


@pytest.mark.parametrize(
    ("order", "at"), [("desc", 2), *itertools.product(("desc", "asc"), range(3, 8))]
)
@pytest.mark.parametrize("filters_both", [True, False])
def test_a_last_page_that_was_cut_short_is_not_the_end(
    order: str, at: int, filters_both: bool
) -> None:
    service = LivingEvents(1_200, stingy=at, filters_both=filters_both, order=order, page_max=250)
    found, reading = read(service, 250)
    assert reading.result.is_complete == (sorted(found) == sorted(service.lasting))
    assert reading.result.is_complete or at == 2


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_read_ends_though_ever_more_events_come(order: str) -> None:
    service = LivingEvents(1_500, Moves(ins=90), page_max=100, order=order)
    found, reading = read(service)
    assert service.lasting <= set(found)
    assert reading.result.is_complete
    assert reading.result.leaves_newer
    assert service.calls <= 15 * 12


def test_events_without_a_time_are_read_at_the_end_of_the_others() -> None:
    service = LivingEvents(2_000, page_max=250)
    service.without_times(20)
    found, reading = read(service, 250)
    assert sorted(found) == sorted(service.lasting)
    assert reading.result.is_complete


@example(
    rows=216,
    size=200,
    unit="page",
    order="asc",
    grain=10**9,
    total=None,
    times="refused",
    moves="all",
    seed=0,
)
@example(
    rows=597,
    size=200,
    unit="page",
    order="desc",
    grain=10**10,
    total=None,
    times="on",
    moves="out",
    seed=2,
)
@example(
    rows=233,
    size=141,
    unit="row",
    order="desc",
    grain=10**10,
    total=None,
    times="on",
    moves="all",
    seed=2,
)
@example(
    rows=687,
    size=114,
    unit="row",
    order="desc",
    grain=10**9,
    total=None,
    times="on",
    moves="edited",
    seed=767_619,
)
@given(
    rows=st.integers(100, 800),
    size=st.integers(100, 200),
    unit=st.sampled_from(["page", "row"]),
    order=st.sampled_from(["desc", "asc"]),
    grain=st.sampled_from([1, 10**9, 10**10]),
    total=st.sampled_from([None, 0, 3]),
    times=st.sampled_from(["on", "refused", "ignored"]),
    moves=st.sampled_from(sorted(MOVES)),
    seed=st.integers(0, 9),
)
def test_everything_that_lasts_or_a_word(
    rows: int,
    size: int,
    unit: str,
    order: str,
    grain: int,
    total: int | None,
    times: str,
    moves: str,
    seed: int,
) -> None:
    service = LivingEvents(
        rows,
        MOVES[moves],
        seed,
        unit=unit,
        order=order,
        grain=grain,
        total=total,
        times=times,
        page_max=size,
    )
    found, reading = read(service, size)
    assert service.lasting <= set(found) or not reading.result.is_complete


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_pages_of_what_came_while_reading_are_read_to_their_end(order: str) -> None:
    service = LivingEvents(1_500, Moves(ins=15), page_max=100, order=order)
    found, reading = read(service)
    assert service.lasting <= set(found)
    assert reading.result.is_complete


@pytest.mark.parametrize("times", ["ignored", "days", "refused"])
def test_a_filter_that_is_not_heeded_hides_nothing(times: str) -> None:
    service = LivingEvents(500, times=times, page_max=100)
    found, reading = read(service)
    assert sorted(found) == sorted(service.lasting)
    assert reading.result.is_complete


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_filter_by_whole_days_ends_where_many_are_at_one_moment(order: str) -> None:
    service = LivingEvents(400, times="days", order=order, grain=10**9, page_max=50, unit="row")
    found, reading = read(service, 50)
    assert sorted(found) == sorted(service.lasting)
    assert reading.result.is_complete
    assert service.calls <= 100


def test_an_event_without_a_time_is_read_though_no_filter_shows_it() -> None:
    service = LivingEvents(500, page_max=100)
    service.without_times(1)
    found, reading = read(service)
    assert sorted(found) == sorted(service.lasting)
    assert reading.result.is_complete


@pytest.mark.parametrize("unit", ["page", "row"])
def test_what_an_offset_counts_is_told_though_many_are_at_the_newest_moment(unit: str) -> None:
    service = LivingEvents(1_500, seed=2, times="refused", unit=unit, grain=10**8, page_max=500)
    found, reading = read(service, 500)
    assert sorted(found) == sorted(service.lasting)
    assert reading.result.is_complete
    assert service.calls <= 14


@pytest.mark.parametrize("unstable", [True, False])
def test_more_at_one_moment_than_a_page_holds(unstable: bool) -> None:
    service = LivingEvents(400, grain=10**13, page_max=100, unstable=unstable)
    found, reading = read(service)
    assert sorted(found) == sorted(service.lasting) or reading.result.missing is None
    assert unstable or reading.result.is_complete


@pytest.mark.parametrize("times", ["on", "refused"])
def test_pages_that_are_shorter_than_asked_are_not_the_end(times: str) -> None:
    service = LivingEvents(700, page_max=100, stingy=3, times=times)
    found, reading = read(service)
    assert sorted(found) == sorted(service.lasting)
    assert reading.result.is_complete


@example(rows=3, size=2, unit="page", order="desc", grain=10**12, total=None, times="on")
@example(rows=40, size=3, unit="row", order="desc", grain=10**10, total=None, times="on")
@given(
    rows=st.integers(0, 90),
    size=st.integers(1, 12),
    unit=st.sampled_from(["page", "row"]),
    order=st.sampled_from(["desc", "asc"]),
    grain=st.sampled_from([1, 10**10, 10**12]),
    total=st.sampled_from([None, 0, 3]),
    times=st.sampled_from(["on", "refused", "ignored"]),
)
def test_everything_or_a_word(
    rows: int, size: int, unit: str, order: str, grain: int, total: int | None, times: str
) -> None:
    service = LivingEvents(
        rows, unit=unit, order=order, grain=grain, total=total, times=times, page_max=size
    )
    found, reading = read(service)
    assert len(found) == len(set(found)) == reading.result.rows
    assert (set(found) == service.lasting) or not reading.result.is_complete
    assert reading.result.is_complete <= (not total)


class Answers:
    """Gives these pages, the last one again and again."""

    def __init__(self, *pages: list[Any]) -> None:
        self.pages = list(pages)

    def post_form(self, *_: Any, **__: Any) -> Any:
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        return {"response": {"events": {"hits": page}}}


def test_rows_without_an_id_are_counted_once() -> None:
    rows = [{"id": one, "timestamp": 9 - place} for place, one in enumerate((None, "", True, 7))]
    found, reading = read(Answers(rows, []))  # type: ignore[arg-type]
    assert found == [7]
    assert reading.result.unreadable == 3


@pytest.mark.parametrize("spelling", [str, float, Decimal])
def test_times_may_be_text_or_have_a_fraction(spelling: Callable[[int], object]) -> None:
    service = LivingEvents(700, MOVES["edited"], page_max=100, spelling=spelling)
    found, reading = read(service)
    assert service.lasting <= set(found)
    assert reading.result.is_complete
    assert reading.result.how == "by their times"


def test_edits_push_events_off_the_first_page_whose_times_cannot_be_read() -> None:
    service = LivingEvents(900, Moves(edited=5), page_max=60, spelling=ctime, unit="row")
    found, reading = read(service, 60)
    assert service.lasting <= set(found)
    assert reading.result.is_complete


def test_a_number_too_large_for_a_time_is_none() -> None:
    rows = [{"id": "a", "timestamp": 10**20}, {"id": "b", "timestamp": "1e300"}]
    found, reading = read(Answers(rows, []))  # type: ignore[arg-type]
    assert found == ["a", "b"]
    assert reading.result.is_complete


def test_an_empty_list_is_not_believed_at_once() -> None:
    found, reading = read(Answers([], [{"id": "e", "timestamp": 1}], []))  # type: ignore[arg-type]
    assert found == ["e"]
    assert reading.result.is_complete


def test_of_events_with_one_id_the_newest_counts(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": "e", "timestamp": 2, "new": True}, {"id": "e", "timestamp": 1}]
    reading = EventsRead(Answers(rows, []), Query(sort_order=None))  # type: ignore[arg-type]
    assert [hit for hits in reading.batches() for hit in hits] == rows[:1]
    assert "same id" in caplog.text


def test_offsets_that_begin_anew_beyond_the_end_bring_no_end() -> None:
    service = LivingEvents(350, Moves(outs=5), times="refused", page_max=100, wraps=True)
    found, reading = read(service)
    assert service.lasting <= set(found)
    assert reading.result.is_complete
