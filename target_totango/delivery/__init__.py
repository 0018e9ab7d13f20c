"""Destinations: write requests in, write results out, in key order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_totango.delivery.base import Destination
from target_totango.delivery.collected import CollectedResults
from target_totango.delivery.hub import HubDestination
from target_totango.delivery.hub_delivery import HubDelivery
from target_totango.delivery.tracking import Callers, Threads, TrackingDestination
from target_totango.models import HUB, Row
from totango_api.http.call_loop import CallLoop
from totango_api.http.environment import uses_proxy
from totango_api.writing.hub import Hub
from totango_api.writing.tracking import Tracker

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
    results = CollectedResults()
    if delivery == HUB:
        client = clients.transport
        posts = CallLoop.fits_here() and not (
            uses_proxy(client.connection.hosts.hub) or client.budget.paces
        )
        results.destination = HubDestination(
            HubDelivery(Hub(client, max_rows=settings.hub_batch_size), prepare),
            results.add,
            settle_all=results.add_all,
            max_rows=settings.hub_batch_size,
            interrupted=is_interrupted,
            loop=clients.loop if posts else None,
        )
        return results
    tracker = Tracker(clients.transport, token=settings.sdr_token)
    how: dict[str, Any] = {
        "in_flight": settings.max_in_flight,
        "prepare": prepare,
        "interrupted": is_interrupted,
    }
    if tracker.uses_proxy or not CallLoop.fits_here():
        results.destination = TrackingDestination(Threads(tracker, results.add, **how))
    else:
        results.destination = TrackingDestination(
            Callers(tracker, clients.loop, results.add, **how)
        )
    return results
