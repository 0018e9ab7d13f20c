"""Holds the attribute definitions of a service: its own, the core ones, or those of a file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_totango.models import ACCOUNTS, USERS
from target_totango.objects import OBJECTS
from totango_api.errors import SettingsError
from totango_api.search import CORE_ATTRIBUTES, Attribute, definitions
from totango_api.text import snake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_REMEDY = "Write it with tap-totango, stream attributes: its messages, or one record a line."


@dataclass
class KnownAttributes:
    """The attributes that a service has: its own definitions, and the core ones.

    Attributes:
        listed: Objects whose definitions were read, so that a name which is not among them is new.
    """

    listed: frozenset[str] = frozenset()
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
        # The only list that anybody has seen names attributes of accounts, and none of users.
        listed = set() if defined is None else {ACCOUNTS}
        for attribute in defined or ():
            listed.add(attribute.object)
            by_name.setdefault(attribute.object, {})[attribute.api_name] = attribute
        return cls(frozenset(listed), by_name)

    def definitions(self) -> list[Attribute]:
        """Return every attribute that is known."""
        return [attribute for named in self._by_name.values() for attribute in named.values()]

    def get(self, object_: str, api_name: str) -> Attribute | None:
        """Return an attribute by its exact API name."""
        return self._by_name.get(object_, {}).get(api_name)

    def is_unknown(self, object_: str, api_name: str) -> bool:
        """Return whether an attribute is neither known nor one that every service has."""
        built_in = {attribute.api_name for attribute in OBJECTS[object_].named}
        return api_name not in built_in and self.get(object_, api_name) is None

    def is_new(self, object_: str, api_name: str) -> bool:
        """Return whether the service's definitions lack an attribute."""
        return object_ in self.listed and self.is_unknown(object_, api_name)

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


def read_attributes(path: str) -> list[Attribute]:
    """Return the definitions in a file.

    Args:
        path: What `tap-totango` writes of its stream `attributes`: Singer messages, JSON lines of
            records, or a JSON list; also what Totango itself answers.

    Raises:
        SettingsError: If it cannot be read or holds none.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        found = list(definitions(_entries(text)))
    except (OSError, ValueError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "it is neither JSON nor JSON lines"
        )
        msg = f"attributes_path {path} cannot be read: {reason}."
        raise SettingsError(msg, remedy=_REMEDY) from None
    if not found:
        msg = f"attributes_path {path} holds no attribute with an api_name."
        raise SettingsError(msg, remedy=_REMEDY)
    return found


def _entries(text: str) -> Iterator[Any]:
    """Yield the entries of a file that may be definitions.

    Raises:
        ValueError: If the text is neither JSON nor JSON lines.
    """
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    for document in documents:
        if isinstance(document, list):
            yield from document
        elif isinstance(document, dict) and isinstance(document.get("list"), list):
            yield from document["list"]
        elif isinstance(document, dict) and isinstance(document.get("record"), dict):
            yield document["record"]
        else:
            yield document
