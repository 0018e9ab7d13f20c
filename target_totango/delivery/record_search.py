"""Finds by its events what a call made that was not answered, or not with an id."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from target_totango.verify import pauses
from totango_api.errors import ApiError
from totango_api.reading import record_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from target_totango.storage import RecordCall, RecordNotes
    from totango_api.http import ApiClient
    from totango_api.reading import RecordEvent
    from totango_api.writing import RecordEndpoint

logger = logging.getLogger("target-totango")

LOOK_SECONDS: Final = 30.0
"""How long something may take to become visible."""

FIRST_PAUSE: Final = 2.0

EARLIER_MILLISECONDS: Final = 5_000
"""How far the service's clock may be behind what is known of it."""


class RecordSearch:
    """Looks for what was made of rows. Safe to share between threads.

    It is what has the account and the texts that were sent, was made no earlier, and was made of no
    other row. Where several may be it, none is.

    Args:
        api: Makes the calls.
        notes: Knows what was sent, and of which row things were made.
        seconds: How long something may take to become visible.

    Attributes:
        error: Why nothing is looked for any more: events were not answered.
    """

    def __init__(self, api: ApiClient, notes: RecordNotes, *, seconds: float) -> None:
        self._api = api
        self._notes = notes
        self._seconds = min(seconds, LOOK_SECONDS)
        self.error: ApiError | None = None

    def note_call(self, row: Row, endpoint: RecordEndpoint) -> None:
        """Note that a call is about to go out, so that it can be looked for."""
        sent_at = int((time.time() - self._api.clock.ahead) * 1000)
        fields = row.request.fields
        values = {name: fields[name] for name in endpoint.told_by if fields.get(name)}
        self._notes.note_call(row.fingerprint or (), sent_at, values)

    def find(self, row: Row, endpoint: RecordEndpoint) -> str | None:
        """Return the id of what the last call for a row made; None where that is not certain."""
        call = self._notes.call(row.fingerprint) if row.fingerprint else None
        if call is None or self.error is not None:
            return None
        try:
            return self._looked_for(row, call, endpoint)
        except ApiError as error:
            # Trying again for each row of an outage would take hours.
            self.error = error
            logger.warning("What became of calls cannot be read: %s", error)
            return None

    def _looked_for(self, row: Row, call: RecordCall, endpoint: RecordEndpoint) -> str | None:
        """Look until something is there, or time is up.

        Raises:
            ApiError: If events are not answered.
        """
        for pause in pauses(self._seconds, FIRST_PAUSE):
            time.sleep(pause)
            if found := self._candidates(row, call, endpoint):
                return found.pop() if len(found) == 1 else None
        self._seconds = 0.0  # Waiting for each of many that were not made would take hours.
        return None

    def _candidates(self, row: Row, call: RecordCall, endpoint: RecordEndpoint) -> set[str]:
        """Return the ids of what the call may have made, of the first page that has any."""
        earliest = call.sent_at - EARLIER_MILLISECONDS
        is_dated = endpoint.moment in call.digests
        pages = record_events(
            self._api,
            endpoint.event_type,
            account_id=row.request.account_id,
            start=None if is_dated else earliest,
        )
        found = (
            {
                event.record_id
                for event in page
                if event.account_id in {None, row.request.account_id}
                and self._is_of(call, event, endpoint, earliest)
                and not self._notes.is_of_a_row(row.object, event.record_id)
            }
            for page in pages
        )
        return next(filter(None, found), set())

    def _is_of(
        self, call: RecordCall, event: RecordEvent, endpoint: RecordEndpoint, earliest: int
    ) -> bool:
        """Return whether an event may be of what the call made."""
        made_at = event.properties.get("creation_time")
        if isinstance(made_at, int):
            if made_at < earliest:
                return False
        elif endpoint.moment not in call.digests:
            if event.timestamp is None or event.timestamp < earliest:
                return False
        elif not self._is_same(call, endpoint.moment, event.timestamp):
            return False
        shown = endpoint.shown(event)
        told = [name for name in endpoint.told_by if name != endpoint.moment and name in shown]
        return self._has_texts(call, told, shown)

    def _has_texts(self, call: RecordCall, told: Sequence[str], shown: Any) -> bool:
        is_any_sent = any(name in call.digests for name in told)
        return is_any_sent and all(self._is_same(call, name, shown[name]) for name in told)

    def _is_same(self, call: RecordCall, name: str, value: Any) -> bool:
        return call.digests.get(name, self._notes.digest(None)) == self._notes.digest(value)
