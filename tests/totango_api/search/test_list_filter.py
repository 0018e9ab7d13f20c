"""Whether a server takes lists in a filter is found out once."""

from __future__ import annotations

import pytest

from totango_api.errors import RefusedError
from totango_api.search.endpoint import Page
from totango_api.search.list_filter import ListFilter

TERM = {"type": "string", "term": "identifier"}


class Server:
    """Refuses lists, or every filter; keeps what it was asked."""

    def __init__(self) -> None:
        self.filter = ListFilter()
        self.refuses_all = False
        self.asked: list[str] = []

    def ask(self) -> Page:
        (operator,) = {"in_list", "eq", "or"} & self.filter.among(TERM, ["a"]).keys()
        self.asked.append(operator)
        if self.refuses_all or operator == "in_list":
            raise RefusedError("POST /", status=400, reason=f"no {operator}")
        return Page([], 0, key_of=lambda _: None)


def test_a_server_without_lists_is_asked_for_each_value_from_then_on() -> None:
    server = Server()
    server.filter.page(server.ask)
    server.filter.page(server.ask)
    assert server.asked == ["in_list", "eq", "eq"]
    server.refuses_all = True
    with pytest.raises(RefusedError, match="no eq"):
        server.filter.page(server.ask)
    assert server.asked[3:] == ["eq"]
    assert not server.filter.takes_lists


def test_a_server_that_refuses_either_may_take_lists_later() -> None:
    server = Server()
    server.refuses_all = True
    with pytest.raises(RefusedError, match="no in_list"):
        server.filter.page(server.ask)
    assert server.filter.takes_lists
