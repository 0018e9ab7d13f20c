"""The question about lists of the user's own: what an offset counts in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.errors import ApiError
from totango_api.probe import FAILED, Answer, Question, does_not_arise, is_refusal
from totango_api.search import list_in

if TYPE_CHECKING:
    from tap_totango.own_requests import OwnRequest
    from tap_totango.probe.service import ProbedService
    from totango_api.search import Row

_MOST: Final = 3
_CALLS: Final = 2
_ROWS: Final = 2
"""Rows on a page: the row behind the first one is on the next page only where pages are counted."""

ROWS: Final = "rows"
PAGES: Final = "pages"
IGNORED: Final = "ignored"
_REFUSED: Final = "refused"
_UNCLEAR: Final = ""


def list_offset(service: ProbedService) -> Answer:
    """Ask lists that are read by offset for the rows from 0 and from 1 on."""
    lists = [
        own for own in service.own_requests if own.parameters.offset and own.request.search is None
    ]
    if not lists:
        return does_not_arise("no stream of your own is a plain list that is read by offset")
    asked = lists[: max(1, min(_MOST, service.caller.spare // _CALLS))]
    counts = [_counted(service, own) for own in asked]
    if set(counts) == {_REFUSED}:
        return Answer("?", f"{len(counts)} lists were refused", state=FAILED)
    told = sorted(set(counts) - {_REFUSED, _UNCLEAR})
    if not told:
        return does_not_arise("the lists have too few rows, or rows without order")
    parts = [f"{counts.count(one)} {one}" for one in told]
    evidence = f"of {len(lists)} lists, {len(asked)} were asked: {', '.join(parts)}"
    return Answer(" and ".join(told), evidence, _advice(asked, counts))


def _counted(service: ProbedService, own: OwnRequest) -> str:
    """Return what an offset counts in a list."""
    try:
        first, second = (_page(service, own, offset) for offset in (0, 1))
    except ApiError as error:
        if is_refusal(error):
            return _REFUSED
        raise
    if len(first) < _ROWS or first[0] == first[1]:
        return _UNCLEAR
    if second[:1] == first[1:2]:
        return ROWS
    if second == first:
        return IGNORED
    return _UNCLEAR if any(row in first for row in second) else PAGES


def _page(service: ProbedService, own: OwnRequest, offset: int) -> list[Row]:
    names = own.parameters
    values = {names.offset: offset} | ({names.count: _ROWS} if names.count else {})
    request = own.request.with_parameters(values)
    response = service.caller.call(lambda: request.send(service.caller.client))
    return list_in(response, request.endpoint, own.rows).rows


def _advice(asked: list[OwnRequest], counts: list[str]) -> str:
    """Return how to set `paging` where an offset counts no rows, with the names of one list."""
    advice = []
    for own, counted in zip(asked, counts, strict=True):
        names = own.parameters
        if counted == PAGES:
            count = f", count: {names.count}" if names.count else ""
            advice.append(f"paging: {{page: {names.offset}{count}}}")
        elif counted == IGNORED:
            advice.append("paging: none, where one response is the whole list")
    return "; ".join(dict.fromkeys(advice))


QUESTIONS: Final = (Question("list_offset", "What counts an offset in own lists?", 0, list_offset),)
