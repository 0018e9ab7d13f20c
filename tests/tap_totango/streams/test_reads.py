"""What becomes of a refused filter, and what is said of rows that did not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_totango.streams.reads import incomplete, unless_refused
from totango_api.errors import RefusedError
from totango_api.reading import ReadResult

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = RefusedError("POST /", status=400, reason="no date")


def refused_behind(*batches: int) -> Iterator[int]:
    yield from batches
    raise REFUSED


def test_all_is_read_where_a_filter_is_refused() -> None:
    said: list[object] = []
    assert list(unless_refused(refused_behind(), lambda: iter([1, 2]), said.append)) == [1, 2]
    assert said == [REFUSED]


def test_a_read_that_is_refused_in_the_middle_does_not_begin_again() -> None:
    said: list[object] = []
    batches = unless_refused(refused_behind(1), lambda: iter([1, 2]), said.append)
    assert next(batches) == 1
    with pytest.raises(RefusedError):
        next(batches)
    assert not said


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (ReadResult(total=9, missing=2), "2 of 9 rows could not be read."),
        (ReadResult(total=9, missing=2, unreadable=1), "1 row came without an id"),
        (ReadResult(total=None, missing=2), "2 rows could not be read."),
        (ReadResult(total=None, missing=None), "does not count its rows"),
        (ReadResult(total=9, missing=None), "Rows moved while others were read"),
    ],
)
def test_what_is_missing_is_said(result: ReadResult, said: str) -> None:
    assert said in str(incomplete(result, "Run again."))
