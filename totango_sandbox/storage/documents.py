"""JSON objects that are neither rows nor events: reference lists, tasks, rows of collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.storage.table import Table

if TYPE_CHECKING:
    from totango_sandbox.storage.database import Database


Document = dict[str, Any]

# Kind → what its documents are known by. Nothing: they are only ever listed.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "collections": ("collection_type", "id"),
    "touchpoint_types": ("id",),
    "touchpoint_tags": ("id",),
    "activity_types": ("activity_type_id",),
    "objective_statuses": ("id",),
    "objective_categories": ("id",),
    "teams": ("id",),
    "touchpoints": ("id",),
    "tasks": ("id",),
    "plans": ("account_id",),
    "jobs": ("id",),
    "audit": (),
}


class Documents:
    """Documents by kind and key. A key is the text of what they are known by.

    Attributes:
        highest: the highest number that was ever the id of a document, by kind.
        version: grows with every change.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._serial = 0
        self.highest: dict[str, int] = {}
        self.version = 0
        self._kept: dict[str, dict[str, Document]] = {kind: {} for kind in KEYS}

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def of(self, kind: str) -> dict[str, Document]:
        """Return all documents of a kind by key, oldest first."""
        return self._kept[kind]

    def put(self, kind: str, document: Document) -> None:
        """Add or replace one document.

        Raises:
            KeyError: the document lacks what its kind is known by.
        """
        names = KEYS[kind]
        self._serial += 1
        key = "\n".join(str(document[name]) for name in names) if names else str(self._serial)
        self._kept[kind][key] = document
        if len(names) == 1 and isinstance(number := document[names[0]], int):
            self.highest[kind] = max(number, self.highest.get(kind, number))
        self._database.mark(kind, key)
        self.version += 1

    def remove(self, kind: str, key: str) -> None:
        """Remove one document."""
        del self._kept[kind][key]
        self.version += 1
        self._database.mark(kind, key)

    def clear(self) -> None:
        """Remove all of them."""
        for kept in self._kept.values():
            kept.clear()
        self.highest.clear()
        self.version += 1


_COLLECTIONS: Final = "collections"
_COLLECTION_BASE: Final = (
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
    table = Table(_COLLECTIONS, _COLLECTION_BASE)
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
