"""The scroll endpoint: keyed values to their places, no step twice, and an end."""

from __future__ import annotations

from typing import Any

import pytest

from totango_api.errors import ApiError, ResponseError, UnavailableError
from totango_api.reading.scroll import ATTEMPTS, ScrollRead, hit_of
from totango_api.search.query import Query


class Steps:
    """Stands for a way to a service that gives these answers in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.forms: list[bytes] = []

    def post_form(self, path: str, form: bytes, *, max_retry_seconds: float | None = None) -> Any:
        self.forms.append(form)
        answer = self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer


def step(*ids: Any, scroll: str | None = "next", total: Any = None) -> dict[str, Any]:
    return {"scroll-id": scroll, "total_hits": total, "accounts": [{"id": one} for one in ids]}


def read(*answers: Any) -> tuple[list[Any], ScrollRead, Steps]:
    steps = Steps(*answers)
    reading = ScrollRead(steps, Query())  # type: ignore[arg-type]
    names = [hit["name"] for batch in reading.batches() for hit in batch.hits]
    return names, reading, steps


def test_to_the_empty_step() -> None:
    names, reading, steps = read(step("a", "b", total=3), step("c", total=3), step(total=3))
    assert names == ["a", "b", "c"]
    assert reading.result.is_complete
    assert b"scroll_id" not in steps.forms[0]
    assert b"scroll_id=next" in steps.forms[1]


def test_to_the_step_without_a_successor() -> None:
    names, reading, _ = read(step("a", total=1, scroll=None))
    assert names == ["a"]
    assert reading.result.is_complete


def test_no_accounts_need_no_list_of_them() -> None:
    names, reading, _ = read({"accounts": None, "total_hits": 0})
    assert not names
    assert reading.result.is_complete


def test_without_a_count_only_an_empty_step_shows_the_end() -> None:
    _, ended, _ = read(step("a"), step())
    assert ended.result.is_complete
    _, left, _ = read(step("a", scroll=None))
    assert left.result.missing is None
    assert not left.result.is_complete


def test_a_shortfall_is_known() -> None:
    _, reading, _ = read(step("a", total=5), step(total=5))
    assert reading.result.missing == 4
    assert not reading.result.is_complete


def test_rows_come_once_and_those_without_an_id_are_counted() -> None:
    names, reading, _ = read(step("a", None, "a", 5, "", total=5), step(total=5))
    assert names == ["a", 5]
    assert reading.result.unreadable == 2


def test_a_failed_step_starts_again_and_brings_nothing_twice() -> None:
    down = UnavailableError("POST /scroll", status=503)
    names, reading, steps = read(
        step("a", "b", total=3), down, step("a", "b", total=3), step("c", total=3), step(total=3)
    )
    assert names == ["a", "b", "c"]
    assert reading.result.is_complete
    assert b"scroll_id" not in steps.forms[2]


def test_it_does_not_start_for_ever() -> None:
    downs = [UnavailableError("POST /scroll", status=503)] * ATTEMPTS
    with pytest.raises(UnavailableError):
        read(*downs)


@pytest.mark.parametrize("answer", [[], 7, {}, {"accounts": {}}, {"accounts": None}])
def test_answers_of_another_shape(answer: Any) -> None:
    with pytest.raises(ResponseError):
        read(answer)


def test_values_find_their_places() -> None:
    account = {
        "id": "a",
        "display_name": "A",
        "status": "Paying",
        "health": {"curr": "green"},
        "attributes": {"Plan": {"val": "Pro"}, "Seats": 5},
        "metrics": {"m": {"curr": 7, "prev": 6}},
    }
    fields = (
        {"type": "string_attribute", "attribute": "Plan"},
        {"type": "number_attribute", "attribute": "Seats"},
        {"type": "number_attribute", "attribute": "Missing"},
        {"type": "number_metric", "metric": "m"},
        {"type": "string", "term": "health"},
        {"type": "string", "term": "status"},
    )
    assert hit_of(account, fields)["selected_fields"] == ["Pro", 5, None, 7, "green", "Paying"]
    assert (
        hit_of({"id": "a", "attributes": 7, "metrics": []}, fields)["selected_fields"] == [None] * 6
    )
