"""Remembers what was confirmed, in a SQLite file that outlives the run.

A confirmation is a digest of the values that were sent, and the evidence that Totango has them:
nothing more where they were read back, else what stands for the service, token and host that
acknowledged them. An acknowledgement counts only for runs with the same receiver: a service that
drops rows for want of a token acknowledges them all. It also says as of which run that was so: a
row that was rejected in an earlier run is outdated.

It holds no personal data in clear. Keys, values and activities are stored as hashes (BLAKE2b)
keyed with a random salt of the file, so that two ledgers cannot be compared.

Whatever was flushed survives a kill and a power cut: the write-ahead log is synced with every
commit. Each costs the disk a few milliseconds, so notes of many threads share one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar

from target_totango.models import Confirmation
from target_totango.storage import ledger_file
from target_totango.storage.digests import HASH_BYTES, Digests
from target_totango.storage.private_files import KeptFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

_RUN_BYTES: Final = 4
_ID_BYTES: Final = 6
NOTES_PER_COMMIT: Final = 5_000

Key = tuple[str, ...]
ActivityState = Literal["sending", "done"]
T = TypeVar("T")

_SENDING: Final = 1
_DONE: Final = 2
_STATES: Final[dict[int, ActivityState]] = {_SENDING: "sending", _DONE: "done"}
_FORGOTTEN: Final = b""
_STORED_KEYS: Final = "SELECT key, digest FROM confirmed WHERE key IN ({})"
_STORED_ACTIVITIES: Final = "SELECT fingerprint, state FROM activities WHERE fingerprint IN ({})"
_RECENCY: Final = "recency"


@dataclass
class _Notes:
    """Notes that are not in the file yet; None deletes a row."""

    confirmed: dict[bytes, bytes] = field(default_factory=dict)
    activities: dict[bytes, int | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.confirmed or self.activities)

    def over(self, older: _Notes) -> _Notes:
        """Return these notes merged over older ones."""
        return _Notes(older.confirmed | self.confirmed, older.activities | self.activities)


class Ledger:
    """The memory of one service's writes. Safe to share between threads; one process at a time.

    Args:
        path: The file; made if it is not there, readable by its owner only.
        service: The service that the writes went to. A ledger serves one.

    Attributes:
        run: The number of this run, by which later ones are told from it.
        id: What tells it from other ledgers.

    Raises:
        SettingsError: If the file is in use, damaged, not ours, of another service, or written
            by another version.
    """

    def __init__(self, path: str | Path, *, service: str) -> None:
        self.path = Path(path).expanduser()
        self._database, salt, self.run = ledger_file.open_ledger(self.path, service)
        self._digests = Digests(salt)
        self._file = KeptFile(self.path)
        self.id = self._digests.of_texts(b"id", [])[:_ID_BYTES].hex()
        self._fresh = _Notes()
        self._committing = _Notes()
        self._notes_lock = threading.Lock()
        self._commit_lock = threading.Lock()
        self._database_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def digest(self, values: Mapping[str, str]) -> bytes:
        """Return the digest of these values, whatever their order."""
        return self._digests.of_values({"": values})

    def digest_of_scopes(self, scopes: Mapping[str, Mapping[str, str]]) -> bytes:
        """Return the digest of values whose names begin with their scopes: see `Digests`."""
        return self._digests.of_values(scopes)

    def evidence(self, *receiver: str) -> bytes:
        """Return the digest of the service, token and host that acknowledge a write."""
        return self._digests.of_texts(b"evidence", receiver)

    def confirmed(self, key: Sequence[str]) -> Confirmation | None:
        """Return what was last confirmed for a key."""
        return self.all_confirmed([key])[0]

    def all_confirmed(self, keys: Sequence[Sequence[str]]) -> list[Confirmation | None]:
        """Return what was last confirmed for each of some keys, looked up together."""
        return [_confirmation_in(entry) if entry else None for entry in self._noted(keys)]

    def confirm(self, confirmations: Mapping[Key, Confirmation]) -> None:
        """Note what Totango now holds for some keys; durable after the next flush."""
        self._note(
            {
                key: run.to_bytes(_RUN_BYTES) + digest + evidence
                for key, (digest, evidence, run) in confirmations.items()
            }
        )

    def mark_seen(self, key: Key) -> None:
        """Note that what was confirmed for a key was read back."""
        if (confirmation := self.confirmed(key)) is not None:
            self.confirm({key: confirmation._replace(evidence=b"")})

    def noted(self, key: Sequence[str]) -> bytes | None:
        """Return what was noted for a key."""
        return self._noted([key])[0] or None

    def note(self, key: Key, value: bytes) -> None:
        """Note something for a key; durable after the next flush."""
        self._note({key: value})

    def forget(self, *keys: Key) -> None:
        """Note that Totango's values for these keys are unknown.

        To be called, and flushed, before values other than the confirmed ones are sent: if the
        run is killed before these are confirmed and the source goes back to the old values, the
        old ones must go out again. Durable after the next flush.
        """
        self._note(dict.fromkeys(keys, _FORGOTTEN))

    def activity_state(self, fingerprint: Sequence[str]) -> ActivityState | None:
        """Return whether an activity was sent.

        Returns:
            `done` when it was delivered; `sending` when a call went out, or was about to, and
            nothing is known of its outcome; None when it was never tried.
        """
        return self.activity_states([fingerprint])[0]

    def activity_states(self, fingerprints: Sequence[Sequence[str]]) -> list[ActivityState | None]:
        """Return whether each of some activities was sent, looked up together."""
        hashes = self._hashes(b"activity", fingerprints)
        with self._notes_lock:
            known = _known(hashes, self._committing.activities, self._fresh.activities)
        states = self._with_stored(hashes, known, _STORED_ACTIVITIES)
        return [None if state is None else _STATES[state] for state in states]

    def begin(self, *fingerprints: Sequence[str]) -> None:
        """Note, durably, that calls for these activities are about to go out.

        Calls from several threads at once share a commit.
        """
        self._note_activities(fingerprints, _SENDING)
        self.flush()

    def finish(self, *fingerprints: Sequence[str]) -> None:
        """Note that activities were delivered; durable after the next flush."""
        self._note_activities(fingerprints, _DONE)

    def abandon(self, *fingerprints: Sequence[str]) -> None:
        """Note that activities certainly were not delivered; durable after the next flush."""
        self._note_activities(fingerprints, None)

    def recency(self, key: Sequence[str]) -> tuple[str, str] | None:
        """Return the recency of what was last confirmed for a key, where that is known."""
        kind, _, value = (self.noted((_RECENCY, *key)) or b"").decode().partition(" ")
        return (kind, value) if kind else None

    def note_recency(self, key: Sequence[str], recency: tuple[str, str]) -> None:
        """Note the recency of what is confirmed for a key; durable after the next flush."""
        self.note((_RECENCY, *key), " ".join(recency).encode())

    def flush(self) -> None:
        """Make everything noted so far durable.

        Raises:
            SettingsError: If the file cannot be written, as when the disk is full.
        """
        # Whoever waits here may find its notes written by the one before it.
        with self._commit_lock:
            with self._notes_lock:
                if not self._fresh:
                    return
                self._committing, self._fresh = self._fresh, _Notes()
            try:
                with self._database_lock, ledger_file.transaction(self._database, self.path):
                    _write(self._database, self._committing)
            except BaseException:
                with self._notes_lock:
                    self._fresh = self._fresh.over(self._committing)
                raise
            finally:
                with self._notes_lock:
                    self._committing = _Notes()

    def close(self) -> None:
        """Flush, and let others open the file. Closing twice does no harm.

        Raises:
            SettingsError: If the file cannot be written, or is no longer there.
        """
        try:
            self.flush()
            self._file.check()
        finally:
            with self._database_lock:
                self._database.close()

    def _note(self, values: Mapping[Key, bytes]) -> None:
        noted = dict(zip(self._hashes(b"key", values), values.values(), strict=True))
        with self._notes_lock:
            self._fresh.confirmed.update(noted)
            full = len(self._fresh.confirmed) >= NOTES_PER_COMMIT
        if full:
            self.flush()

    def _note_activities(self, fingerprints: Iterable[Sequence[str]], state: int | None) -> None:
        noted = dict.fromkeys(self._hashes(b"activity", fingerprints), state)
        with self._notes_lock:
            self._fresh.activities.update(noted)
            full = len(self._fresh.activities) >= NOTES_PER_COMMIT
        if full:
            self.flush()

    def _noted(self, keys: Iterable[Sequence[str]]) -> list[bytes | None]:
        hashes = self._hashes(b"key", keys)
        with self._notes_lock:
            known = _known(hashes, self._committing.confirmed, self._fresh.confirmed)
        return self._with_stored(hashes, known, _STORED_KEYS)

    def _with_stored(
        self, hashes: Sequence[bytes], known: dict[bytes, T], statement: str
    ) -> list[T | None]:
        """Return what is known of each hash, or else stored."""
        unknown = [hashed for hashed in hashes if hashed not in known]
        if unknown:
            statement = statement.format(",".join("?" * len(unknown)))
            with self._database_lock, ledger_file.explaining_errors(self.path):
                known.update(self._database.execute(statement, unknown))
        return list(map(known.get, hashes))

    def _hashes(self, kind: bytes, keys: Iterable[Sequence[str]]) -> list[bytes]:
        return [self._digests.of_texts(kind, key) for key in keys]


def _confirmation_in(entry: bytes) -> Confirmation:
    end = _RUN_BYTES + HASH_BYTES
    return Confirmation(entry[_RUN_BYTES:end], entry[end:], int.from_bytes(entry[:_RUN_BYTES]))


def _known(hashes: Iterable[bytes], *notes: Mapping[bytes, T]) -> dict[bytes, T]:
    """Return what notes say of some hashes; the last of them counts."""
    return {hashed: noted[hashed] for noted in notes for hashed in hashes if hashed in noted}


def _write(database: sqlite3.Connection, notes: _Notes) -> None:
    # In the order of the tables, so that each of their pages is written once.
    database.executemany(
        "INSERT OR REPLACE INTO confirmed VALUES (?, ?)", sorted(notes.confirmed.items())
    )
    database.executemany(
        "INSERT OR REPLACE INTO activities VALUES (?, ?)",
        sorted(item for item in notes.activities.items() if item[1] is not None),
    )
    database.executemany(
        "DELETE FROM activities WHERE fingerprint = ?",
        [(hashed,) for hashed, state in notes.activities.items() if state is None],
    )
