"""Definitions as services give them, and as they might."""

from __future__ import annotations

from typing import Any

import pytest

from totango_api.errors import ResponseError
from totango_api.search.attributes import CORE_ATTRIBUTES, discover


class Given:
    """Stands for a way to a service that gives one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def api(self, method: str, path: str, **_: Any) -> Any:
        assert (method, path) == ("GET", "/api/v1/attributes.json")
        return self.answer


def found(*entries: Any) -> dict[tuple[str, str], str]:
    return {
        (one.object, one.api_name): one.kind
        for one in discover(Given({"list": list(entries)}))  # type: ignore[arg-type]
    }


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("text", "text"),
        ("Currency", "number"),
        ("NUMERIC", "number"),
        ("date", "date"),
        ("multi_list", "list"),
        ("lifecycle", "lifecycle"),
        ("tag", "tag"),
        ("hologram", "text"),
        (None, "text"),
        (7, "text"),
    ],
)
def test_types(declared: Any, kind: str) -> None:
    assert found({"key_name": "X", "type": declared}) == {("accounts", "X"): kind}


@pytest.mark.parametrize("key", ["object", "entity", "object_type"])
def test_whose_they_are(key: str) -> None:
    assert found({"key_name": "X", key: "User"}) == {("users", "X"): "text"}
    assert found({"key_name": "X", key: "account"}) == {("accounts", "X"): "text"}


def test_entries_that_are_none_are_passed_over() -> None:
    assert found(7, None, {}, {"key_name": ""}, {"key_name": 5}, {"key_name": "X"}) == {
        ("accounts", "X"): "text"
    }


def test_one_name_may_be_of_accounts_and_of_users() -> None:
    assert len(found({"key_name": "X"}, {"key_name": "X", "object": "users"})) == 2


@pytest.mark.parametrize("answer", [None, [], {}, {"list": {}}, {"list": [7]}, {"attributes": []}])
def test_another_shape_is_said_to_be_one(answer: Any) -> None:
    with pytest.raises(ResponseError, match=r"attributes\.json"):
        discover(Given(answer))  # type: ignore[arg-type]


def test_a_service_without_attributes() -> None:
    assert found() == {}


def test_core_attributes_can_all_be_searched() -> None:
    for stream, attributes in CORE_ATTRIBUTES.items():
        assert all(one.object == stream and one.searchable for one in attributes)
        names = [one.api_name for one in attributes]
        assert len(set(names)) == len(names)
