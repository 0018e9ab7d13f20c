"""Lists of which only the request is known: read whole while rows come and go, or doubted."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from totango_api.errors import ResponseError
from totango_api.reading import ListRead, PageParameters, parameters_of
from totango_api.search import PastedRequest, list_in, request_from

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFSETS = PageParameters("offset", count="count")


class MovingList:
    """Answers with pages of rows; between two calls `move` changes them.

    Args:
        rows: At first.
        move: Changes rows in place; gets them and a source of chance.
        counts: Whether answers count all rows.
    """

    def __init__(self, rows: list[int], move: Any = None, *, counts: bool = False, seed: int = 0):
        self.rows, self.move, self.counts = rows, move, counts
        self.dice = random.Random(seed)
        self.lasting = set(rows)
        self.calls = 0

    def api(self, method: str, path: str, **more: Any) -> Any:
        if self.calls and self.move:
            self.move(self.rows, self.dice)
            self.lasting &= set(self.rows)
        self.calls += 1
        asked = {name: int(one[0]) for name, one in parse_qs(urlsplit(path).query).items()}
        offset = asked.get("offset", (asked.get("page", 1) - 1) * asked["count"])
        page = [{"id": row} for row in self.rows[offset : offset + asked["count"]]]
        return {"rows": page, "total_hits": len(self.rows)} if self.counts else page


def read(service: Any, parameters: PageParameters | None = OFFSETS, count: int = 5):
    """What came, and the result."""
    names = "page=1" if parameters and parameters.page else "offset=0"
    request = request_from(f"/api/v3/list?{names}&count={count}", setting="streams.mine")
    reading = ListRead(service, request, parameters or parameters_of(request))
    found = [row["id"] for page in reading.pages([("id",)]) for row in page]
    assert len(found) == len(set(found))
    return found, reading.result


def churn(rows: list[int], dice: random.Random) -> None:
    """A few rows go from anywhere, and as many come anywhere."""
    for _ in range(dice.randrange(4)):
        if rows and dice.random() < 0.6:
            del rows[dice.randrange(len(rows))]
        else:
            rows.insert(dice.randrange(len(rows) + 1), max(rows, default=0) + dice.randrange(1, 9))


@pytest.mark.parametrize("counts", [True, False])
def test_what_was_there_throughout_came_or_is_doubted(counts: bool) -> None:
    proven = 0
    for seed in range(300):
        service = MovingList(list(range(23)), churn, counts=counts, seed=seed)
        found, result = read(service)
        if not result.doubt:
            proven += 1
            assert service.lasting <= set(found), seed
    assert proven > 150


@pytest.mark.parametrize("counts", [True, False])
def test_a_service_that_does_not_sort_is_doubted(counts: bool) -> None:
    for seed in range(50):
        service = MovingList(
            list(range(60)), lambda rows, dice: dice.shuffle(rows), counts=counts, seed=seed
        )
        found, result = read(service)
        assert result.doubt or len(found) == 60, seed
        assert service.calls < 100


def test_one_that_goes_while_another_comes_hides_no_row() -> None:
    def replace_one(rows: list[int], _: random.Random) -> None:
        del rows[0]
        rows.append(max(rows) + 1)

    service = MovingList(list(range(10)), replace_one, counts=True)
    found, result = read(service)
    assert not result.doubt
    assert service.lasting <= set(found)


@pytest.mark.parametrize("rows", [0, 1, 4, 5, 6, 9, 10, 23])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("page", [True, False])
def test_a_still_list_of_any_length(rows: int, counts: bool, page: bool) -> None:
    parameters = PageParameters(page="page", count="count") if page else None
    service = MovingList(list(range(rows)), counts=counts)
    found, result = read(service, parameters)
    assert (found, result.doubt) == (list(range(rows)), "")
    passes = 2 if page and rows > 5 else 1
    assert service.calls <= passes * (rows // 4 + 2)


def test_numbered_pages_are_doubted_where_one_goes_while_another_comes() -> None:
    proven = 0
    for seed in range(200):
        calls = iter(range(100))

        def replace_one(rows: list[int], dice: random.Random, calls: Iterator[int] = calls) -> None:
            if next(calls) < 6 and dice.random() < 0.3:
                del rows[dice.randrange(len(rows))]
                rows.append(max(rows) + 1)

        service = MovingList(list(range(23)), replace_one, counts=True, seed=seed)
        found, result = read(service, PageParameters(page="page", count="count"))
        if not result.doubt:
            proven += 1
            assert service.lasting <= set(found), seed
    assert proven > 50


def test_numbered_pages_that_move_are_doubted() -> None:
    service = MovingList(list(range(23)), lambda rows, _: rows.insert(0, max(rows) + 1))
    _, result = read(service, PageParameters(page="page", count="count"))
    assert "Rows moved" in result.doubt


@pytest.mark.parametrize(
    ("answer", "rows", "total"),
    [
        ([{"id": 1}], 1, None),
        ({"response": {"things": {"hits": [{"id": 1}], "total_hits": 7}}}, 1, 7),
        ({"status": "success", "response": {"things": [{"id": 1}]}}, 1, None),
        ({"things": [{"id": 1}], "total": 3}, 1, 3),
        ({"things": [{"id": 1}], "errors": [], "links": [{"next": 1}]}, 1, None),
        ({"things": [], "others": []}, 0, None),
        ({"a": {"name": "x"}, "b": {"name": "y"}}, 2, None),
        ({"things": {"a": {"name": "x"}}}, 1, None),
        ({"data": []}, 0, None),
        ({"response": {"things": {"hits": None, "total_hits": 0}}}, 0, 0),
        ({"things": {"total_hits": 0}}, 0, 0),
        ({"things": [{"id": 1}], "total_hits": 0}, 1, 0),
    ],
)
def test_rows_are_found_in_any_known_shape(answer: Any, rows: int, total: int | None) -> None:
    found = list_in(answer, "GET /x")
    assert (len(found.rows), found.total) == (rows, total)


@pytest.mark.parametrize(
    "answer",
    [
        {"tasks": {"items": [{"id": 1}], "page": 1}},
        {"tasks": [{"id": 1}], "people": [{"id": 2}]},
        {"response": {"tasks": {"items": [{"id": 1}]}, "meta": {"page": 1}}},
        {"id": 1, "name": "one object"},
        {"response": {"things": {"hits": None, "total_hits": 1}, "meta": {}}},
        {"hits": None},
        {},
        "text",
        None,
    ],
)
def test_what_is_not_clear_is_not_guessed(answer: Any) -> None:
    with pytest.raises(ResponseError):
        list_in(answer, "GET /x")


def test_rows_at_a_place_that_is_named() -> None:
    answer = {"response": {"tasks": {"items": [{"id": 1}], "total": 9}, "meta": {"page": 1}}}
    found = list_in(answer, "GET /x", "response.tasks.items")
    assert (found.rows, found.total) == ([{"id": 1}], 9)
    answer["response"]["tasks"] = {"items": None, "total": 0}
    assert list_in(answer, "GET /x", "response.tasks.items").rows == []
    answer["response"]["tasks"] = {"items": None, "total": 9}
    with pytest.raises(ResponseError):
        list_in(answer, "GET /x", "response.tasks.items")


def test_a_request_that_does_not_page_has_one_page() -> None:
    assert not parameters_of(PastedRequest("GET", "/api/v3/list")).are_known
    assert parameters_of(PastedRequest("POST", "/api/x", search={"terms": []})).are_known
