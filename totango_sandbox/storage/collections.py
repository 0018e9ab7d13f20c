"""Rows of collections as a table, so that they can be searched as accounts are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_sandbox.storage.table import Table

if TYPE_CHECKING:
    from totango_sandbox.storage.documents import Document

KIND: Final = "collections"
_BASE: Final = (
    "account_row",
    "account_id",
    "collection_type",
    "id",
    "name",
    "display",
    "first_activity_time",
    "last_activity_time",
)


def collection_table(rows: dict[str, Document], accounts: Table) -> Table:
    """Return a table of all rows of all collections, in the order in which they were written."""
    table = Table(KIND, _BASE)
    table.reserve(len(rows))
    for key, document in rows.items():
        row = table.add(key)
        account_id = document.get("account_id")
        table.base["account_row"][row] = accounts.rows_by_key.get(account_id)
        table.base["account_id"][row] = account_id
        table.base["collection_type"][row] = document["collection_type"]
        table.base["id"][row] = document["id"]
        table.set_base(row, "display", document["id"])
        for name, value in (document.get("attributes") or {}).items():
            table.attribute_column(name)[row] = value
    return table
