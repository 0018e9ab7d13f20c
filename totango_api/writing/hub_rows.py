"""Rows of the Integration Hub, batches of them, and the result of each row."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

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


class HubRow(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One row, as its endpoint takes it: what is None is not sent. That of a user is *inferred*.

    Attributes:
        id: Of an account, a user or an item.
        account_id: Whose account anything but an account belongs to.
        attributes: All text: no source shows another type accepted.
        user_id: Who acted.
        module: Where.
        activity: What was done.
    """

    id: str | None = None
    account_id: str | None = None
    attributes: Mapping[str, str] | None = None
    user_id: str | None = None
    module: str | None = None
    activity: str | None = None

    def encoded(self) -> bytes:
        """Return the row as JSON.

        Raises:
            ValueError: If it holds what UTF-8 cannot express.
        """
        return _encode(self)


class HubBatch:
    """Rows of one object, encoded together in the thread that makes it.

    Args:
        surface_object: What the rows are.
        rows: Rows of that object.
        collection_type: The collection that the rows belong to.

    Attributes:
        body: All rows encoded; None if one of them cannot be.
    """

    def __init__(
        self,
        surface_object: HubObject,
        rows: Sequence[HubRow],
        collection_type: str | None = None,
    ) -> None:
        self.object = surface_object
        self.rows = rows
        self.collection_type = collection_type
        self.body: bytes | None = None
        with suppress(TypeError, ValueError, msgspec.MsgspecError):
            self.body = _encode({LISTS[surface_object]: rows})

    def encoded(self, places: Sequence[int]) -> bytes:
        """Return a body with the rows at these places."""
        if self.body is not None and len(places) == len(self.rows):
            return self.body
        rows = b",".join([self.rows[at].encoded() for at in places])
        return b'{"%s":[%s]}' % (LISTS[self.object].encode(), rows)


@dataclass(frozen=True)
class RowAccepted:
    """The row was taken."""


@dataclass(frozen=True)
class RowRefused:
    """The row was not taken.

    Attributes:
        reason: The server's, scrubbed and cut, or ours.
        status: HTTP status; None when no call was answered.
    """

    reason: str
    status: int | None = None


@dataclass(frozen=True)
class RowUncertain:
    """Nobody can tell whether the row was taken: the call may have been carried out.

    Attributes:
        reason: The server's words, scrubbed and cut.
        is_answered: Whether there was a response, though no receipt.
        is_about_row: Whether only this row was answered so: others like it were taken.
        status: HTTP status of the response; None when there was none.
    """

    reason: str
    is_answered: bool = False
    is_about_row: bool = False
    status: int | None = None


HubRowResult = RowAccepted | RowRefused | RowUncertain


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
