"""Single writes, by the clients that make many."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from totango_api.writing import HubBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.writing import (
        HubClient,
        HubObject,
        HubRow,
        HubRowResult,
        TrackingCall,
        TrackingClient,
    )


def deliver_call(client: TrackingClient, call: TrackingCall) -> None:
    """Make a tracking call, and raise the error that it ends in."""
    answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    poster = client.poster(max_in_flight=1)
    try:
        poster.post(client.form(call), answers.put, idempotent=call.idempotent)
        error = answers.get(timeout=60)
    finally:
        poster.close()
    if error is not None:
        raise error


def deliver_rows(
    client: HubClient, surface_object: HubObject, rows: Sequence[HubRow], **options: Any
) -> list[HubRowResult]:
    """Deliver rows by the hub, and return their results in the order of the rows."""
    groups = client.results(HubBatch(surface_object, rows, **options))
    found = {place: result for places, result in groups for place in places}
    return [found[place] for place in range(len(found))]
