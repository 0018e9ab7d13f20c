"""The ways out: rows go in, outcomes come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_totango.models import ACCOUNTS, Row, WriteRequest
from totango_api.writing.tracking import TrackingCall

if TYPE_CHECKING:
    from collections.abc import Hashable


class Destination(Protocol):
    """A way out."""

    @property
    def unfinished(self) -> int:
        """Rows put in whose outcome is not known yet."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or an outcome not handed on yet."""

    def put(self, row: Row) -> None:
        """Take a row; its outcome is handed on later, in this thread."""

    def collect(self) -> None:
        """Hand on the outcomes that are known, without waiting."""

    def drain(self, *, until: float | None = None) -> bool:
        """Hand on every outcome; return False if `until` came first."""

    def cancel(self) -> None:
        """Start nothing new."""

    def close(self) -> None:
        """End the threads and connections."""


def written(row: Row) -> WriteRequest:
    """Return the write of a row that has passed its checks."""
    if row.write is None:
        msg = "a row without a write was sent on"
        raise AssertionError(msg)
    return row.write


def call_of(write: WriteRequest) -> TrackingCall:
    """Return the tracking call for a write."""
    parts = write.parts
    return TrackingCall(
        write.account_id,
        write.user_id,
        write.account,
        write.user,
        parts.get("activity"),
        parts.get("module"),
    )


def keys_of(write: WriteRequest, says_new: bool = True) -> tuple[list[Hashable], list[Hashable]]:
    """Return which keys a write changes, and which it must come after.

    Everything comes after its account, and what a user did with what is said about the user. Users
    of one account do not wait for each other, unless they say something new about the account.
    """
    account: Hashable = (ACCOUNTS, write.account_id)
    key: Hashable = write.key if write.user_id is None else write.subject
    if key == account:
        return [account], []
    return [key, account] if write.account and says_new else [key], [account]
