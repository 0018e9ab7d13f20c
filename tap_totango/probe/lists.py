"""Questions about lists and single endpoints: which are there, and of which shape."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import ApiError, RefusedError
from totango_api.probe import Answer, Question, does_not_arise, is_refusal, said_of
from totango_api.reading import SCROLL_PATH
from totango_api.search import REFERENCE_PATHS, STAFF_PATH, Query, definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_totango.probe.service import ProbedService

_ROLES: Final = ("Success Manager", "Sales Manager")
_KEYED: Final = "activity_types"
_CAPITAL: Final = re.compile(r"[a-z0-9][A-Z]")
_MISSING: Final = 404
_BAD_REQUEST: Final = 400
_COLLECTIONS_PATH: Final = "/api/v1/search/accounts/collections"

LIST, KEYED, NESTED, EMPTY = "a list", "keyed by id", "under one more key", "empty"


def attributes(service: ProbedService) -> Answer:
    """Ask for the attribute definitions."""
    try:
        answer = service.definitions()
    except ApiError as error:
        if not is_refusal(error):
            raise
        value = "missing" if error.status == _MISSING else "refused"
        value = "no JSON" if said_of(error) == "no JSON" else value
        return Answer(value, said_of(error), "discover_attributes: false, if it stays so")
    listed = answer.get("list") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return Answer("another shape", f"the answer is {_shape(answer)}")
    known = list(definitions(listed))
    if not known:
        return Answer("empty", "a list without any attribute")
    return Answer("named", f"{len(known)} attributes")


def owner_types(service: ProbedService) -> Answer:
    """Look at the types of the attributes that hold an owner."""
    try:
        answer = service.definitions()
    except ApiError as error:
        return does_not_arise(f"attributes are not named: {said_of(error)}")
    listed = answer.get("list") if isinstance(answer, dict) else None
    known = definitions(listed if isinstance(listed, list) else ())
    types = [one.declared_type for one in known if one.api_name in _ROLES]
    if not types:
        return does_not_arise("no such attribute is named")
    return Answer(", ".join(sorted(set(types))), f"{len(types)} attributes")


def reference_lists(service: ProbedService) -> Answer:
    """Ask for each reference list and for the staff."""
    found = _lists(service)
    reached = [name for name, answer in found.items() if not isinstance(answer, ApiError)]
    others = [
        f"{name}: {said_of(answer)}"
        for name, answer in found.items()
        if isinstance(answer, ApiError)
    ]
    evidence = "; ".join([f"answered: {', '.join(reached) or 'none'}", *others])
    advice = "deselect those that are not answered" if others else ""
    missing = [name for name in found if name not in reached]
    return Answer(f"{len(reached)} of {len(found)}", evidence, advice, details=missing)


def _lists(service: ProbedService) -> dict[str, Any]:
    """Return what answers each list, or why it does not."""

    def fetch() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, path in REFERENCE_PATHS.items():
            found[name] = _tried(service, path)
        found["staff"] = _tried(service, STAFF_PATH, Query(count=1).form(team_id="-1"))
        return found

    return service.caller.once("lists", fetch)


def _tried(service: ProbedService, path: str, form: bytes | None = None) -> Any:
    """Return an answer, or the refusal of it."""
    try:
        return service.caller.get(path) if form is None else service.caller.post(path, form)
    except ApiError as error:
        if not is_refusal(error):
            raise
        return error


def reference_shape(service: ProbedService) -> Answer:
    """Look at the shapes of the reference lists."""
    shapes = {
        name: shape
        for name, answer in _lists(service).items()
        if name in REFERENCE_PATHS and not isinstance(answer, ApiError)
        if (shape := _shape(answer)) != EMPTY
    }
    if not shapes:
        return does_not_arise("no list with an entry was answered")
    evidence = ", ".join(f"{name} is {shape}" for name, shape in shapes.items())
    documented = {name: KEYED if name == _KEYED else LIST for name in shapes}
    if shapes == documented and len(shapes) > 1:
        return Answer("as documented", evidence)
    return Answer(" and ".join(sorted(set(shapes.values()))), evidence)


def _shape(answer: Any) -> str:
    if isinstance(answer, list):
        return LIST if answer else EMPTY
    if not isinstance(answer, dict):
        return type(answer).__name__
    values = list(answer.values())
    if len(values) == 1 and _holds_rows(values[0]):
        return NESTED
    return KEYED if values else EMPTY


def _holds_rows(value: Any) -> bool:
    if isinstance(value, list):
        return True
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(one, dict) for one in value.values())
    )


def reference_names(service: ProbedService) -> Answer:
    """Look at the spelling of keys in the reference lists."""
    keys = {
        key
        for name, answer in _lists(service).items()
        if name in REFERENCE_PATHS and not isinstance(answer, ApiError)
        for row in _rows(answer)
        for key in row
    }
    snake = sum("_" in key for key in keys)
    camel = sum(bool(_CAPITAL.search(key)) for key in keys)
    if not (snake or camel):
        return does_not_arise("no key of two words was seen")
    evidence = f"{snake} keys with underscores, {camel} with capitals"
    if snake and camel:
        return Answer("both", evidence)
    return Answer("underscores" if snake else "capitals", evidence)


def _rows(answer: Any) -> Iterable[Mapping[str, Any]]:
    """Yield the entries of a list, in whichever shape it is."""
    values = answer if isinstance(answer, list) else list(answer.values())
    if len(values) == 1 and _shape(answer) == NESTED:
        yield from _rows(values[0])
        return
    yield from (row for row in values if isinstance(row, dict))


def scroll(service: ProbedService) -> Answer:
    """Begin to scroll through accounts."""
    try:
        answer = service.caller.post(SCROLL_PATH, Query().at(0, 1, None).form())
    except ApiError as error:
        if not is_refusal(error):
            raise
        return Answer("not there", said_of(error))
    rows = answer.get("accounts") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        return Answer("another shape", f"the answer is {_shape(answer)}")
    return Answer("there", f"{len(rows)} accounts came", "accounts_method: scroll is possible")


def touchpoints_list(service: ProbedService) -> Answer:
    """Ask for touchpoints without an id."""
    return _listed(_tried(service, "/api/v3/touchpoints/"))


def tasks_list(service: ProbedService) -> Answer:
    """Ask for tasks without an id."""
    return _listed(_tried(service, "/api/v3/tasks"))


def _listed(answer: Any) -> Answer:
    if isinstance(answer, ApiError):
        return Answer("refused", said_of(answer))
    rows = list(_rows(answer)) if isinstance(answer, (list, dict)) else []
    return Answer("listed", f"{len(rows)} rows: {_shape(answer)}")


def collections(service: ProbedService) -> Answer:
    """Ask for rows of collections as the user interface does."""
    answer = _tried(service, _COLLECTIONS_PATH, Query().at(0, 1, None).form())
    if isinstance(answer, ApiError):
        return Answer("not there", said_of(answer))
    if isinstance(answer, list):
        return Answer("at the top", f"{len(answer)} rows")
    body = answer.get("response") if isinstance(answer, dict) else None
    rows = body.get("collections") if isinstance(body, dict) else None
    if isinstance(rows, list):
        return Answer("in the response", f"{len(rows)} rows")
    hits = rows.get("hits") if isinstance(rows, dict) else None
    if isinstance(hits, list):
        return Answer("among hits", f"{len(hits)} rows")
    return Answer("another shape", f"the answer is {_shape(answer)}")


def audit_year(service: ProbedService) -> Answer:
    """Ask the audit log for 31 December of last year, which ends on the first day of this one."""
    year = datetime.now(UTC).year
    path = f"/api/v2/audit?startDate={year - 1}-12-31&endDate={year}-01-01"
    answer = _tried(service, path)
    if not isinstance(answer, ApiError):
        rows = len(answer) if isinstance(answer, list) else 0
        return Answer("given", f"{rows} entries")
    if isinstance(answer, RefusedError) and answer.status in {200, _BAD_REQUEST}:
        return Answer("refused", said_of(answer))
    return Answer("no audit log", said_of(answer))


OF_ATTRIBUTES: Final = (
    Question("attributes", "Are attributes named?", 1, attributes),
    Question("owner_types", "Which type has an owner's attribute?", 0, owner_types),
)
QUESTIONS: Final = (
    Question("reference_lists", "Which reference lists are answered?", 6, reference_lists),
    Question("reference_shape", "Of which shape are they?", 0, reference_shape),
    Question("reference_names", "How are their keys spelt?", 0, reference_names),
    Question("scroll", "Is there a scroll endpoint?", 1, scroll),
    Question("audit_year", "Is 31 December in the audit log?", 1, audit_year),
    Question("collections", "Where are rows of collections?", 1, collections),
    Question("touchpoints_list", "Are touchpoints listed without an id?", 1, touchpoints_list),
    Question("tasks_list", "Are tasks listed without an id?", 1, tasks_list),
)
