"""Rejected rows that later rows of the run have made outdated: a replay must not bring them back.

A row is rejected with `Plan: old`; a later one about the same account is confirmed with
`Plan: new`. Sending the rejects file again would set the plan back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_totango.journal import is_older
from target_totango.model import ACCOUNTS, ACTIVITIES, REJECT_FIELD, USERS, Row
from target_totango.seen import key_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_totango.model import Write


@dataclass(slots=True)
class Outdated:
    """A row of the rejects file.

    Attributes:
        place: Which record of the file it is, from 0.
        names: Attributes that it would write, as `account.Plan`.
        newer: Of those, the ones that later rows have written.
        again: Whether a later row about the same thing was confirmed, or the thing is gone.
    """

    place: int
    stream: str
    object: str
    ticket: int
    recency: tuple[str, str] | None
    names: frozenset[str]
    newer: frozenset[str] = frozenset()
    again: bool = False

    @property
    def wholly(self) -> bool:
        """Whether nothing of the row is left to send."""
        return self.again and self.newer == self.names


class Supersession:
    """Remembers the rejected rows of a run, by digests of what they are about.

    Attribute by attribute, since a later row need not carry them all. Used by one thread.
    """

    def __init__(self) -> None:
        self._about: dict[bytes, list[Outdated]] = {}
        self._rejected: list[Outdated] = []
        self._names: dict[frozenset[str], frozenset[str]] = {}

    def note_rejected(self, row: Row, place: int) -> None:
        """Take note of a row that was put into the rejects file, as record number `place`."""
        write = row.write
        if write is None or not write.account_id or row.object == ACTIVITIES:
            return
        found = frozenset().union(*_attributes(write).values(), row.faulty)
        names = self._names.setdefault(found, found)
        kept = Outdated(place, row.stream, row.object, row.ticket, row.recency, names)
        self._rejected.append(kept)
        for subject in _attributes(write):
            self._about.setdefault(key_digest(subject), []).append(kept)

    def note_confirmed(self, row: Row) -> None:
        """Take note of a row that Totango holds now: earlier ones about the same are outdated."""
        write = row.write
        if not self._about or write is None or row.object == ACTIVITIES:
            return
        for subject, names in _attributes(write).items():
            for kept in self._about.get(key_digest(subject), ()):
                if kept.ticket > row.ticket or is_older(row.recency, kept.recency):
                    continue
                newer = kept.newer | (kept.names & names)
                kept.newer = self._names.setdefault(newer, newer)
                kept.again = kept.again or subject[0] == kept.object

    def note_deleted(self, user: tuple[str, str]) -> None:
        """Take note that a user was deleted: no rejected row may bring it back."""
        for kept in self._about.get(key_digest((USERS, *user)), ()):
            kept.newer, kept.again = kept.names, True

    def __iter__(self) -> Iterator[Outdated]:
        """Yield the rows of which at least a part is outdated."""
        return (kept for kept in self._rejected if kept.newer or kept.wholly)


def is_superseded(message: Mapping[str, Any]) -> bool:
    """Tell whether a replayed row is marked as superseded."""
    return _mark(message, "superseded") is True


def newer_names(message: Mapping[str, Any]) -> frozenset[str]:
    """Return the attributes of a replayed row that are marked as outdated."""
    names = _mark(message, "newer")
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def _mark(message: Mapping[str, Any], name: str) -> Any:
    why = message["record"].get(REJECT_FIELD)
    return why.get(name) if isinstance(why, dict) else None


def _attributes(write: Write) -> dict[tuple[str, ...], frozenset[str]]:
    """Return what a write is about, and which attributes of each it sets."""
    own = (
        "account" if write.object == ACCOUNTS else "user" if write.object == USERS else "collection"
    )
    found = {write.key: frozenset(f"{own}.{name}" for name in write.attributes)}
    if write.account and write.object != ACCOUNTS:
        names = frozenset(f"account.{name}" for name in write.account)
        found[(ACCOUNTS, write.account_id)] = names
    return found
