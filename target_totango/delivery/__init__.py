"""Destinations: write requests in, write results out, in key order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.delivery.base import Destination
from target_totango.delivery.hub import HubDestination
from target_totango.delivery.tracking import TrackingDestination
from target_totango.models import HUB, Row
from totango_api.writing import HubClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_totango.clients import Clients
    from target_totango.config import Settings

__all__ = ["Destination", "make_destination"]


def make_destination(
    delivery: str,
    clients: Clients,
    settings: Settings,
    *,
    prepare: Callable[[list[Row]], None],
    is_interrupted: Callable[[], bool],
) -> Destination:
    """Return a destination.

    Args:
        delivery: `tracking` or `hub`.
        clients: What it sends through.
        settings: The target's settings.
        prepare: Called with rows right before their call, in any thread.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """
    if delivery == HUB:
        return HubDestination(
            HubClient(clients.transport, max_rows=settings.hub_batch_size),
            max_rows=settings.hub_batch_size,
            prepare=prepare,
            is_interrupted=is_interrupted,
        )
    return TrackingDestination(
        clients.tracking,
        max_in_flight=settings.max_in_flight,
        prepare=prepare,
        is_interrupted=is_interrupted,
    )
