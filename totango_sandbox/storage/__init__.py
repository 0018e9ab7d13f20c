"""Keeps accounts, users, events and collections in memory and in SQLite, and takes writes."""

from totango_sandbox.storage.attributes import (
    TYPES,
    Definition,
    guess_type,
    plain_number,
    stored_value,
)
from totango_sandbox.storage.columns import (
    ROLES,
    STATUS_GROUPS,
    UNKNOWN_STATUS,
    attribute_column,
    made_up,
    owner_mail,
    role_columns,
)
from totango_sandbox.storage.database import Database
from totango_sandbox.storage.serialization import all_rows, attribute_values, load, open_store
from totango_sandbox.storage.store import Store, Write
from totango_sandbox.storage.table import Column, Table

__all__ = [
    "ROLES",
    "STATUS_GROUPS",
    "TYPES",
    "UNKNOWN_STATUS",
    "Column",
    "Database",
    "Definition",
    "Store",
    "Table",
    "Write",
    "all_rows",
    "attribute_column",
    "attribute_values",
    "guess_type",
    "load",
    "made_up",
    "open_store",
    "owner_mail",
    "plain_number",
    "role_columns",
    "stored_value",
]
