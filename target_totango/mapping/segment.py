"""The preset `segment`: group, identify, track and page calls, as Segment writes them.

What becomes of them follows Segment's own Totango destination: a group is an account with its
traits, an identify a user, a track an activity whose category is the module, and a page that
has a name the activity "Viewed Docs Index Page". Every call needs `context.groupId`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import expressions
from target_totango.mapping.auto import recognise
from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.config import MappingConfig
from target_totango.mapping.sources import Source
from target_totango.models import ACCOUNTS, ACTIVITIES, USERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_totango.mapping.auto import KnownAttributes
    from target_totango.mapping.stream_mapping import StreamMapping

GROUP: Final = "group"
IDENTIFY: Final = "identify"
TRACK: Final = "track"
PAGE: Final = "page"

DEFAULT_PLAN: Final = "Free"
DEFAULT_MODULE: Final = "Segment"
"""Totango asks for a module, and a track call need not have a category."""

_CALLS: Final = {
    "group": GROUP,
    "groups": GROUP,
    "identify": IDENTIFY,
    "identifies": IDENTIFY,
    "track": TRACK,
    "tracks": TRACK,
    "page": PAGE,
    "pages": PAGE,
}
_OBJECTS: Final = {GROUP: ACCOUNTS, IDENTIFY: USERS, TRACK: ACTIVITIES, PAGE: ACTIVITIES}
_GROUP_IDS: Final = (
    "context.groupId",
    "groupId",
    "context.group_id",
    "group_id",
    "context_group_id",
)
_USER_IDS: Final = ("userId", "user_id")
_RENAMED: Final = {
    "created": "Create Date",
    "createdAt": "Create Date",
    "created_at": "Create Date",
    "plan": "Plan",
    "email": "Email",
    "firstName": "First Name",
    "first_name": "First Name",
    "lastName": "Last Name",
    "last_name": "Last Name",
}
_LEFT_OUT: Final = frozenset({"id", "userId", "groupId"})

_ACCOUNT: Final = "context.groupId"
_USER: Final = "userId"


class Segment:
    """Turns Segment calls into rows. Mappings are compiled once for each set of traits.

    Args:
        known: The service's attributes.
        delivery: `tracking` or `hub`.
    """

    def __init__(self, known: KnownAttributes, delivery: str) -> None:
        self._known = known
        self._delivery = delivery
        self._mappings: dict[tuple[str, ...], StreamMapping] = {}

    def knows(self, stream: str, fields: Mapping[str, Any]) -> bool:
        """Tell whether a stream holds Segment calls: by its name, or by a field `type`."""
        by_name = recognise(stream, (), ()) is not None
        return call_of_stream(stream) is not None or ("type" in fields and not by_name)

    def route(
        self, stream: str, record: Mapping[str, Any]
    ) -> tuple[StreamMapping, dict[str, Any]] | None:
        """Return what becomes of a call, as a flat record; None for one that says nothing.

        That is a page without a name, or a type of call that Totango has no place for.
        """
        call = call_of_stream(stream) or _CALLS.get(str(record.get("type", "")).lower())
        if call is None:
            return None
        flat = _flat(call, record)
        if flat is None:
            return None
        key = (stream, call, *sorted(flat))
        if key not in self._mappings:
            self._mappings[key] = self._compiled(stream, call, flat)
        return self._mappings[key], flat

    def _compiled(self, stream: str, call: str, flat: Mapping[str, Any]) -> StreamMapping:
        sources = {"account_id": Source(expressions.field(_ACCOUNT))}
        if call != GROUP:
            sources["user_id"] = Source(expressions.field(_USER))
        spec = MappingConfig(stream=stream, sources=sources, delivery=self._delivery)
        return compile_mapping(
            spec,
            object_=_OBJECTS[call],
            stream=stream,
            schema={"properties": {name: {} for name in (_ACCOUNT, _USER, *flat)}},
            known=self._known,
        )


def call_of_stream(stream: str) -> str | None:
    """Return the kind of call that a stream's name says."""
    return _CALLS.get(re.split(r"[-.:/]", stream)[-1].lower())


def _flat(call: str, record: Mapping[str, Any]) -> dict[str, Any] | None:
    flat = {_ACCOUNT: _first(record, *_GROUP_IDS)}
    if call != GROUP:
        flat[_USER] = _first(record, *_USER_IDS)
    if call == GROUP:
        traits = _traits(record)
        name = traits.pop("name", None)
        return {**flat, "Plan": DEFAULT_PLAN, "account_name": name, **traits}
    if call == IDENTIFY:
        traits = _traits(record)
        name = traits.pop("name", None)
        return {**flat, "user_name": name, **traits}
    if call == TRACK:
        module = _first(record, "properties.category", "category") or DEFAULT_MODULE
        return {**flat, "activity": _first(record, "event", "event_text"), "module": module}
    return _page(record, flat)


def _page(record: Mapping[str, Any], flat: dict[str, Any]) -> dict[str, Any] | None:
    name = _first(record, "name", "properties.name")
    category = _first(record, "category", "properties.category")
    words = [str(word) for word in (category, name) if word]
    if not words:
        return None
    activity = f"Viewed {' '.join(words)} Page"
    return {**flat, "activity": activity, "module": category or DEFAULT_MODULE}


def _traits(record: Mapping[str, Any]) -> dict[str, Any]:
    traits = record.get("traits")
    if not isinstance(traits, dict):
        return {}
    named = {_RENAMED.get(str(name), str(name)): value for name, value in traits.items()}
    return {name: value for name, value in named.items() if name not in _LEFT_OUT}


def _first(record: Mapping[str, Any], *paths: str) -> Any:
    for path in paths:
        value = expressions.path(path).read(record)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return value
    return None
