"""Questions about lists and single endpoints: which are there, of which shape, how they go on."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.responses import EMPTY, KEYED, LIST, NESTED, shape_of, tried
from totango_api.errors import ApiError
from totango_api.probe import FAILED, Answer, Question, does_not_arise, status_text
from totango_api.search import (
    LIFECYCLE,
    REFERENCE_PATHS,
    STAFF_PATH,
    Query,
    definitions,
    list_in,
)
from totango_api.search import LIST as SEVERAL
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_totango.own_requests import OwnRequest
    from tap_totango.probe.service import ProbedService
    from totango_api.search import Row

_ROLES: Final = ("Success Manager", "Sales Manager")
_KEYED: Final = "activity_types"
_CAPITAL: Final = re.compile(r"[a-z0-9][A-Z]")
_MISSING: Final = 404
_COLLECTIONS_PATH: Final = "/api/v1/search/accounts/collections"

_MOST_LISTS: Final = 3
_CALLS_OF_A_LIST: Final = 2
_ROWS_ASKED: Final = 2
"""Rows on a page: the row behind the first one is on the next page only where pages are counted."""

_BY_ROWS: Final = "rows"
_BY_PAGES: Final = "pages"
_IGNORED: Final = "ignored"
_REFUSED: Final = "refused"
_UNCLEAR: Final = ""


def attributes(service: ProbedService) -> Answer:
    """Ask for the attribute definitions."""
    response = service.caller.tried(service.definitions)
    if isinstance(response, ApiError):
        value = "missing" if response.status == _MISSING else "refused"
        value = "no JSON" if status_text(response) == "no JSON" else value
        return Answer(value, status_text(response), "discover_attributes: false, if it stays so")
    listed = response.get("list") if isinstance(response, dict) else None
    if not isinstance(listed, list):
        return Answer("another shape", f"the response is {shape_of(response)}")
    known = list(definitions(listed))
    if not known:
        return Answer("empty", "a list without any attribute")
    return Answer("named", counted(len(known), "attribute"))


def owner_types(service: ProbedService) -> Answer:
    """Look at the types of the attributes that hold an owner."""
    try:
        known = service.attributes()
    except ApiError as error:
        return does_not_arise(f"attributes are not named: {status_text(error)}")
    types = [one.declared_type for one in known if one.api_name in _ROLES]
    if not types:
        return does_not_arise("no such attribute is named")
    return Answer(", ".join(sorted(set(types))), counted(len(types), "attribute"))


def options(service: ProbedService) -> Answer:
    """Look whether the definitions of lists and lifecycles name their options."""
    try:
        known = service.attributes()
    except ApiError as error:
        return does_not_arise(f"attributes are not named: {status_text(error)}")
    lists = [one for one in known if one.kind in {SEVERAL, LIFECYCLE}]
    if not lists:
        return does_not_arise("no list and no lifecycle is named")
    named = [one for one in lists if one.options]
    evidence = f"{len(named)} of {len(lists)} lists and lifecycles name options"
    held = [value for one in named for value in one.definition.values() if isinstance(value, list)]
    forms = {"objects" if isinstance(one, dict) else "texts" for one in chain.from_iterable(held)}
    return Answer(" and ".join(sorted(forms)) or "not named", evidence)


def reference_lists(service: ProbedService) -> Answer:
    """Ask for each reference list and for the staff."""
    found = _lists(service)
    reached = [name for name, response in found.items() if not isinstance(response, ApiError)]
    others = [
        f"{name}: {status_text(response)}"
        for name, response in found.items()
        if isinstance(response, ApiError)
    ]
    evidence = "; ".join([f"answered: {', '.join(reached) or 'none'}", *others])
    advice = "deselect those that are not answered" if others else ""
    missing = [name for name in found if name not in reached]
    return Answer(f"{len(reached)} of {len(found)}", evidence, advice, details=missing)


def _lists(service: ProbedService) -> dict[str, Any]:
    """Return the response to each list, or the refusal of it, by the name of the list."""

    def fetch() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, path in REFERENCE_PATHS.items():
            found[name] = tried(service, path)
        found["staff"] = tried(service, STAFF_PATH, Query(count=1).form(team_id="-1"))
        return found

    return service.caller.once("lists", fetch)


def reference_shape(service: ProbedService) -> Answer:
    """Look at the shapes of the reference lists."""
    shapes = {
        name: shape
        for name, response in _lists(service).items()
        if name in REFERENCE_PATHS and not isinstance(response, ApiError)
        if (shape := shape_of(response)) != EMPTY
    }
    if not shapes:
        return does_not_arise("no list with an entry was answered")
    evidence = ", ".join(f"{name} is {shape}" for name, shape in shapes.items())
    documented = {name: KEYED if name == _KEYED else LIST for name in shapes}
    if shapes == documented and len(shapes) > 1:
        return Answer("as documented", evidence)
    return Answer(" and ".join(sorted(set(shapes.values()))), evidence)


def reference_names(service: ProbedService) -> Answer:
    """Look at the spelling of keys in the reference lists."""
    keys = {
        key
        for name, response in _lists(service).items()
        if name in REFERENCE_PATHS and not isinstance(response, ApiError)
        for row in _rows(response)
        for key in row
    }
    snake = sum("_" in key for key in keys)
    camel = sum(bool(_CAPITAL.search(key)) for key in keys)
    if not (snake or camel):
        return does_not_arise("no key of two words was seen")
    evidence = f"{counted(snake, 'key')} with underscores, {camel} with capitals"
    if snake and camel:
        return Answer("both", evidence)
    return Answer("underscores" if snake else "capitals", evidence)


def _rows(response: Any) -> Iterable[Mapping[str, Any]]:
    """Yield the entries of a list, in whichever shape it is."""
    values = response if isinstance(response, list) else list(response.values())
    if len(values) == 1 and shape_of(response) == NESTED:
        yield from _rows(values[0])
        return
    yield from (row for row in values if isinstance(row, dict))


def touchpoints_list(service: ProbedService) -> Answer:
    """Ask for touchpoints without an id."""
    return _listed(tried(service, "/api/v3/touchpoints/"))


def tasks_list(service: ProbedService) -> Answer:
    """Ask for tasks without an id."""
    return _listed(tried(service, "/api/v3/tasks"))


def _listed(response: Any) -> Answer:
    if isinstance(response, ApiError):
        return Answer("refused", status_text(response))
    rows = list(_rows(response)) if isinstance(response, (list, dict)) else []
    return Answer("listed", f"{counted(len(rows), 'row')}: {shape_of(response)}")


def collections(service: ProbedService) -> Answer:
    """Ask for rows of collections as the user interface does."""
    response = tried(service, _COLLECTIONS_PATH, Query().at(0, 1, None).form())
    if isinstance(response, ApiError):
        return Answer("not there", status_text(response))
    if isinstance(response, list):
        return Answer("at the top", counted(len(response), "row"))
    body = response.get("response") if isinstance(response, dict) else None
    rows = body.get("collections") if isinstance(body, dict) else None
    if isinstance(rows, list):
        return Answer("in the response", counted(len(rows), "row"))
    hits = rows.get("hits") if isinstance(rows, dict) else None
    if isinstance(hits, list):
        return Answer("among hits", counted(len(hits), "row"))
    return Answer("another shape", f"the response is {shape_of(response)}")


# Lists of the user's own ----------------------------------------------------------------------


def list_offset(service: ProbedService) -> Answer:
    """Ask lists that are read by offset for the rows from 0 and from 1 on."""
    lists = [
        own for own in service.own_requests if own.parameters.offset and own.request.search is None
    ]
    if not lists:
        return does_not_arise("no stream of your own is a plain list that is read by offset")
    asked = lists[: max(1, min(_MOST_LISTS, service.caller.spare // _CALLS_OF_A_LIST))]
    counts = [_counted(service, own) for own in asked]
    if set(counts) == {_REFUSED}:
        return Answer("?", f"{counted(len(counts), 'list')} refused", state=FAILED)
    told = sorted(set(counts) - {_REFUSED, _UNCLEAR})
    if not told:
        return does_not_arise("the lists have too few rows, or rows without order")
    parts = [f"{counts.count(one)} {one}" for one in told]
    evidence = f"of {counted(len(lists), 'list')}, {len(asked)} asked: {', '.join(parts)}"
    return Answer(" and ".join(told), evidence, _advice(asked, counts))


def _counted(service: ProbedService, own: OwnRequest) -> str:
    """Return what an offset counts in a list."""
    pages = service.caller.tried(lambda: [_own_page(service, own, offset) for offset in (0, 1)])
    if isinstance(pages, ApiError):
        return _REFUSED
    first, second = pages
    if len(first) < _ROWS_ASKED or first[0] == first[1]:
        return _UNCLEAR
    if second[:1] == first[1:2]:
        return _BY_ROWS
    if second == first:
        return _IGNORED
    return _UNCLEAR if any(row in first for row in second) else _BY_PAGES


def _own_page(service: ProbedService, own: OwnRequest, offset: int) -> list[Row]:
    names = own.parameters
    values = {names.offset: offset} | ({names.count: _ROWS_ASKED} if names.count else {})
    request = own.request.with_parameters(values)
    response = service.caller.call(lambda: request.send(service.caller.client))
    return list_in(response, request.endpoint, own.rows).rows


def _advice(asked: list[OwnRequest], counts: list[str]) -> str:
    """Return how to set `paging` where an offset counts no rows, with the names of one list."""
    advice = []
    for own, told in zip(asked, counts, strict=True):
        names = own.parameters
        if told == _BY_PAGES:
            count = f", count: {names.count}" if names.count else ""
            advice.append(f"paging: {{page: {names.offset}{count}}}")
        elif told == _IGNORED:
            advice.append("paging: none, where one response is the whole list")
    return "; ".join(dict.fromkeys(advice))


OF_ATTRIBUTES: Final = (
    Question("attributes", "Are attributes named?", 1, attributes),
    Question("owner_types", "Which type has an owner's attribute?", 0, owner_types),
    Question("options", "Are the options of lists named?", 0, options),
)
QUESTIONS: Final = (
    Question("reference_lists", "Which reference lists are answered?", 6, reference_lists),
    Question("reference_shape", "Of which shape are they?", 0, reference_shape),
    Question("reference_names", "How are their keys spelt?", 0, reference_names),
    Question("collections", "Where are rows of collections?", 1, collections),
    Question("touchpoints_list", "Are touchpoints listed without an id?", 1, touchpoints_list),
    Question("tasks_list", "Are tasks listed without an id?", 1, tasks_list),
)
OF_OWN_LISTS: Final = (
    Question("list_offset", "What counts an offset in own lists?", 0, list_offset),
)
