"""Destinations: write requests in, write results out, in key order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.delivery.base import Destination
from target_totango.delivery.dry_run import DryRunDestination, DryRunSummary
from target_totango.delivery.hub import HubDestination
from target_totango.delivery.records import RecordDestination
from target_totango.delivery.results import (
    Confirmed,
    Failed,
    Planned,
    Refused,
    Uncertain,
    WriteResult,
    result_of,
)
from target_totango.delivery.tracking import TrackingDestination
from target_totango.delivery.unclear_answers import UnclearAnswers
from target_totango.models import HUB, RECORDS, Row
from totango_api.errors import SettingsError
from totango_api.writing import HubClient, RecordClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.storage import Ledger

__all__ = [
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
    *,
    ledger: Ledger | None,
    prepare: Callable[[list[Row]], None],
    is_interrupted: Callable[[], bool],
) -> Destination:
    """Return a destination.

    Args:
        delivery: `tracking`, `hub` or `records`.
        clients: What it sends through.
        settings: The target's settings.
        ledger: Knows what was made before; `records` needs it.
        prepare: Called with rows right before their call, in any thread.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """
    if delivery == HUB:
        return HubDestination(
            HubClient(
                clients.transport,
                max_rows=settings.hub_batch_size,
                repeats_activities=settings.repeats_activities,
            ),
            max_rows=settings.hub_batch_size,
            unclear=UnclearAnswers(lambda: clients.verifier, seconds=settings.verify_timeout),
            prepare=prepare,
            is_interrupted=is_interrupted,
        )
    if delivery == RECORDS:
        if ledger is None:
            msg = "Touchpoints and tasks need ledger_path."
            raise SettingsError(msg)
        return RecordDestination(
            clients.transport,
            RecordClient(clients.transport),
            ledger=ledger,
            prepare=prepare,
            is_interrupted=is_interrupted,
        )
    return TrackingDestination(
        clients.tracking,
        max_in_flight=settings.max_in_flight,
        repeats_activities=settings.repeats_activities,
        prepare=prepare,
        is_interrupted=is_interrupted,
    )
