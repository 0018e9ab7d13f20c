"""Delivers write requests to their destinations, in key order, and returns write results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.delivery.base import (
    FORBIDDEN,
    Confirmed,
    Destination,
    Failed,
    Planned,
    Refused,
    Uncertain,
    WriteResult,
    result_of,
)
from target_totango.delivery.dry_run import DryRunDestination, DryRunSummary
from target_totango.delivery.engagements import EngagementDestination
from target_totango.delivery.hub import HubDestination
from target_totango.delivery.tracking import TrackingDestination, TrackingWorker
from target_totango.models import API, HUB
from target_totango.verify import ArrivalCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.storage import RunFiles

__all__ = [
    "FORBIDDEN",
    "Confirmed",
    "Destination",
    "DryRunDestination",
    "DryRunSummary",
    "Failed",
    "Planned",
    "Refused",
    "Uncertain",
    "WriteResult",
    "make_destination",
    "result_of",
]


def make_destination(
    delivery: str,
    clients: Clients,
    settings: Settings,
    files: RunFiles,
    *,
    is_interrupted: Callable[[], bool],
) -> Destination:
    """Return a destination.

    Args:
        delivery: `tracking`, `hub` or `api`.
        clients: What it sends through.
        settings: The target's settings.
        files: What the ledger has to know is made durable before a call; `api` needs one.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """
    if delivery == HUB:
        return HubDestination(
            clients.hub,
            arrivals=ArrivalCheck(lambda: clients.verifier, seconds=settings.verify_timeout),
            prepare=files.prepare,
            is_interrupted=is_interrupted,
        )
    if delivery == API:
        assert files.ledger is not None  # noqa: S101 (settings without one were refused)
        return EngagementDestination(
            clients.api,
            ledger=files.ledger,
            prepare=files.prepare,
            is_interrupted=is_interrupted,
            visible_seconds=settings.verify_timeout,
        )
    worker = TrackingWorker(
        clients.tracking,
        max_in_flight=settings.max_in_flight,
        repeats_activities=settings.repeats_activities,
        prepare=files.prepare,
    )
    return TrackingDestination(worker, is_interrupted=is_interrupted)
