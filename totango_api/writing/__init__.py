"""Makes one write and reports a result for every row in it."""

from __future__ import annotations

from totango_api.writing.hub import HubClient
from totango_api.writing.hub_responses import Accepted, Outcome, Refused, Uncertain
from totango_api.writing.hub_rows import HubObject, HubRow
from totango_api.writing.records import RecordClient, RecordEndpoint
from totango_api.writing.tasks import TASKS
from totango_api.writing.touchpoints import TOUCHPOINTS
from totango_api.writing.tracking import NoReceiptError, TrackingCall, TrackingClient
from totango_api.writing.user_deletion import Deletion, delete_user
from totango_api.writing.validation import (
    SALESFORCE_SHORT,
    IdProblem,
    account_id_flaws,
    attribute_name_flaws,
    is_short_salesforce_id,
    length_flaws,
    product_id_flaws,
    salesforce_long_id,
    user_id_flaws,
)

__all__ = [
    "SALESFORCE_SHORT",
    "TASKS",
    "TOUCHPOINTS",
    "Accepted",
    "Deletion",
    "HubClient",
    "HubObject",
    "HubRow",
    "IdProblem",
    "NoReceiptError",
    "Outcome",
    "RecordClient",
    "RecordEndpoint",
    "Refused",
    "TrackingCall",
    "TrackingClient",
    "Uncertain",
    "account_id_flaws",
    "attribute_name_flaws",
    "delete_user",
    "is_short_salesforce_id",
    "length_flaws",
    "product_id_flaws",
    "salesforce_long_id",
    "user_id_flaws",
]
