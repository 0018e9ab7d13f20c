"""Keeps the ids of touchpoints and tasks in the ledger, and how a call is found again.

Of texts that were sent it keeps digests, as of everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_totango.storage.ledger import Ledger

_RECORD: Final = "id of a record"
_MADE: Final = "made of a row"
_CALL: Final = "call for a record"


class RecordCall(NamedTuple):
    """A call that makes something.

    Attributes:
        sent_at: Not before when, by the service's clock, in epoch milliseconds.
        digests: What stands for the values by which it is found again, by name.
    """

    sent_at: int
    digests: dict[str, str]


class RecordNotes:
    """What a ledger knows of touchpoints and tasks. Safe to share between threads.

    Args:
        ledger: Keeps it; what is noted is durable after its next flush.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def record_id(self, fingerprint: Sequence[str]) -> str | None:
        """Return the id of what was made of a row; None where it is not known."""
        noted = self._ledger.noted((_RECORD, *fingerprint))
        return noted.decode() if noted else None

    def note_record_id(self, fingerprint: Sequence[str], object_: str, record_id: str) -> None:
        """Note the id of what was made of a row."""
        self._ledger.note((_RECORD, *fingerprint), record_id.encode())
        self._ledger.note((_MADE, object_, record_id), b"1")

    def is_of_a_row(self, object_: str, record_id: str) -> bool:
        """Return whether something is known to have been made of a row."""
        return self._ledger.noted((_MADE, object_, record_id)) is not None

    def call(self, fingerprint: Sequence[str]) -> RecordCall | None:
        """Return the last call that was to make something of a row."""
        noted = self._ledger.noted((_CALL, *fingerprint))
        return None if noted is None else msgspec.json.decode(noted, type=RecordCall)

    def note_call(
        self, fingerprint: Sequence[str], sent_at: int, values: Mapping[str, Any]
    ) -> None:
        """Note that a call is about to go out, which makes something with these values."""
        digests = {name: self.digest(value) for name, value in values.items()}
        self._ledger.note((_CALL, *fingerprint), msgspec.json.encode(RecordCall(sent_at, digests)))

    def digest(self, value: Any) -> str:
        """Return what stands for a value, whatever its type and its blanks."""
        text = "" if value is None else " ".join(str(value).split())
        return self._ledger.digest({"": text}).hex()
