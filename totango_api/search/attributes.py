"""Reads attribute definitions: what a service calls its columns, and of which type they are.

Facts: `GET /api/v1/attributes.json` is what Totango's own Zendesk app reads (undocumented);
core attributes from "System and core attributes" and "HTTP API Quick Reference".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import ResponseError
from totango_api.search.endpoint import ACCOUNTS, USERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from totango_api.http import ApiClient
    from totango_api.search.query import FieldSpec

ATTRIBUTES_PATH: Final = "/api/v1/attributes.json"
DISCOVERY_SECONDS: Final = 60.0
"""How long the call is retried: it is undocumented, and may be answered by anything."""

_ENDPOINT: Final = f"GET {ATTRIBUTES_PATH}"

TEXT: Final = "text"
NUMBER: Final = "number"
DATE: Final = "date"
DAY: Final = "day"
LIST: Final = "list"
LIFECYCLE: Final = "lifecycle"
TAG: Final = "tag"

_KINDS: Final = {
    "text": TEXT,
    "string": TEXT,
    "date": DATE,
    "datetime": DATE,
    "timestamp": DATE,
    "simple_date": DAY,
    "currency": NUMBER,
    "numeric": NUMBER,
    "number": NUMBER,
    "integer": NUMBER,
    "decimal": NUMBER,
    "percent": NUMBER,
    "percentage": NUMBER,
    "list": LIST,
    "multi_list": LIST,
    "multi_select": LIST,
    "lifecycle": LIFECYCLE,
    "tag": TAG,
    "tags": TAG,
}

_FIELD_TYPES: Final = {
    TEXT: "string_attribute",
    NUMBER: "number_attribute",
    # Not `simple_date_attribute`: that one may cut the time of day.
    DATE: "date_attribute",
    DAY: "simple_date_attribute",
    LIST: "list_attribute",
    LIFECYCLE: "lifecycle_attribute",
}

_OPTIONS: Final = ("options", "values", "list_values", "listValues", "allowed_values", "stages")
_NAMES: Final = ("value", "name", "label", "display_name", "displayName")
"""*Inferred*: no source shows how a definition lists the options of a list, nor that it does."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of accounts or users.

    Attributes:
        object: `accounts` or `users`.
        api_name: What searches and tracking calls call it; case-sensitive.
        kind: One of the constants of this module; `text` when the service names another.
        declared_type: The type in the service's own words; empty for core attributes.
        display_name: What Totango's screens show, if the service says.
        definition: The whole definition, as the service gives it.
    """

    object: str
    api_name: str
    kind: str
    declared_type: str = ""
    display_name: str | None = None
    definition: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def options(self) -> tuple[str, ...]:
        """The values that it takes, where its definition lists them."""
        kept = self.definition.get("_extra")  # where tap-totango wrote the definition
        for holder in (self.definition, kept if isinstance(kept, dict) else {}):
            for key in _OPTIONS:
                if isinstance(listed := holder.get(key), list):
                    return tuple(dict.fromkeys(name for one in listed for name in _names_of(one)))
        return ()

    @property
    def searchable(self) -> bool:
        """Whether a search field for it is known: for tags none is."""
        return self.kind in _FIELD_TYPES

    @property
    def search_field(self) -> FieldSpec:
        """The search field that returns its value."""
        return {"type": _FIELD_TYPES.get(self.kind, "string_attribute"), "attribute": self.api_name}


def _core(stream: str, kind: str, *names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(stream, name, kind) for name in names)


CORE_ATTRIBUTES: Final[dict[str, tuple[Attribute, ...]]] = {
    ACCOUNTS: (
        *_core(
            ACCOUNTS,
            TEXT,
            "Account Type",
            "Company Domain",
            "Company Size",
            "Customer Journey Stage",
            "Plan",
            "Sales Manager",
            "Status",
            "Success Manager",
        ),
        *_core(ACCOUNTS, NUMBER, "Contract Value", "Licenses"),
        *_core(
            ACCOUNTS,
            DATE,
            "Cancellation Date",
            "Contract Renewal Date",
            "Contract Start Date",
            "Create Date",
            "Last Contract Value Change Date",
        ),
        *_core(ACCOUNTS, TEXT, "ofid", "parent_id", "product_id"),
    ),
    USERS: _core(USERS, TEXT, "Contact", "Email", "First Name", "Key Contact", "Last Name", "ofid"),
}
"""What every service has, or may have: used when definitions cannot be read."""


def discover(client: ApiClient, *, seconds: float = DISCOVERY_SECONDS) -> list[Attribute]:
    """Ask the service for its attribute definitions: one call.

    Definitions that do not say whose they are belong to accounts, as in the only client seen.

    Args:
        client: Calls the service.
        seconds: How long the call is retried.

    Raises:
        ApiError: If the service refuses, or answers in another shape.
    """
    decoded = client.api("GET", ATTRIBUTES_PATH, max_retry_seconds=seconds)
    listed = decoded.get("list") if isinstance(decoded, dict) else None
    if not isinstance(listed, list):
        raise ResponseError(_ENDPOINT, reason="the response holds no list of attributes")
    found = {(attribute.object, attribute.api_name): attribute for attribute in definitions(listed)}
    if listed and not found:
        raise ResponseError(_ENDPOINT, reason="no entry of the list names a key_name")
    return list(found.values())


def definitions(listed: Iterable[Any]) -> Iterable[Attribute]:
    """Yield the attributes that entries define, as the service or `tap-totango` writes them."""
    for entry in listed:
        if not isinstance(entry, dict):
            continue
        name = entry.get("key_name") or entry.get("api_name")
        if not isinstance(name, str) or not name:
            continue
        declared = entry.get("type")
        declared = declared if isinstance(declared, str) else ""
        display = entry.get("display_name")
        yield Attribute(
            object=_object_of(entry),
            api_name=name,
            kind=_KINDS.get(declared.lower(), TEXT),
            declared_type=declared,
            display_name=display if isinstance(display, str) else None,
            definition=entry,
        )


def _names_of(option: Any) -> list[str]:
    """Return the names of an option: a text, or an object that has one or more."""
    named = [option.get(name) for name in _NAMES] if isinstance(option, dict) else [option]
    return [name for name in named if isinstance(name, str) and name]


def _object_of(entry: dict[str, Any]) -> str:
    said = str(entry.get("object") or entry.get("entity") or entry.get("object_type") or "")
    return USERS if said.lower() in {"user", "users", "end_user"} else ACCOUNTS
