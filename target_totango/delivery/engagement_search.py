"""Keeps the ids of touchpoints and tasks, and finds by its events what a call made without one.

Of texts that were sent the ledger keeps digests, as of everything.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from target_totango.verify import pauses
from totango_api.errors import ApiError
from totango_api.reading import engagement_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_totango.models import Row
    from target_totango.storage import Ledger
    from totango_api.http import ApiClient
    from totango_api.reading import EngagementEvent
    from totango_api.writing import EngagementEndpoint

logger = logging.getLogger("target-totango")

LOOK_SECONDS: Final = 30.0
"""How long something may take to become visible."""

FIRST_PAUSE: Final = 2.0

EARLIER_MILLISECONDS: Final = 5_000
"""How far the service's clock may be behind what is known of it."""

_RECORD: Final = "id of a record"
_MADE: Final = "made of a row"
_CALL: Final = "call for a record"


class EngagementCall(NamedTuple):
    """A call that makes something.

    Attributes:
        sent_at: Not before when, by the service's clock, in epoch milliseconds.
        digests: What stands for the values by which it is found again, by name.
    """

    sent_at: int
    digests: dict[str, str]


class EngagementNotes:
    """What a ledger knows of touchpoints and tasks. Safe to share between threads.

    Args:
        ledger: Keeps it; what is noted is durable after its next flush.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def engagement_id(self, fingerprint: Sequence[str]) -> str | None:
        """Return the id of what was made of a row; None where it is not known."""
        noted = self._ledger.noted((_RECORD, *fingerprint))
        return noted.decode() if noted else None

    def note_engagement_id(
        self, fingerprint: Sequence[str], object_: str, engagement_id: str
    ) -> None:
        """Note the id of what was made of a row."""
        self._ledger.note((_RECORD, *fingerprint), engagement_id.encode())
        self._ledger.note((_MADE, object_, engagement_id), b"1")

    def is_of_a_row(self, object_: str, engagement_id: str) -> bool:
        """Return whether something is known to have been made of a row."""
        return self._ledger.noted((_MADE, object_, engagement_id)) is not None

    def call(self, fingerprint: Sequence[str]) -> EngagementCall | None:
        """Return the last call that was to make something of a row."""
        noted = self._ledger.noted((_CALL, *fingerprint))
        return None if noted is None else msgspec.json.decode(noted, type=EngagementCall)

    def note_call(
        self, fingerprint: Sequence[str], sent_at: int, values: Mapping[str, Any]
    ) -> None:
        """Note that a call is about to go out, which makes something with these values."""
        digests = {name: self.digest(value) for name, value in values.items()}
        self._ledger.note(
            (_CALL, *fingerprint), msgspec.json.encode(EngagementCall(sent_at, digests))
        )

    def digest(self, value: Any) -> str:
        """Return the digest of a value, whatever its type and its blanks."""
        text = "" if value is None else " ".join(str(value).split())
        return self._ledger.digest({"": text}).hex()


class EngagementSearch:
    """Finds by events what was made of rows. Safe to share between threads.

    It is what has the account and the texts that were sent, was made no earlier, and was made of no
    other row. Where several may be it, none is.

    Args:
        api: Makes the calls.
        notes: Knows what was sent, and of which row things were made.
        seconds: How long something may take to become visible.

    Attributes:
        error: Why nothing is looked for any more: events were not answered.
    """

    def __init__(self, api: ApiClient, notes: EngagementNotes, *, seconds: float) -> None:
        self._api = api
        self._notes = notes
        self._seconds = min(seconds, LOOK_SECONDS)
        self.error: ApiError | None = None

    def note_call(self, row: Row, endpoint: EngagementEndpoint) -> None:
        """Note that a call is about to go out, so that it can be looked for."""
        sent_at = int((time.time() - self._api.clock.ahead) * 1000)
        fields = row.request.fields
        values = {name: fields[name] for name in endpoint.identifying if fields.get(name)}
        self._notes.note_call(fingerprint_of(row), sent_at, values)

    def find(self, row: Row, endpoint: EngagementEndpoint) -> str | None:
        """Return the id of what the last call for a row made; None where that is not certain."""
        call = self._notes.call(fingerprint_of(row))
        if call is None or self.error is not None:
            return None
        try:
            return self._looked_for(row, call, endpoint)
        except ApiError as error:
            # Trying again for each row of an outage would take hours.
            self.error = error
            logger.warning("What became of calls cannot be read: %s", error)
            return None

    def _looked_for(
        self, row: Row, call: EngagementCall, endpoint: EngagementEndpoint
    ) -> str | None:
        """Poll for events until one fits, or time is up.

        Raises:
            ApiError: If events are not answered.
        """
        for pause in pauses(self._seconds, FIRST_PAUSE):
            time.sleep(pause)
            if found := self._candidates(row, call, endpoint):
                return found.pop() if len(found) == 1 else None
        self._seconds = 0.0  # Waiting for each of many that were not made would take hours.
        return None

    def _candidates(self, row: Row, call: EngagementCall, endpoint: EngagementEndpoint) -> set[str]:
        """Return the ids in the first page of events that the call may have made."""
        earliest = call.sent_at - EARLIER_MILLISECONDS
        is_dated = endpoint.time_field in call.digests
        pages = engagement_events(
            self._api,
            endpoint.event_type,
            account_id=row.request.account_id,
            start=None if is_dated else earliest,
        )
        found = (
            {
                event.engagement_id
                for event in page
                if event.account_id in {None, row.request.account_id}
                and self._is_of(call, event, endpoint, earliest)
                and not self._notes.is_of_a_row(row.object, event.engagement_id)
            }
            for page in pages
        )
        return next(filter(None, found), set())

    def _is_of(
        self,
        call: EngagementCall,
        event: EngagementEvent,
        endpoint: EngagementEndpoint,
        earliest: int,
    ) -> bool:
        """Return whether an event may be of what the call made."""
        made_at = event.properties.get("creation_time")
        if isinstance(made_at, int):
            if made_at < earliest:
                return False
        elif endpoint.time_field not in call.digests:
            if event.timestamp is None or event.timestamp < earliest:
                return False
        elif not self._is_same(call, endpoint.time_field, event.timestamp):
            return False
        shown = endpoint.fields_in(event)
        names = [
            name for name in endpoint.identifying if name != endpoint.time_field and name in shown
        ]
        return self._has_texts(call, names, shown)

    def _has_texts(self, call: EngagementCall, names: Sequence[str], shown: Any) -> bool:
        is_any_sent = any(name in call.digests for name in names)
        return is_any_sent and all(self._is_same(call, name, shown[name]) for name in names)

    def _is_same(self, call: EngagementCall, name: str, value: Any) -> bool:
        return call.digests.get(name, self._notes.digest(None)) == self._notes.digest(value)


def fingerprint_of(row: Row) -> tuple[str, ...]:
    """Return what tells a row without the id of what it is about from every other one."""
    assert row.fingerprint is not None  # noqa: S101 (DropMadeEngagements lets no other one pass)
    return row.fingerprint
