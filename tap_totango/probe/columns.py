"""Questions about columns: which types are given, and how their values look.

All columns are asked for at once, with a second look at the first page of accounts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.column_search import ColumnValues, FoundColumns, find_refused
from tap_totango.probe.responses import named_in
from tap_totango.schema import KnownColumns, column_kind, computed_columns, fields_for, roles_of
from totango_api.errors import ApiError
from totango_api.probe import NOT_ASKED, Answer, Question, does_not_arise, status_text
from totango_api.reading import CREATE_DATE
from totango_api.search import ACCOUNTS, LIST
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_totango.probe.service import ProbedService
    from totango_api.search import FieldSpec

_MADE_UP: Final[FieldSpec] = {"type": "string_attribute", "attribute": "No such attribute"}
_DAY_ATTRIBUTE: Final[FieldSpec] = {"type": "simple_date_attribute", "attribute": CREATE_DATE}
_DAY_TERM: Final[FieldSpec] = {"type": "simple_date", "term": "simple_last_activity_time"}
_CREATED: Final[FieldSpec] = {"type": "date_attribute", "attribute": CREATE_DATE}
_CREATED_KIND: Final = column_kind(_CREATED)
_MADE_UP_KIND: Final = column_kind(_MADE_UP)
_DAY_KINDS: Final = tuple(column_kind(field) for field in (_DAY_ATTRIBUTE, _DAY_TERM))
_LISTED: Final = "a list attribute"
_DAY_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TIME_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def _computed() -> dict[str, FieldSpec]:
    """Return one field of each kind that the tap reads beside attributes."""
    roles = roles_of((), KnownColumns())
    fields = fields_for(computed_columns(ACCOUNTS, roles, ()))
    return {column_kind(field): field for field in fields if field["type"] != _MADE_UP["type"]}


def _columns(service: ProbedService) -> FoundColumns:
    """Find out about all columns that questions are about."""
    return service.caller.once("columns", lambda: _found(service))


def _found(service: ProbedService) -> FoundColumns:
    fields = {_CREATED_KIND: _CREATED}
    if (field := _list_field(service)) is not None:
        fields[_LISTED] = field
    fields |= zip(_DAY_KINDS, (_DAY_ATTRIBUTE, _DAY_TERM), strict=True)
    fields |= _computed()
    fields[_MADE_UP_KIND] = _MADE_UP
    types = {kind: str(field["type"]) for kind, field in fields.items()}

    refusal = ""

    def ask(kinds: Sequence[str]) -> ColumnValues | None:
        nonlocal refusal
        asked = _asked(service, {kind: fields[kind] for kind in kinds})
        refusal = asked if isinstance(asked, str) else refusal
        return None if isinstance(asked, str) else asked

    def named(kinds: Sequence[str]) -> list[str]:
        return named_in(refusal, {kind: fields[kind] for kind in kinds})

    found = find_refused(types, ask, service.caller.spare, named=named)
    if not found.values and service.refuses_all_teams():
        found = find_refused(types, ask, service.caller.spare, named=named)
    return found


def _asked(service: ProbedService, fields: dict[str, FieldSpec]) -> ColumnValues | str:
    """Return the values of columns on the first page; what was said where they are refused."""
    page = service.caller.tried(lambda: service.look_again(tuple(fields.values())))
    if isinstance(page, ApiError):
        return page.reason
    rows = [hit.get("selected_fields") for hit in page.hits]
    if not all(isinstance(row, list) and len(row) == len(fields) for row in rows):
        return ""
    return {kind: [row[at] for row in rows if row] for at, kind in enumerate(fields)}


def _list_field(service: ProbedService) -> FieldSpec | None:
    """Return the field of an attribute that may hold several choices, if one is known."""
    try:
        known = service.attributes()
    except ApiError:
        return None
    lists = [one for one in known if one.object == ACCOUNTS and one.kind == LIST]
    several = [one for one in lists if "multi" in one.declared_type.lower()]
    return next((one.search_field for one in (*several, *lists)), None)


def creation_dates(service: ProbedService) -> list[int]:
    """Return the dates at which some accounts were created."""
    found = _columns(service).values.get(_CREATED_KIND, ())
    return [one for one in found if isinstance(one, int) and not isinstance(one, bool)]


def columns(service: ProbedService) -> Answer:
    """Find the kinds of computed columns that are refused."""
    found, kinds = _columns(service), sorted(_computed())
    refused = [kind for kind in kinds if kind in found.refused]
    unknown = [kind for kind in kinds if kind in found.unknown]
    evidence = f"{len(kinds)} kinds of columns were asked for"
    if not (refused or unknown):
        return Answer("all given", evidence)
    evidence += f"; refused: {', '.join(refused) or 'not one for certain'}"
    if not unknown:
        return Answer(f"{len(refused)} refused", evidence, details=refused)
    evidence += f"; for lack of calls not known: {', '.join(unknown)}"
    advice = "raise --max-calls to know which"
    return Answer("some refused", evidence, advice, details=[*refused, *unknown])


def unknown_column(service: ProbedService) -> Answer:
    """Ask for an attribute that nobody defined."""
    found = _columns(service)
    if _MADE_UP_KIND in found.unknown:
        return Answer("?", "no call was left to tell it from other columns", state=NOT_ASKED)
    if _MADE_UP_KIND in found.refused:
        return Answer("refused", "an attribute that does not exist")
    rows = len(found.values[_MADE_UP_KIND])
    return Answer("null", f"an attribute that does not exist, of {counted(rows, 'row')}")


def simple_dates(service: ProbedService) -> Answer:
    """Look at the text of days."""
    found = _columns(service).values
    texts = [value for kind in _DAY_KINDS for value in found.get(kind, ()) if value is not None]
    if not texts:
        return does_not_arise("no day was seen")
    forms = sorted({_form(value) for value in texts})
    advice = "" if forms == ["day"] else "a date_attribute field where the time counts"
    return Answer(" and ".join(forms), counted(len(texts), "value"), advice)


def _form(value: Any) -> str:
    if not isinstance(value, str):
        return "number" if isinstance(value, (int, float)) else type(value).__name__
    if _DAY_TEXT.fullmatch(value):
        return "day"
    return "time" if _TIME_TEXT.fullmatch(value) else "other text"


def choices(service: ProbedService) -> Answer:
    """Look at the values of an attribute that may hold several choices."""
    found = _columns(service).values
    values = [one for one in found.get(_LISTED, ()) if one not in (None, "")]
    if not values:
        return does_not_arise("no attribute with choices is known, or none is filled")
    forms = sorted({"array" if isinstance(one, list) else "text" for one in values})
    return Answer(" and ".join(forms), counted(len(values), "value"))


def account_columns(service: ProbedService) -> Answer:
    """Look where a column of the account comes in the rows of users."""
    hits = service.users().hits
    if service.parent_error is not None:
        return Answer("refused", status_text(service.parent_error))
    if not hits:
        return does_not_arise("no users")
    places = sorted({_place(hit) for hit in hits})
    return Answer(" and ".join(places), counted(len(hits), "user"))


def _place(hit: dict[str, Any]) -> str:
    account = hit.get("account")
    if isinstance(account, dict) and _is_filled(account.get("selected_fields")):
        return "in the account"
    return "after the user's" if _is_filled(hit.get("selected_fields")) else "nowhere"


def _is_filled(values: Any) -> bool:
    return isinstance(values, list) and bool(values)


QUESTIONS: Final = (
    Question("columns", "Which computed columns are refused?", 1, columns),
    Question("unknown_column", "What has a column that nobody defined?", 0, unknown_column),
    Question("simple_dates", "How does a day look?", 0, simple_dates),
    Question("choices", "How do several choices look?", 0, choices),
)

OF_USERS: Final = (
    Question("account_columns", "Where are a user's columns of the account?", 1, account_columns),
)
