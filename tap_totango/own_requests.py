"""Reads the setting `streams`: requests of the user's own, each of which becomes a stream."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import SettingsError
from totango_api.reading import PageParameters, parameters_of
from totango_api.redaction import scrub
from totango_api.search import ACCOUNTS, USERS, PastedQuery, PastedRequest, query_from, request_from

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

SETTING: Final = "streams"
NO_PAGING: Final = "none"

_NAME: Final = re.compile(r"[A-Za-z_]\w{0,62}", re.ASCII)
_KEYS: Final = {"request", "key", "rows", "paging"}
_PAGING: Final = {"offset", "page", "count"}
_SEARCHES: Final = {f"/api/v1/search/{one}": one for one in (ACCOUNTS, USERS)}
_UNKNOWN: Final = PageParameters()
_NO_QUERY: Final = PastedQuery()
_EVENTS: Final = "/api/v2/events/search"


@dataclass(frozen=True)
class OwnRequest:
    """One entry of the setting.

    Attributes:
        name: Of the stream.
        request: What is asked, without host and token.
        key: Keys of a row that tell it apart, as the user names them.
        rows: Where the rows are in a response; None = where a list is found.
        parameters: How another page is asked for.
        searches: `accounts` or `users`, if the request is a search for them; else empty.
        query: What such a search selects.
    """

    name: str
    request: PastedRequest
    key: tuple[str, ...] = ()
    rows: str | None = None
    parameters: PageParameters = _UNKNOWN
    searches: str = ""
    query: PastedQuery = _NO_QUERY

    @property
    def setting(self) -> str:
        """The place of the entry, for messages."""
        return f"{SETTING}.{self.name}"


def own_requests(value: object, taken: Collection[str]) -> list[OwnRequest]:
    """Read the setting.

    Args:
        value: An object of requests by name, or a list of objects with `name` and `request`.
        taken: Names that are not to be had.

    Raises:
        SettingsError: If an entry cannot be used.
    """
    found: dict[str, OwnRequest] = {}
    for name, entry in _entries(value):
        if not _NAME.fullmatch(name):
            msg = f"{SETTING}: {scrub(name)[:40]!r} cannot be the name of a stream."
            raise SettingsError(msg, remedy="Use letters, digits and underscores.")
        if name.casefold() in {one.casefold() for one in (*taken, *found)}:
            msg = f"{SETTING}: there is a stream {name} already."
            raise SettingsError(msg, remedy="Choose another name.")
        found[name] = _own_request(name, entry)
    return list(found.values())


def _entries(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((str(name), entry) for name, entry in value.items())
        return
    if not isinstance(value, list | None):  # whose value may hold a token, and is not shown
        msg = f"{SETTING} is neither an object nor a list."
        raise SettingsError(msg, remedy="Give each request a name, such as {tasks: …}.")
    for entry in value or ():
        if not isinstance(entry, dict) or not entry.get("name"):
            msg = f"{SETTING}: an entry of the list names no stream."
            raise SettingsError(msg, remedy="Each is an object with name and request.")
        yield str(entry["name"]), {key: one for key, one in entry.items() if key != "name"}


def _own_request(name: str, entry: object) -> OwnRequest:
    setting = f"{SETTING}.{name}"
    is_described = isinstance(entry, dict) and "request" in entry
    described = entry if isinstance(entry, dict) and is_described else {"request": entry}
    if unknown := sorted(map(str, described.keys() - _KEYS)):
        msg = f"{setting}: {', '.join(unknown)} is nothing that is known."
        raise SettingsError(msg, remedy=f"Known are {', '.join(sorted(_KEYS))}.")
    request, rows = request_from(described["request"], setting=setting), described.get("rows")
    path = request.path.rstrip("/")
    if path == _EVENTS:
        msg = f"{setting}: searches for events are read by the stream events and its views."
        raise SettingsError(msg, remedy="Paste it into events_query.")
    searches = _SEARCHES.get(path, "") if request.search is not None else ""
    form = {**dict(request.form), "query": request.search}
    if searches and (described.keys() & {"key", "rows", "paging"}):
        msg = f"{setting}: key, rows and paging of searches for {searches} are known."
        raise SettingsError(msg, remedy="Leave them out.")
    return OwnRequest(
        name,
        request,
        key=_key_in(described.get("key"), setting),
        rows=None if rows is None else str(rows),
        parameters=_parameters_in(described.get("paging"), request, setting),
        searches=searches,
        query=query_from(form, setting=setting) if searches else _NO_QUERY,
    )


def _key_in(value: object, setting: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value or []
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        msg = f"{setting}: key is neither a name nor a list of names."
        raise SettingsError(msg)
    return tuple(names)


def _parameters_in(value: object, request: PastedRequest, setting: str) -> PageParameters:
    """Read `paging`: `none`, or an object with the names of parameters.

    Raises:
        SettingsError: If it is neither.
    """
    if value is None:
        return parameters_of(request)
    if value == NO_PAGING:
        return PageParameters(is_whole=True)
    if not isinstance(value, dict) or not _is_paging(value):
        msg = f"{setting}: paging is neither none nor an object that names offset or page."
        remedy = "Such as {offset: start, count: limit}, or {page: page, count: size}."
        raise SettingsError(msg, remedy=remedy)
    named = {key: str(one) for key, one in value.items()}
    if "page" in named and request.parameter(named["page"]) is None:
        msg = f"{setting}: the request does not send {named['page']}, so its first page is unknown."
        raise SettingsError(msg, remedy="Copy the request of the first page, with its number.")
    offset, page, count = (named.get(one, "") for one in ("offset", "page", "count"))
    return PageParameters(offset, page, count)


def _is_paging(value: Mapping[Any, Any]) -> bool:
    is_known = value.keys() <= _PAGING and len(value.keys() & {"offset", "page"}) == 1
    return is_known and all(isinstance(one, str) and one for one in value.values())
