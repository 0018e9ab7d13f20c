"""Reference lists in every shape in which they may come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from totango_api.errors import ResponseError
from totango_api.search import read_references

if TYPE_CHECKING:
    from totango_api.http import ApiClient


def references(body: Any) -> list[tuple[str, str]]:
    client = cast("ApiClient", SimpleNamespace(api=lambda *_: body))
    return [(one.id, one.name) for one in read_references(client, "touchpoint_types")]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ([{"id": "1", "name": "Call"}], [("1", "Call")]),
        ([{"id": 1, "displayName": "Call", "name": "call"}], [("1", "Call")]),
        ([{"id": "1", "name": ""}, {"id": True, "name": "Visit"}], [("1", "1")]),
        ({"1": {"name": "Call"}}, [("1", "Call")]),
        ({}, []),
        ([], []),
    ],
)
def test_ids_and_names_are_read(body: Any, found: list[tuple[str, str]]) -> None:
    assert references(body) == found


@pytest.mark.parametrize("body", [[{"label": "Call"}], [{"id": "1"}, "Call"]])
def test_what_names_no_id_is_no_reference_list(body: Any) -> None:
    with pytest.raises(ResponseError):
        references(body)
