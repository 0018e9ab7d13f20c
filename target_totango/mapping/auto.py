"""What a stream is about and what its fields are called in Totango, when no mapping says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from target_totango.models import ACCOUNTS, ACTIVITIES, COLLECTIONS, OBJECTS, REJECT_FIELD, USERS
from totango_api.names import snake
from totango_api.search.attributes import CORE_ATTRIBUTES, Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

COMPUTED: Final = frozenset(
    {"last_activity_time", "first_activity_time", "is_online", "health", "score", "_extra"}
)
"""Columns of tap-totango that Totango works out itself and nobody can write."""

_COMPUTED_PREFIXES: Final = ("health_", "_sdc_")

_SPELLINGS: Final = {
    "account_id": ("account_id",),
    "user_id": ("user_id",),
    "email": ("email",),
    "activity": ("activity",),
    "module": ("module",),
    "collection_type": ("collection_type",),
    "collection_id": ("collection_id",),
    "account_name": ("account_name",),
    "user_name": ("user_name",),
    "parent_id": ("parent_id",),
    "product_id": ("product_id",),
    "ofid": ("ofid",),
}


def is_computed(name: str, schema: Mapping[str, Any]) -> bool:
    """Tell whether a field is one that cannot be written."""
    if name in COMPUTED or name.startswith(_COMPUTED_PREFIXES):
        return True
    return bool(schema.get("readOnly"))


def find_field(meaning: str, fields: Iterable[str]) -> str | None:
    """Return the field that has a meaning such as `account_id`: exactly, else by snake form."""
    names = list(fields)
    if meaning in names:
        return meaning
    alike = [name for name in names if snake(name) in _SPELLINGS[meaning]]
    return alike[0] if len(alike) == 1 else None


def recognise(stream: str, fields: Collection[str], keys: Sequence[str]) -> str | None:
    """Return what a stream is about, by its name or else by its columns; None if by neither.

    A prefix that a tap puts before the name does not matter: `crm-accounts`, `public-users`.

    Args:
        stream: Its name.
        fields: Its columns.
        keys: Its key properties.
    """
    name = re.split(r"[-.:/]", stream)[-1].lower()
    if name in OBJECTS:
        return name
    has = {meaning for meaning in _SPELLINGS if find_field(meaning, fields)}
    if "account_id" not in has:
        return None
    if {"collection_type", "collection_id"} <= has:
        return COLLECTIONS
    if {"activity", "module"} <= has and has & {"user_id", "email"}:
        return ACTIVITIES
    if "user_id" in has:
        return USERS
    if "email" not in has:
        return ACCOUNTS
    # Companies have an e-mail address as well, so only the key tells.
    keyed = {snake(key) for key in keys}
    if keyed == {"account_id"}:
        return ACCOUNTS
    return USERS if "email" in keyed else None


@dataclass
class KnownAttributes:
    """The attributes that a service has: its own definitions, and the core ones.

    Attributes:
        defined: Whether the service's definitions were read, so that a name which is not
            among them is new.
    """

    defined: bool = False
    _by_name: dict[str, dict[str, Attribute]] = field(default_factory=dict)

    @classmethod
    def of(cls, defined: Iterable[Attribute] | None = None) -> KnownAttributes:
        """Join definitions with the core attributes; definitions win.

        Args:
            defined: What the service says; None when it was not asked.
        """
        by_name: dict[str, dict[str, Attribute]] = {ACCOUNTS: {}, USERS: {}}
        for core in CORE_ATTRIBUTES.values():
            for attribute in core:
                by_name[attribute.object][attribute.api_name] = attribute
        for attribute in defined or ():
            by_name.setdefault(attribute.object, {})[attribute.api_name] = attribute
        return cls(defined is not None, by_name)

    def definitions(self) -> list[Attribute]:
        """Return every attribute that is known."""
        return [attribute for named in self._by_name.values() for attribute in named.values()]

    def get(self, object_: str, api_name: str) -> Attribute | None:
        """Return an attribute by its exact API name."""
        return self._by_name.get(object_, {}).get(api_name)

    def api_name_for(self, object_: str, column: str, title: str | None) -> str:
        """Return the API name for a field.

        tap-totango puts the API name into a column's title, so a title that the column's name
        was made of comes first; then the exact name, then the only one with the same snake
        form; else the field is a new attribute.
        """
        if title and re.fullmatch(re.escape(snake(title)) + r"(_\d+)?", column):
            return title
        known = self._by_name.get(object_, {})
        if column in known:
            return column
        alike = [name for name in known if snake(name) == snake(column)]
        return alike[0] if len(alike) == 1 else column


def attribute_fields(fields: Mapping[str, Any], taken: Collection[str]) -> list[str]:
    """Return the fields that become attributes when unmapped ones are included."""
    reserved = {"account_id", "user_id", REJECT_FIELD, *taken}
    return [
        name
        for name, schema in fields.items()
        if name not in reserved
        and not is_computed(name, schema if isinstance(schema, dict) else {})
    ]
