"""Tells rows that must not be written twice from one another."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_totango.models import REJECT_FIELD
from target_totango.objects import ENGAGEMENTS
from target_totango.storage import reasons_in, row_of_reject

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.storage import Ledger, RunStore

logger = logging.getLogger("target-totango")

_COMPLETE_RUNS: Final = ("activities without a key", "complete runs")
"""Where the ledger counts them: no object of Totango has such a name."""

_KEYLESS: Final = (
    "Stream %r has no key, so the ledger cannot tell a row from one just like it: whatever comes "
    "again in a later run is written again. Let the tap's SCHEMA name key_properties."
)
_TAKEN_FOR_DELIVERED: Final = (
    "Stream %r has no key, and a run before this one was cut off: rows just like those that it "
    "delivered are taken for them, counted as unchanged and not sent."
)

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str, order="sorted").encode


class Fingerprint(NamedTuple):
    """What tells a row from every other.

    Attributes:
        parts: For the ledger.
        is_repeated: Whether a row of this run had it before.
    """

    parts: tuple[str, ...]
    is_repeated: bool


class Fingerprints:
    """Tells rows from one another, by the key of their stream or else by all that they hold.

    Args:
        ledger: What earlier runs have sent.
        store: What this run has seen.
    """

    def __init__(self, ledger: Ledger, store: RunStore) -> None:
        self._ledger = ledger
        self._store = store
        self._keyless: dict[str, str] = {}
        self._logged: set[tuple[str, str]] = set()

    def of(self, row: Row) -> Fingerprint:
        """Return what tells a row from every other.

        That is the stream's key. Without one it is the whole row, and the how-manieth of its
        kind it is, since the same thing may well be done twice. In a later run it may be done
        once more: so nothing is said to be the same across runs, but for the rows of a run that
        was cut off, which come again. That is told by the number of complete runs before. A row
        of a rejects file is the one that was rejected; for another ledger than the one that its
        reasons name, these tell it from all others, as they say when it was rejected.
        """
        record = row.message["record"]
        reasons = reasons_in(row.message)
        keys = row.source.key_properties
        # A row may become several things, of which each is made once.
        about = (row.stream, row.object) if row.object in ENGAGEMENTS else (row.stream,)
        values = [record.get(key) for key in keys]
        if keys and all(value is not None for value in values):
            named = (*about, "key", *(_encode(value).decode() for value in values))
            return Fingerprint(named, self._store.count(named) > 0)
        rejected = row_of_reject(row.message, self._ledger)
        if rejected is not None:
            return Fingerprint(rejected, self._store.count(rejected) > 0)
        whole = {**record, REJECT_FIELD: reasons} if reasons else record
        digest = hashlib.sha256(_encode(whole)).hexdigest()
        hashed: tuple[str, ...]
        if reasons:
            hashed = (*about, "rejected row", digest)
        else:
            hashed = (*about, "row", self._complete_runs(row.stream), digest)
        return Fingerprint((*hashed, str(self._store.count(hashed))), is_repeated=False)

    def note_taken_for_delivered(self, row: Row) -> None:
        """Log that a row is taken for one that an earlier run delivered, if that is a guess."""
        if row.stream in self._keyless:
            self._log_once(row.stream, _TAKEN_FOR_DELIVERED)

    def complete(self) -> None:
        """Note that all was read, delivered and let go: no row will come again."""
        for stream, runs in self._keyless.items():
            self._ledger.note((*_COMPLETE_RUNS, stream), b"%d" % (int(runs) + 1))

    def _complete_runs(self, stream: str) -> str:
        """Return how many runs about a stream without a key were complete, as text."""
        if stream not in self._keyless:
            self._log_once(stream, _KEYLESS)
            found = self._ledger.noted((*_COMPLETE_RUNS, stream))
            self._keyless[stream] = (found or b"0").decode()
        return self._keyless[stream]

    def _log_once(self, stream: str, message: str) -> None:
        if (stream, message) not in self._logged:
            self._logged.add((stream, message))
            logger.warning(message, stream)
