"""Where the value of a named term, field or attribute is kept."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from totango_sandbox.storage.store import Store
    from totango_sandbox.storage.table import Column, Table

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


def role_columns(store: Store, role: str | None = None) -> list[Column]:
    """Return columns that hold the names of account owners."""
    names = ROLES if role is None else (role,)
    found = [store.accounts.attributes.get(name) for name in names]
    return [column for column in found if column is not None]


@lru_cache(maxsize=4096)
def owner_mail(name: str) -> str:
    """Return the mail address that the sandbox gives a Totango user of this name."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return ".".join(words) + "@sandbox.example"


def made_up(text: object, salt: str) -> int:
    """Return a number that looks random but is always the same for the same row and purpose."""
    return zlib.crc32(f"{salt}\n{text}".encode())
