"""Keeps accounts, users, events and collections in memory and in SQLite, and takes writes."""

from totango_sandbox.storage.attributes import (
    ROLES,
    STATUS_GROUPS,
    TYPES,
    UNKNOWN_STATUS,
    Definition,
    attribute_column,
    dumped_value,
    guess_type,
    made_up,
    owner_mail,
    plain_number,
    role_columns,
    stored_value,
)
from totango_sandbox.storage.events import Event, account_of, note_event, task_event
from totango_sandbox.storage.serialization import (
    KINDS,
    all_rows,
    attribute_values,
    count_rows,
    load,
    open_store,
)
from totango_sandbox.storage.store import Store
from totango_sandbox.storage.table import MOVEMENT, Column, Table, read_stamp, stamp
from totango_sandbox.storage.writing import Write, apply_write, become_active

__all__ = [
    "KINDS",
    "MOVEMENT",
    "ROLES",
    "STATUS_GROUPS",
    "TYPES",
    "UNKNOWN_STATUS",
    "Column",
    "Definition",
    "Event",
    "Store",
    "Table",
    "Write",
    "account_of",
    "all_rows",
    "apply_write",
    "attribute_column",
    "attribute_values",
    "become_active",
    "count_rows",
    "dumped_value",
    "guess_type",
    "load",
    "made_up",
    "note_event",
    "open_store",
    "owner_mail",
    "plain_number",
    "read_stamp",
    "role_columns",
    "stamp",
    "stored_value",
    "task_event",
]
