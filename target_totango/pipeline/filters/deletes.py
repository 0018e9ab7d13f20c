"""Deletes users: off by default, counted before the first one goes, never by an empty stream."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from target_totango.delivery import Failed, result_of
from target_totango.models import DELETED, SUBJECT_IDS, USERS, Confirmation
from target_totango.objects import DELETABLE
from target_totango.pipeline.decisions import Deleted, Results, RowResult, Skipped
from target_totango.pipeline.filters.base import Filter
from target_totango.verify import pauses
from totango_api.errors import ApiError, IncompleteReadError, TotangoError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.models import Row
    from target_totango.report import Report
    from target_totango.storage import RunFiles, User

_Announced: TypeAlias = tuple[str, str]
"""The stream that says that somebody is gone, and the object that it is about."""

_Going: TypeAlias = "tuple[_Announced, User]"

logger = logging.getLogger("target-totango")

_NEEDS_LEDGER: Final = "Stream %r: what a version no longer holds is only deleted with ledger_path."
_OTHER_IDENTITY: Final = (
    "Stream %r: its ids are made or its rows filtered in another way than in the run before, so it "
    "is not known which users are gone: none is deleted, and the next run compares with this one."
)
_NAMELESS: Final = (
    "Stream %r: %s had no id that can be used, so it is not known which users are gone: none "
    "is deleted."
)
_STILL_THERE: Final = (
    "The deletion was answered{}, but the user is still found. That may take a few minutes: run "
    "again, or raise verify_timeout."
)
_UNCLEAR: Final = (
    "It cannot be looked up whether the user is deleted, and the response does not say it: {!r}."
)
_VANISHED: Final = "{} gone at the source: {}"
_CAME_BACK: Final = Skipped("deleted, and there again in a later row")
_NOT_WANTED: Final = Skipped("deleted at the source, and hard_delete is off")
_NOT_OFFERED: Final = Skipped("deleted at the source, and Totango deletes users only")
_DELETED: Final = Deleted()


class TooManyDeletesError(TotangoError):
    """A run would delete more users than `max_deletes`, so it deletes none."""


class HardDeletes(Filter):
    """Keeps rows that say they are deleted until the input is read to its end.

    Only then is it known how many they are, and that none of them came back in a later row. A row
    that is not to be deleted is not written either: that would bring back what is gone.

    Args:
        settings: The target's settings.
        files: The ledger, which forgets deleted users, and which users streams held before.
        report: Counts users.
    """

    objects = DELETABLE
    marks = frozenset({DELETED})

    def __init__(self, settings: Settings, files: RunFiles, report: Report) -> None:
        self._is_on = settings.hard_delete
        self._limit = settings.max_deletes
        self._timeout = settings.verify_timeout
        self._known_users = files.known_users
        self._ledger = files.ledger
        self._report = report
        self._rows: dict[User, list[Row]] = {}
        self._absent: dict[User, _Announced] = {}
        self._nameless: Counter[str] = Counter()
        self._logged: set[str] = set()

    @property
    def count(self) -> int:
        """How many users are to be deleted."""
        return len(self._rows.keys() | self._absent.keys())

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""
        sent: list[Row] = []
        results: Results = []
        for row in rows:
            if row.mark != DELETED:
                results += self.note_present(row)
                sent.append(row)
            elif (skipped := self._postpone(row)) is not None:
                results.append((row, skipped))
        return sent, results

    def note_present(self, row: Row) -> Results:
        """Note that the source has a user; return the rows before that wanted it gone."""
        if row.object not in DELETABLE:
            return []
        version, request = row.message.get("version"), row.request
        faulty = SUBJECT_IDS.intersection(row.faulty)
        if faulty or not (request.account_id and request.user_id):
            self._nameless[_roster(row.source.name, row.stream)] += 1
            return []
        user = (request.account_id, request.user_id)
        self._absent.pop(user, None)
        if isinstance(version, int) and self._known_users is not None:
            self._known_users.note(_roster(row.source.name, row.stream), version, user)
        return [(earlier, _CAME_BACK) for earlier in self._rows.pop(user, [])]

    def activate_version(
        self, source: str, stream: str, object_: str, version: int, identity: str
    ) -> None:
        """Note that a version of a stream is complete: users that only older ones held are gone.

        Args:
            source: The stream before the stream maps.
            stream: Its name behind them.
            object_: What it is about.
            version: The version.
            identity: Of the stream. With another one than before, counting starts again.
        """
        if object_ not in DELETABLE or not self._is_on:
            return
        roster = _roster(source, stream)
        if self._known_users is None:
            self._log_once(roster, _NEEDS_LEDGER, stream)
        elif not self._known_users.has_same_identity(roster, version, identity):
            self._log_once(roster, _OTHER_IDENTITY, stream)
        elif nameless := self._nameless[roster]:
            self._log_once(roster, _NAMELESS, stream, counted(nameless, "row"))
        else:
            absent = self._known_users.absent(roster, version)
            self._absent.update(dict.fromkeys(absent, (stream, object_)))

    def delete(
        self, clients: Clients, wait: Callable[[float], None]
    ) -> Iterator[tuple[Row, RowResult]]:
        """Delete users, and yield the results of the rows that asked for it.

        Args:
            clients: Deletes them, and looks them up afterwards.
            wait: Waits so many seconds.

        Raises:
            TooManyDeletesError: If they are too many; then none is deleted.
            TotangoError: If a user that no row asked to delete was not deleted.
        """
        self._check_count()
        self._forget()
        vanished: list[TotangoError] = []
        for user, result in self._results(self._going(), clients, wait):
            rows = self._rows.get(user, [])
            if not rows and isinstance(result, Failed):
                vanished.append(result.error)
                if not result.may_be_about_row:
                    break
            yield from ((row, result) for row in rows)
        if vanished:
            raise TotangoError(_VANISHED.format(counted(len(vanished), "user"), vanished[0]))

    def again(
        self, clients: Clients, wait: Callable[[float], None], rows: Sequence[Row]
    ) -> list[tuple[Row, RowResult]]:
        """Delete the users of rows once more, and return the results of the rows."""
        going = {((row.stream, row.object), _user(row)) for row in rows}
        results = dict(self._results(going, clients, wait))
        return [(row, results[_user(row)]) for row in rows]

    def _results(
        self, going: Iterable[_Going], clients: Clients, wait: Callable[[float], None]
    ) -> Iterator[tuple[User, RowResult]]:
        """Delete users and yield the result of each: those that were answered come last."""
        deleted: dict[User, _Announced] = {}
        unclear: dict[User, str] = {}
        for announced, user in going:
            try:
                deletion = clients.delete_user(user)
                deleted[user] = announced
                if deletion.claim == "unclear":
                    unclear[user] = deletion.response
            except ApiError as error:
                yield user, result_of(error, idempotent=True)
        doubtful = self._doubts(set(deleted), unclear, clients, wait)
        for user, announced in deleted.items():
            if user in doubtful:
                yield user, Failed(TotangoError(doubtful[user]))
            else:
                self._note_deleted(announced, user)
                yield user, _DELETED

    def _doubts(
        self,
        users: set[User],
        unclear: Mapping[User, str],
        clients: Clients,
        wait: Callable[[float], None],
    ) -> dict[User, str]:
        """Return why it is doubtful that users are deleted, whose deletion was answered.

        Args:
            users: They.
            unclear: Answers that do not say that it was done.
            clients: Looks them up.
            wait: Waits so many seconds.
        """
        still_there = self._still_there(users, clients, wait)
        if still_there is None:
            return {user: _UNCLEAR.format(answer) for user, answer in unclear.items()}
        return {
            user: _STILL_THERE.format(f" by {unclear[user]!r}" if user in unclear else "")
            for user in still_there
        }

    def _check_count(self) -> None:
        if self.count > self._limit:
            users = counted(self.count, "user")
            msg = f"{users} would be deleted, and max_deletes is {self._limit}: none was."
            raise TooManyDeletesError(msg, remedy="Look at the source, then raise max_deletes.")

    def _still_there(
        self, users: set[User], clients: Clients, wait: Callable[[float], None]
    ) -> set[User] | None:
        """Return which of these users are still found when the time is up; None if nobody knows."""
        try:
            for pause in pauses(self._timeout):
                if not users:
                    break
                wait(pause)
                users = {(account, user) for account, user in clients.lookup.find(USERS, users)}
        except (ApiError, IncompleteReadError) as error:
            logger.warning("Whether users are deleted cannot be looked up: %s", error)
            return None
        return users

    def _note_deleted(self, announced: _Announced, user: User) -> None:
        if self._ledger is not None:
            # A row that was rejected before must not bring the user back.
            self._ledger.confirm({(*announced, *user): Confirmation(b"", b"", self._ledger.run)})
        if user not in self._rows:
            self._report.metrics(*announced).vanished += 1
        if self._known_users is not None:
            self._known_users.forget(user)

    def _postpone(self, row: Row) -> Skipped | None:
        """Keep a row for the end; return why it is skipped instead."""
        if row.object not in DELETABLE:
            self._log_once(row.object, "Totango offers no way to delete %s: they stay.", row.object)
            return _NOT_OFFERED
        if not self._is_on:
            self._log_once(
                row.object,
                "%s that are gone at the source are left as they are: hard_delete is off.",
                row.object.capitalize(),
            )
            return _NOT_WANTED
        self._rows.setdefault(_user(row), []).append(row)
        return None

    def _going(self) -> list[_Going]:
        """Return the users to delete, each with a stream that says so."""
        named = {user: (rows[0].stream, rows[0].object) for user, rows in self._rows.items()}
        return [(announced, user) for user, announced in {**self._absent, **named}.items()]

    def _forget(self) -> None:
        """Let the ledger forget the users before the first one goes.

        If the run is killed after a deletion, or its response gets lost, the next run must not
        take the user for confirmed.
        """
        if self._ledger is not None and self.count:
            self._ledger.forget(*((*announced, *user) for announced, user in self._going()))
            self._ledger.flush()

    def _log_once(self, about: str, message: str, *values: object) -> None:
        if about not in self._logged:
            self._logged.add(about)
            logger.warning(message, *values)


def _user(row: Row) -> User:
    request = row.request
    return (request.account_id, request.user_id or "")


def _roster(source: str, stream: str) -> str:
    """Return the name under which the users of a stream are known."""
    return stream if source == stream else f"{source} as {stream}"
