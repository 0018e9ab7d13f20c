"""Single writes, by the clients that make many."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from totango_api.writing import HubBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from totango_api.writing import (
        HubClient,
        HubObject,
        HubRow,
        HubRowResult,
        TrackingClient,
    )

_NONE: Mapping[str, str] = {}


def deliver_call(
    client: TrackingClient,
    account_id: str,
    *,
    account: Mapping[str, str] = _NONE,
    user: Mapping[str, str] = _NONE,
    **ids: str,
) -> None:
    """Make a tracking call, and raise the error that it ends in."""
    body = client.form({"account_id": account_id, **ids}, account, user)
    answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    poster = client.poster(max_in_flight=1)
    try:
        poster.post(body, answers.put, idempotent="activity" not in ids)
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
