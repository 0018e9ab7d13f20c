"""Marks rejected rows that later rows have made outdated: a replay must not bring them back.

A row is rejected with `Plan: old`; a later one about the same account is confirmed with
`Plan: new`. Sending the rejects file again would set the plan back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.models import ACCOUNTS, Row
from target_totango.objects import REPEATABLE
from target_totango.storage.key_counts import KeyFilter, key_digest
from target_totango.storage.rejects_file import reasons_in
from target_totango.storage.run_store import is_older

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_totango.models import WriteRequest
    from target_totango.storage.run_store import RunStore


_TABLES: Final = (
    "CREATE TABLE rejected (place INTEGER PRIMARY KEY, outdated INTEGER, kept TEXT)",
    "CREATE TABLE about (subject BLOB, place INTEGER, PRIMARY KEY (subject, place)) WITHOUT ROWID",
)


@dataclass(slots=True)
class StaleReject:
    """A rejected row of this run, and what later rows have made of it.

    Attributes:
        place: Which record of the file it is, from 0.
        names: Attributes that it would write, as `account.Plan`.
        newer: Of those, the ones that later rows have written.
        has_successor: Whether a later row about the same thing was confirmed, or the thing is gone.
    """

    place: int
    stream: str
    object: str
    seq: int
    recency: tuple[str, str] | None
    names: frozenset[str]
    newer: frozenset[str] = frozenset()
    has_successor: bool = False

    @property
    def is_superseded(self) -> bool:
        """Whether nothing of the row is left to send."""
        return self.has_successor and self.newer == self.names


class StaleRejects:
    """Stores the rejected rows of a run on disk, by digests of their keys.

    Attribute by attribute, since a later row need not carry them all. Used by one thread.

    Args:
        store: In whose database they are kept.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._subjects: KeyFilter | None = None

    def note_rejected(self, row: Row, place: int) -> None:
        """Take note of a row that was put into the rejects file, as record number `place`."""
        if not row.request.account_id or row.object not in REPEATABLE:
            return
        attributes = _attributes(row.request)
        names = frozenset().union(*attributes.values(), row.faulty)
        kept = StaleReject(place, row.stream, row.object, row.seq, row.recency, names)
        database = self._store.database
        if self._subjects is None:
            self._subjects = KeyFilter()
            for table in _TABLES:
                database.execute(table)
        database.execute("INSERT INTO rejected VALUES (?, 0, ?)", (place, _stored(kept)))
        for subject in attributes:
            self._subjects.add(subject)
            database.execute("INSERT INTO about VALUES (?, ?)", (key_digest(subject), place))

    def note_confirmed(self, rows: Iterable[Row]) -> None:
        """Take note of rows that Totango holds now: earlier ones about the same are outdated."""
        if self._subjects is not None:
            for row in rows:
                self._outdate_earlier(row, self._subjects)

    def _outdate_earlier(self, row: Row, subjects: KeyFilter) -> None:
        request = row.request
        if row.object not in REPEATABLE:
            return
        if request.key not in subjects and not (
            request.account and (ACCOUNTS, request.account_id) in subjects
        ):
            return
        for subject, names in _attributes(request).items():
            for kept in self._rejected(subject):
                if kept.seq > row.seq or is_older(row.recency, kept.recency):
                    continue
                kept.newer |= kept.names & names
                kept.has_successor = kept.has_successor or subject[0] == kept.object
                self._keep(kept)

    def note_deleted(self, row: Row) -> None:
        """Note that the user of a row was deleted: no rejected row may bring it back."""
        for kept in self._rejected(row.request.key):
            kept.newer, kept.has_successor = kept.names, True
            self._keep(kept)

    def __iter__(self) -> Iterator[StaleReject]:
        """Yield the rows of which at least a part is outdated."""
        if self._subjects is None:
            return
        for (kept,) in self._store.database.execute("SELECT kept FROM rejected WHERE outdated"):
            yield _loaded(kept)

    def _rejected(self, subject: tuple[str, ...]) -> list[StaleReject]:
        if self._subjects is None or subject not in self._subjects:
            return []
        rows = self._store.database.execute(
            "SELECT kept FROM about JOIN rejected USING (place) WHERE subject = ?",
            (key_digest(subject),),
        )
        return [_loaded(kept) for (kept,) in rows]

    def _keep(self, kept: StaleReject) -> None:
        self._store.database.execute(
            "UPDATE rejected SET outdated = ?, kept = ? WHERE place = ?",
            (bool(kept.newer or kept.is_superseded), _stored(kept), kept.place),
        )


def _stored(kept: StaleReject) -> str:
    fields = (kept.place, kept.stream, kept.object, kept.seq, kept.recency)
    return json.dumps((*fields, sorted(kept.names), sorted(kept.newer), kept.has_successor))


def _loaded(stored: str) -> StaleReject:
    place, stream, object_, seq, recency, names, newer, has_successor = json.loads(stored)
    moment = None if recency is None else (recency[0], recency[1])
    return StaleReject(
        place, stream, object_, seq, moment, frozenset(names), frozenset(newer), has_successor
    )


def is_superseded(message: Mapping[str, Any]) -> bool:
    """Return whether a replayed row is marked as superseded."""
    return _mark(message, "superseded") is True


def newer_names(message: Mapping[str, Any]) -> frozenset[str]:
    """Return the attributes of a replayed row that are marked as outdated."""
    names = _mark(message, "newer")
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def rejected_as(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return the stream and object as which a replayed row was rejected."""
    return str(_mark(message, "stream")), str(_mark(message, "object"))


def _mark(message: Mapping[str, Any], name: str) -> Any:
    return reasons_in(message).get(name)


def _attributes(write: WriteRequest) -> dict[tuple[str, ...], frozenset[str]]:
    """Return the keys that a write changes, each with the attributes that it sets."""
    found = {write.key: frozenset(f"{write.scope}.{name}" for name in write.attributes)}
    if write.account and write.object != ACCOUNTS:
        names = frozenset(f"account.{name}" for name in write.account)
        found[(ACCOUNTS, write.account_id)] = names
    return found
