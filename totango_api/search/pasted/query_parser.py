"""Queries as Totango users have them: what "Generate the API endpoint" gives, in any wrapping.

Facts: "FAQ on generated endpoints"; the form fields of "Search API". What is not certainly a query
is refused: read as one, it would select everything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import QueryError
from totango_api.redaction import scrub
from totango_api.search.pasted.json_text import json_in, without_quotes
from totango_api.search.pasted.paste import read_paste
from totango_api.search.pasted.payload import PasteError, Payload, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from totango_api.search.query import FieldSpec, Term

_PAGING: Final = {"count", "offset", "sort_by", "sort_order"}
"""Keys that are the reader's own business."""

_KEYS: Final = {"terms", "fields", "parent_account_fields", "scope", *_PAGING}
_TEAM: Final = ("team_id", "teams_id")
_FORM_KEYS: Final = {"query", "account_id", "date_term", *_TEAM}
_INNER_TERMS: Final = {"or": "or", "parent_account": "terms"}
_SHOWN: Final = 8

_PASTE_AGAIN: Final = (
    'Open the list in Totango, press "Generate the API endpoint", and paste all of it.'
)
_EXPECTED: Final = 'expected a query such as {"terms": [], "fields": []}'


@dataclass(frozen=True)
class PastedQuery:
    """What a user's query asks for.

    Attributes:
        terms: Filters, ANDed.
        fields: Columns.
        parent_account_fields: Columns of the account, for users.
        scope: Passed on as it is; None if the query has none.
        team_id: Form field of that name beside the query.
        account_id: Form field of that name beside the query: only for events.
    """

    terms: tuple[Term, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    parent_account_fields: tuple[FieldSpec, ...] = ()
    scope: str | None = None
    team_id: str | None = None
    account_id: str | None = None

    def summary(self) -> str:
        """Say which filters and columns it has: names and operators, no values."""
        filters = [_filter_name(term) for term in self.terms]
        columns = [_field_name(one) for one in (*self.fields, *self.parent_account_fields)]
        team = "" if self.team_id is None else f", team_id {self.team_id}"
        return (
            f"{_counted(filters, 'filter')}, "
            f"{_counted(columns, 'column') if columns else 'all columns'}{team}"
        )


def query_from(value: object, *, setting: str) -> PastedQuery:
    """Read a query from an object or from pasted text.

    Args:
        value: A JSON object; or text: JSON, a form, or a request that a browser or another program
            copied (:mod:`totango_api.search.pasted.paste`).
        setting: Name of the setting, for messages.

    Raises:
        QueryError: If it is not a query; the message says what was expected and what was found.
    """
    try:
        form = _form_in_text(str(value)) if isinstance(value, str) else _form_in(value)
        return _query_in(form, setting)
    except PasteError as error:
        msg = f"{setting}: {error}."
        raise QueryError(msg, remedy=_PASTE_AGAIN) from None


def _form_in_text(text: str) -> dict[str, Any]:
    if not (bare := without_quotes(text)):
        msg = "it is empty"
        raise PasteError(msg)
    return read_paste(bare, _form_of_payload)


def _form_of_payload(payload: Payload) -> dict[str, Any]:
    """Return the form fields of a request, with the query decoded."""
    fields = dict(fields_of(payload))
    if not (fields or payload.body):
        msg = "the request sends no data"
        raise PasteError(msg)
    if "query" not in fields:
        msg = f"{_EXPECTED}, found a request that sends {_names(fields) or 'nothing'}"
        raise PasteError(msg)
    form = _form_in(json_in(fields["query"]))
    return {**fields, **form}


def _form_in(value: object) -> dict[str, Any]:
    """Return a form whose field `query` is an object with terms.

    Raises:
        PasteError: If the value holds no query.
    """
    if not isinstance(value, dict) or not value:
        msg = f"{_EXPECTED}, found {_kind(value)}"
        raise PasteError(msg)
    if "terms" in value:
        return {"query": value}
    if "query" in value:
        query = value["query"]
        query = json_in(query) if isinstance(query, str) else query
        if isinstance(query, dict) and "terms" in query:
            return {**value, "query": query}
        return {**value, **_form_in(query)}
    if sent := _sent_by_har(value):
        return _form_of_payload(sent)
    msg = f"{_EXPECTED}, found an object with {_names(value)}{_guess(value)}"
    raise PasteError(msg)


def _sent_by_har(value: dict[str, Any]) -> Payload | None:
    """Return what a request out of a HAR file sends; None if it is none."""
    request = value["request"] if value.keys() == {"request"} else value
    posted = request.get("postData") if isinstance(request, dict) else None
    text = posted.get("text") if isinstance(posted, dict) else posted
    if isinstance(text, str) and text.strip():
        return Payload(body=text)
    if not isinstance(posted, dict):
        return None
    params = [one for one in posted.get("params") or [] if isinstance(one, dict)]
    return Payload(fields=tuple((str(one.get("name")), str(one.get("value"))) for one in params))


def _guess(value: dict[str, Any]) -> str:
    """Return what an object that is no query may be instead."""
    keys = value.keys()
    if keys & {"response", "status", "hits", "error", "_error"} and "request" not in keys:
        return ", as answers of the API have them"
    if keys & {"request", "log", "entries"}:
        return ", as HAR files have them: paste the request of the search alone"
    if "app_token" in keys:
        return ", as a whole configuration has them"
    return ""


def _query_in(form: dict[str, Any], setting: str) -> PastedQuery:
    body = form["query"]
    _refuse_unknown(form.keys() - _FORM_KEYS, "field of the form", setting)
    _refuse_unknown(body.keys() - _KEYS, "key of a query", setting)
    _check_date_term(form.get("date_term"), setting)
    scope, account_id = body.get("scope"), form.get("account_id")
    if scope is not None and not isinstance(scope, str):
        msg = f"{setting}: scope is not a text."
        raise QueryError(msg, remedy=_PASTE_AGAIN)
    if account_id is not None and setting != "events_query":
        msg = f"{setting}: account_id is a form field of searches for events only."
        raise QueryError(msg, remedy=_PASTE_AGAIN)
    team_id = next((form[name] for name in _TEAM if form.get(name) not in {None, ""}), None)
    return PastedQuery(
        terms=_objects(body, "terms", setting),
        fields=_objects(body, "fields", setting),
        parent_account_fields=_objects(body, "parent_account_fields", setting),
        scope=scope,
        team_id=None if team_id is None else str(team_id),
        account_id=None if account_id is None else str(account_id),
    )


def _refuse_unknown(names: Iterable[str], what: str, setting: str) -> None:
    """Refuse names that are not known: what they mean, and whether they select rows, is not.

    Raises:
        QueryError: If there are any.
    """
    if unknown := sorted(map(str, names)):
        msg = f"{setting}: {_names(unknown)} is no {what} that is known."
        known = ", ".join(sorted(_FORM_KEYS if "form" in what else _KEYS))
        raise QueryError(msg, remedy=f"Known are {known}. Remove the others if they do not matter.")


def _check_date_term(value: object, setting: str) -> None:
    """Refuse a form field `date_term` that asks for another day than today.

    Raises:
        QueryError: If it does.
    """
    term = json_in(value) if isinstance(value, str) else value
    if isinstance(term, dict) and term.get("eq") != 0:
        msg = f"{setting}: date_term asks for another day than today, which the tap cannot read."
        raise QueryError(msg, remedy="Remove date_term.")


def _objects(body: dict[str, Any], key: str, setting: str) -> tuple[dict[str, Any], ...]:
    """Return a list of typed objects.

    Raises:
        QueryError: If it is not one.
    """
    listed = body.get(key, [])
    if not isinstance(listed, list):
        msg = f"{setting}: {key} is not a list."
        raise QueryError(msg, remedy=_PASTE_AGAIN)
    for index, entry in enumerate(listed):
        place = f"{setting}: {key}[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            msg = f"{place} is not an object with a type."
            raise QueryError(msg, remedy=_PASTE_AGAIN)
        inner = _INNER_TERMS.get(entry["type"])
        if inner is not None and not _objects(entry, inner, place):
            msg = f"{place} is of type {entry['type']}, but holds no terms."
            raise QueryError(msg, remedy=_PASTE_AGAIN)
        if entry["type"].endswith("_attribute") and not isinstance(entry.get("attribute"), str):
            msg = f"{place} is of type {entry['type']}, but names no attribute."
            raise QueryError(msg, remedy=_PASTE_AGAIN)
    return tuple(listed)


def _filter_name(term: Term) -> str:
    named = {"type", "attribute", "term", "name", "query_term_id", "account_role"}
    operators = "/".join(sorted(map(str, term.keys() - named)))
    return f"{_field_name(term)} {operators}".rstrip()


def _field_name(field: FieldSpec) -> str:
    """Return what a field or a filter is about, else its type."""
    keys = ("attribute", "term", "name", "metric", "aggregation", "account_role", "type")
    return next(str(field[key]) for key in keys if field.get(key))


def _counted(names: list[str], what: str) -> str:
    plural = "" if len(names) == 1 else "s"
    return f"{len(names)} {what}{plural}" + (f" ({_names(names)})" if names else "")


def _names(names: Iterable[Any]) -> str:
    """Return names for a message: never more than a few, never long."""
    listed = [scrub(name)[:40] for name in names]
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an empty object"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "a number"
