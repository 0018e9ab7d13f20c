"""Deleting users: off by default, counted before the first one goes, never by an empty stream."""

from __future__ import annotations

import logging
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from target_totango.delivery.results import outcome_of
from target_totango.models import USERS, Row
from totango_api.errors import ApiError, SettingsError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from target_totango.delivery.results import WriteResult

logger = logging.getLogger("target-totango")

User = tuple[str, str]
_PRIVATE: Final = 0o600


class TooManyDeletesError(TotangoError):
    """A run would delete more users than `max_deletes`, so it deletes none."""


class Deletes:
    """Collects users to delete until the input is read to its end.

    Only then is it known how many they are, and that none of them came back in a later row.

    Args:
        wanted: The setting `hard_delete`.
        most: The setting `max_deletes`.
        delete: Deletes one user; returns whether it was there.
    """

    def __init__(self, *, wanted: bool, most: int, delete: Callable[[User], bool]) -> None:
        self._wanted = wanted
        self._most = most
        self._delete = delete
        self._rows: dict[User, list[Row]] = {}
        self._absent: dict[User, str] = {}
        self._told: set[str] = set()

    @property
    def count(self) -> int:
        """How many users are to be deleted."""
        return len(self._rows.keys() | self._absent.keys())

    def going(self) -> list[tuple[str, User]]:
        """Return the users to delete, each with a stream that says so."""
        return [
            *((rows[0].stream, user) for user, rows in self._rows.items()),
            *((stream, user) for user, stream in self._absent.items() if user not in self._rows),
        ]

    def put(self, row: Row) -> bool:
        """Take a row that is gone at its source; return whether it is to be deleted.

        A row that is not, is not written either: that would bring back what is gone.
        """
        if row.object != USERS:
            self._tell(row.object, f"Totango offers no way to delete {row.object}: they stay")
            return False
        if not self._wanted:
            self._tell(USERS, "users that are gone at the source are left as they are: hard_delete")
            return False
        write = row.write
        if write is None or write.user_id is None:
            return False
        self._rows.setdefault((write.account_id, write.user_id), []).append(row)
        return True

    def put_absent(self, stream: str, users: Sequence[User]) -> None:
        """Take users that a new version of a stream no longer holds."""
        self._absent.update(dict.fromkeys(users, stream))

    def cancel(self, user: User) -> list[Row]:
        """Keep a user after all: a later row has it again. Returns the rows that wanted it gone."""
        self._absent.pop(user, None)
        return self._rows.pop(user, [])

    def check(self) -> None:
        """Check that they are not too many.

        Raises:
            TooManyDeletesError: If they are.
        """
        if self.count > self._most:
            msg = f"{self.count} users would be deleted, and max_deletes is {self._most}: none was."
            raise TooManyDeletesError(msg, remedy="Look at the source, then raise max_deletes.")

    def carry_out(
        self,
        deleted: Callable[[str, User], None],
        settle: Callable[[Row], None],
        failed: Callable[[Row, WriteResult], None],
    ) -> None:
        """Delete them.

        Args:
            deleted: Told the stream and user of each.
            settle: Takes the rows that asked for it.
            failed: Takes rows whose user could not be deleted.

        Raises:
            ApiError: If a user without a row could not be deleted.
        """
        for stream, user in self.going():
            rows = self._rows.get(user, [])
            try:
                self._delete(user)
            except ApiError as error:
                if not rows:
                    raise
                for row in rows:
                    failed(row, outcome_of(error, idempotent=True))
                continue
            deleted(stream, user)
            for row in rows:
                settle(row)

    def _tell(self, object_: str, what: str) -> None:
        if object_ not in self._told:
            self._told.add(object_)
            logger.warning("%s.", what[0].upper() + what[1:])


class KnownUsers:
    """Which users each stream held in which table version: what ACTIVATE_VERSION is about.

    A file of its own beside the ledger, since it has to hold ids in clear.

    Args:
        path: The file; readable by its owner only.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE))
            self._database = sqlite3.connect(path)
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS users (stream TEXT, account_id TEXT, user_id TEXT, "
                "version INTEGER, PRIMARY KEY (stream, account_id, user_id)) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            msg = f"{path} cannot be opened: {error}."
            raise SettingsError(msg, remedy="Set ledger_path to a place that can be.") from error
        self._seen: set[tuple[str, int]] = set()

    def note(self, stream: str, version: int, user: User) -> None:
        """Note a user that a stream holds."""
        self._seen.add((stream, version))
        self._database.execute(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)", (stream, *user, version)
        )

    def absent(self, stream: str, version: int) -> list[User]:
        """Return the users that a stream held in other versions and no longer does.

        None when no row of this version was read: an empty stream deletes nobody.
        """
        if (stream, version) not in self._seen:
            return []
        rows = self._database.execute(
            "SELECT account_id, user_id FROM users WHERE stream = ? AND version <> ?",
            (stream, version),
        )
        return [(str(account_id), str(user_id)) for account_id, user_id in rows]

    def forget(self, stream: str, user: User) -> None:
        """Forget a user that was deleted."""
        self._database.execute(
            "DELETE FROM users WHERE stream = ? AND account_id = ? AND user_id = ?",
            (stream, *user),
        )

    def close(self) -> None:
        """Keep what was noted."""
        self._database.commit()
        self._database.close()
