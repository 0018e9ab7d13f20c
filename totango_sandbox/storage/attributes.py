"""Attributes: which API names exist, of which type, with which values, and where these are kept."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import InvalidValueError
from totango_sandbox.limits import ATTRIBUTE_NAME_MAX

if TYPE_CHECKING:
    from totango_sandbox.storage.table import Column, Table
    from totango_sandbox.switches import Switches


# Our word for a type → the word of /api/v1/attributes.json.
TYPES: Final = {
    "text": "text",
    "number": "numeric",
    "currency": "currency",
    "date": "date",
    "list": "list",
    "multi_list": "multi_list",
    "lifecycle": "lifecycle",
    "tag": "tag",
}
_ALIASES: Final = {"numeric": "number", "string": "text"}
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
# Only what no identifier or postcode would be written as: no leading zeros, no exponent.
_LOOKS_NUMERIC: Final = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute of accounts or of users."""

    key_name: str
    type: str
    object: str
    options: tuple[str, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """Return the row that dump shows and load takes."""
        row: dict[str, Any] = {
            "key_name": self.key_name,
            "type": self.type,
            "object": self.object,
        }
        if self.options:
            row["options"] = list(self.options)
        return row


@dataclass(slots=True)
class Definitions:
    """All attributes of each object: ``accounts``, ``users``, ``staff`` and ``collections``."""

    by_object: dict[str, dict[str, Definition]] = field(
        default_factory=lambda: {"accounts": {}, "users": {}, "staff": {}, "collections": {}}
    )

    def define(self, row: dict[str, Any]) -> Definition:
        """Add or replace one attribute.

        Args:
            row: ``key_name``, ``type``, ``object`` and, for lists, ``options``.

        Raises:
            ValueError: the type or the object does not exist.
        """
        type_name = str(row.get("type", "text")).lower()
        type_name = _ALIASES.get(type_name, type_name)
        kind = str(row.get("object", "accounts"))
        kind = {"account": "accounts", "user": "users"}.get(kind, kind)
        if type_name not in TYPES:
            msg = f"attribute type {type_name!r} is none of {', '.join(TYPES)}"
            raise ValueError(msg)
        if kind not in self.by_object:
            msg = f"attribute object {kind!r} is none of {', '.join(self.by_object)}"
            raise ValueError(msg)
        options = tuple(str(option) for option in row.get("options") or ())
        definition = Definition(str(row["key_name"]), type_name, kind, options)
        self.by_object[kind][definition.key_name] = definition
        return definition

    def rows(self) -> list[dict[str, Any]]:
        """Return every definition as a row."""
        return [one.as_row() for kind in self.by_object.values() for one in kind.values()]

    def clear(self) -> None:
        """Forget all of them."""
        for kind in self.by_object.values():
            kind.clear()

    def for_write(self, kind: str, name: str, value: str, switches: Switches) -> Definition:
        """Define an unknown attribute by the first value that is written to it, and return it.

        Raises:
            InvalidValueError: the name is too long, or unknown attributes are not created.
        """
        if len(name) > ATTRIBUTE_NAME_MAX:
            msg = f"attribute name is longer than {ATTRIBUTE_NAME_MAX} characters"
            raise InvalidValueError(msg)
        policy = switches.text("unknown_attributes")
        if policy == "drop":
            msg = "unknown attribute"
            raise InvalidValueError(msg)
        type_name = guess_type(value) if policy == "create" else "text"
        return self.define({"key_name": name, "type": type_name, "object": kind})


def guess_type(text: str) -> str:
    """Return the type that a first value suggests: number, date or text."""
    if _LOOKS_NUMERIC.fullmatch(text):
        return "number"
    return "date" if dates.parse(text) is not None else "text"


def stored_value(definition: Definition, text: str, longest: int, switches: Switches) -> Any:
    """Return the cell that a written text becomes.

    Args:
        definition: the attribute it is written to.
        text: as received.
        longest: most characters of a text of this object.
        switches: what becomes of texts that are longer, and of what is no option.

    Raises:
        InvalidValueError: the text is not a value of the attribute's type.
    """
    if definition.type in {"number", "currency"}:
        if _NUMBER.fullmatch(text) is None:
            msg = "not a number"
            raise InvalidValueError(msg)
        return plain_number(text)
    if definition.type == "date":
        moment = dates.parse(text)
        if moment is None:
            msg = "not an ISO 8601 date"
            raise InvalidValueError(msg)
        return moment
    if definition.options and switches.text("unknown_option") == "drop":
        _check_options(definition, text)
    over_limit = switches.text("over_limit")
    if len(text) > longest and over_limit != "keep":
        if over_limit == "drop":
            msg = f"text is longer than {longest} characters"
            raise InvalidValueError(msg)
        return text[:longest]
    return text


def _check_options(definition: Definition, text: str) -> None:
    """Check a choice, or several of them.

    Raises:
        InvalidValueError: one is no option.
    """
    if definition.type not in {"list", "lifecycle", "multi_list"}:
        return
    parts = text.split(",") if definition.type == "multi_list" else [text]
    if any(part.strip() not in definition.options for part in parts):
        msg = f"not an option of this {definition.type} attribute"
        raise InvalidValueError(msg)


def plain_number(text: str) -> int | float:
    """Return an int where that is exact, a float otherwise."""
    if text.lstrip("+-").isdigit():
        return int(text)
    return float(text)


def loaded_value(definition: Definition, value: Any) -> Any:
    """Return the cell for a loaded JSON value: itself, save that dates become milliseconds.

    Raises:
        TypeError: the value is an object.
    """
    if isinstance(value, dict):
        msg = f"attribute {definition.key_name!r} cannot hold an object"
        raise TypeError(msg)
    if definition.type == "date" and isinstance(value, str):
        moment = dates.parse(value)
        return value if moment is None else moment
    if isinstance(value, list):
        return ",".join(str(option) for option in value)
    return value


def dumped_value(definition: Definition | None, value: Any) -> Any:
    """Return the JSON value that stands for a cell: itself, save that dates become ISO text."""
    if definition is not None and definition.type == "date" and isinstance(value, int):
        return dates.shortest_text(value)
    return value


# Reserved API names that are no attributes of ours (Totango: System and core attributes).
_RESERVED: Final = {
    "accounts": {
        "account_id": "id",
        "account_name": "name",
        "parent_id": "parent_id",
        "product_id": "product_id",
    },
    "users": {"account_id": "account_id", "name": "name"},
    "staff": {},
    "collections": {"account_id": "account_id"},
}
# Totango: Contract statuses. Any other status counts as Unknown.
STATUS_GROUPS: Final = {"Paying": "paying", "Free": "free", "Canceled": "canceled"}
UNKNOWN_STATUS: Final = "unknown"
ROLES: Final = ("Success Manager", "Sales Manager")


def attribute_column(table: Table, name: str) -> Column | None:
    """Return the column of an attribute by API name, or None when nobody ever wrote it."""
    reserved = _RESERVED[table.kind].get(name)
    return table.base[reserved] if reserved else table.attributes.get(name)


def role_columns(accounts: Table, role: str | None = None) -> list[Column]:
    """Return columns that hold the names of account owners."""
    names = ROLES if role is None else (role,)
    found = [accounts.attributes.get(name) for name in names]
    return [column for column in found if column is not None]


@lru_cache(maxsize=4096)
def owner_mail(name: str) -> str:
    """Return the mail address that the sandbox gives a Totango user of this name."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return ".".join(words) + "@sandbox.example"


def made_up(text: object, salt: str) -> int:
    """Return a number that looks random but is always the same for the same row and purpose."""
    return zlib.crc32(f"{salt}\n{text}".encode())
