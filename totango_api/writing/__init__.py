"""Makes one write and reports a result for every row in it."""

from __future__ import annotations

from totango_api.writing.hub import HubClient
from totango_api.writing.hub_rows import HubObject, HubRow
from totango_api.writing.records import RecordClient, RecordEndpoint
from totango_api.writing.tasks import TASKS
from totango_api.writing.touchpoints import TOUCHPOINTS
from totango_api.writing.tracking import NoReceiptError, TrackingCall, TrackingClient
from totango_api.writing.user_deletion import Deletion, delete_user

__all__ = [
    "TASKS",
    "TOUCHPOINTS",
    "Deletion",
    "HubClient",
    "HubObject",
    "HubRow",
    "NoReceiptError",
    "RecordClient",
    "RecordEndpoint",
    "TrackingCall",
    "TrackingClient",
    "delete_user",
]
