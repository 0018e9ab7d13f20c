"""Makes rows of the Integration Hub, and batches of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HubObject = Literal["accounts", "users", "usage", "collections"]

LISTS: Final = {
    "accounts": "accounts",
    "users": "users",
    "usage": "usages",
    "collections": "collections",
}
"""The key that holds the rows of each object."""

ENVELOPE_BYTES: Final = len('{"collections":[]}')
_encode: Final = msgspec.json.Encoder().encode


class HubRow(msgspec.Struct, frozen=True):
    """One row, as its endpoint takes it.

    Attributes:
        body: JSON-ready. Attribute values are text: no source shows another type accepted.
    """

    body: Mapping[str, Any]

    @classmethod
    def account(cls, account_id: str, attributes: Mapping[str, str]) -> HubRow:
        """Create or change an account."""
        return cls({"id": account_id, "attributes": attributes})

    @classmethod
    def user(cls, account_id: str, user_id: str, attributes: Mapping[str, str]) -> HubRow:
        """Create or change a user of an account (shape *inferred*)."""
        return cls({"id": user_id, "account_id": account_id, "attributes": attributes})

    @classmethod
    def activity(cls, account_id: str, user_id: str, module: str, activity: str) -> HubRow:
        """Add one activity."""
        return cls(
            {"account_id": account_id, "user_id": user_id, "module": module, "activity": activity}
        )

    @classmethod
    def item(cls, item_id: str, account_id: str, attributes: Mapping[str, str]) -> HubRow:
        """Create or change an item of a collection."""
        return cls({"id": item_id, "account_id": account_id, "attributes": attributes})

    def encoded(self) -> bytes:
        """Return the row as JSON.

        Raises:
            ValueError: If it holds what JSON or UTF-8 cannot express.
        """
        try:
            return _encode(self.body)
        except (TypeError, msgspec.MsgspecError) as error:
            raise ValueError(str(error)) from None


def batches(rows: Iterable[bytes], *, max_rows: int, max_bytes: int) -> Iterator[list[bytes]]:
    """Cut rows into batches, in order.

    Args:
        rows: Encoded rows.
        max_rows: Most rows of a batch.
        max_bytes: Most bytes of a request body. A row that is larger by itself comes alone.
    """
    batch: list[bytes] = []
    size = ENVELOPE_BYTES
    for row in rows:
        more = len(row) + 1
        if batch and (len(batch) >= max_rows or size + more > max_bytes):
            yield batch
            batch, size = [], ENVELOPE_BYTES
        batch.append(row)
        size += more
    if batch:
        yield batch


def encoded_whole(surface_object: HubObject, rows: Sequence[HubRow]) -> bytes | None:
    """Return the body of a request with all rows; None if one of them cannot be encoded."""
    try:
        return _encode({LISTS[surface_object]: [row.body for row in rows]})
    except (TypeError, ValueError, msgspec.MsgspecError):
        return None
