"""Turns Segment's calls into rows, as Segment's own Totango destination does.

A group is an account with its traits, an identify a user, a track an activity whose category is the
module, and a page that has a name or category the activity "Viewed Docs Index Page". Every call
needs an account. Facts: "Totango Destination" on segment.com.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from target_totango.mapping.segment.calls import GROUP, IDENTIFY, PAGE, SCREEN, TRACK, Call
from target_totango.mapping.segment.mappings import (
    GROUP_ID_FIELD,
    RECORD,
    TIME,
    USER_ID_FIELD,
    GrowingMapping,
)
from target_totango.mapping.values.convert import to_text
from target_totango.models import ACCOUNTS, ACTIVITIES, USERS
from totango_api.text import snake
from totango_api.writing import attribute_name_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_totango.mapping.compiler.stream_mapping import StreamMapping
    from target_totango.mapping.config import MappingConfig
    from target_totango.mapping.known_attributes import KnownAttributes
    from target_totango.mapping.segment.calls import CallReader
    from target_totango.mapping.segment.options import SegmentOptions

logger = logging.getLogger("target-totango")

DEFAULT_MODULE: Final = "Segment"
"""Totango asks for a module, and a track call need not have a category."""

_OBJECTS: Final = {
    GROUP: ACCOUNTS,
    IDENTIFY: USERS,
    TRACK: ACTIVITIES,
    PAGE: ACTIVITIES,
    SCREEN: ACTIVITIES,
}
_CREATED: Final = "Create Date"
_RENAMED: Final = {
    ACCOUNTS: {
        **dict.fromkeys(("created", "created_at"), _CREATED),
        "name": "account_name",
        "plan": "Plan",
    },
    USERS: {
        **dict.fromkeys(("created", "created_at"), _CREATED),
        "name": "user_name",
        "email": "Email",
        "first_name": "First Name",
        "last_name": "Last Name",
    },
}
"""Traits by their snake form, and what Totango calls them."""

_NO_TRAITS: Final = frozenset({"id", "user_id", "group_id", "account_id"})


class GroupMemory(Protocol):
    """Remembers which group each user was last in."""

    def get(self, user_id: str) -> str | None:
        """Return a user's last known group."""

    def note(self, user_id: str, group_id: str) -> None:
        """Note that a user is in a group."""


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A call that is not written.

    Attributes:
        reason: Short and fixed: fit for counting and logs.
    """

    reason: str


class SegmentStream:
    """Turns the calls of one stream into rows.

    Args:
        name: The stream's name.
        reader: Reads its calls.
        configs: Its mappings, and the default.
        known: The service's attributes.
        options: What the settings say of the preset.
        groups: Which group each user was last in, where that is remembered.
    """

    def __init__(
        self,
        name: str,
        reader: CallReader,
        *,
        configs: Sequence[MappingConfig],
        known: KnownAttributes,
        options: SegmentOptions,
        groups: GroupMemory | None,
    ) -> None:
        self._name = name
        self._reader = reader
        self._known = known
        self._options = options
        self._groups = groups
        self._names: dict[tuple[str, str], str | None] = {}
        plan = {"Plan": options.default_plan} if options.default_plan else {}
        self._mappings = {
            object_: GrowingMapping(
                name,
                object_,
                _config(object_, configs),
                known,
                plan if object_ == ACCOUNTS else {},
            )
            for object_ in (ACCOUNTS, USERS, ACTIVITIES)
        }

    @property
    def object(self) -> str:
        """The object of its rows, as far as the stream tells."""
        return _OBJECTS.get(self._reader.kind or TRACK, ACTIVITIES)

    def rows(
        self, record: Mapping[str, Any]
    ) -> list[tuple[StreamMapping, dict[str, Any]]] | NotWritten:
        """Return the mappings for a record, each with the flat record that it reads.

        Raises:
            ConversionError: If the record is no call.
        """
        call = self._reader.read(record)
        if reason := self._reason_not_to_write(call):
            return NotWritten(reason)
        # What a mapping says of a trait holds whether it is a column or within traits.
        traits = {**call.user_traits, **call.traits, **record}
        about = {
            GROUP_ID_FIELD: self._account_of(call),
            USER_ID_FIELD: call.user_id,
            RECORD: traits,
        }
        return [
            (self._mappings[object_].of(flat, partial(self._unused, object_, record)), flat)
            for object_, fields in self._fields(call)
            for flat in [about | fields]
        ]

    def _unused(self, object_: str, record: Mapping[str, Any]) -> list[str]:
        """Return the fields of a record that are not written; all traits are."""
        return self._reader.unused(record) if object_ == ACTIVITIES else []

    def _reason_not_to_write(self, call: Call) -> str:
        """Return why a call is not written; empty if it is."""
        if not call.is_wanted:
            return "integrations keep it from Totango"
        if call.kind not in _OBJECTS:
            return "a kind of call that has no place in Totango"
        if call.kind != GROUP and call.user_id is None and self._options.skips_anonymous:
            return "a call without a user"
        if call.kind in {PAGE, SCREEN} and not self._page_name(call):
            return "a page that is not to be an activity"
        return ""

    def _page_name(self, call: Call) -> str:
        """Return the name of a page or screen; empty if it is not to be an activity."""
        category = to_text(call.category or "")
        if call.name and self._options.named_pages:
            return f"{category} {to_text(call.name)}".strip()
        return category if self._options.categorized_pages else ""

    def _account_of(self, call: Call) -> Any:
        """Return the account of a call: its group, or the last one of its user."""
        groups, user = self._groups, call.user_id
        if groups is None or user is None:
            return call.group_id
        if call.group_id is None:
            return groups.get(to_text(user))
        groups.note(to_text(user), to_text(call.group_id))
        return call.group_id

    def _fields(self, call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the fields of a call for each object, parents first."""
        if call.kind == GROUP:
            fields = self._named(ACCOUNTS, call.traits)
            for name in ("parent", "product"):
                value = call.options.get(name)
                if value := value.get("id") if isinstance(value, dict) else value:
                    fields[f"{name}_id"] = value
            yield ACCOUNTS, fields
        traits = dict(call.user_traits)
        if call.kind == IDENTIFY:
            traits |= {name: value for name, value in call.traits.items() if value is not None}
        if call.kind == IDENTIFY or (traits and call.user_id is not None):
            yield USERS, _with_name(self._named(USERS, traits))
        if call.kind in {TRACK, PAGE, SCREEN}:
            event = call.event
            if call.kind != TRACK:
                event = f"Viewed {self._page_name(call)} {call.kind.capitalize()}"
            fields = {"activity": event, "module": call.category or DEFAULT_MODULE}
            yield ACTIVITIES, fields if call.time is None else fields | {TIME: call.time}

    def _named(self, object_: str, traits: Mapping[str, Any]) -> dict[str, Any]:
        """Return traits by the names of their attributes; the first of a name that is not null."""
        fields: dict[str, Any] = {}
        for trait, value in traits.items():
            name = self._name_of(object_, trait)
            if name is not None and fields.get(name) is None:
                fields[name] = value
        return fields

    def _name_of(self, object_: str, trait: str) -> str | None:
        """Return the name of a trait's attribute; None if it cannot be one."""
        key = (object_, trait)
        if key in self._names:
            return self._names[key]
        name: str | None = _RENAMED[object_].get(snake(trait))
        if name is None and snake(trait) not in _NO_TRAITS:
            name = self._known.api_name_for(object_, trait, None)
        if name is not None and (problems := attribute_name_problems(name)):
            reason = problems[0].message
            logger.warning("Stream %r: trait %r is not written: %s.", self._name, trait, reason)
            name = None
        self._names[key] = name
        return name


def _with_name(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields of a user, with a name made of the first and last one if there is none."""
    words = [fields.get("First Name"), fields.get("Last Name")]
    if not fields.get("user_name") and all(isinstance(word, str) and word for word in words):
        fields["user_name"] = " ".join(map(str, words))
    return fields


def _config(object_: str, configs: Sequence[MappingConfig]) -> MappingConfig:
    """Return the mapping for an object; else the one without an object."""
    about = [config for config in configs if config.object == object_]
    return (about or [config for config in configs if config.object is None])[0]
