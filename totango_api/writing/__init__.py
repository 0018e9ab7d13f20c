"""Makes one write and reports a result for every row in it."""

from __future__ import annotations

from totango_api.writing.engagement_endpoints import (
    TASK_ENDPOINT,
    TOUCHPOINT_ENDPOINT,
    EngagementEndpoint,
)
from totango_api.writing.engagements import SUCCESS, EngagementClient
from totango_api.writing.hub import HubClient, hub_headers
from totango_api.writing.hub_rows import (
    HubBatch,
    HubObject,
    HubRow,
    HubRowResult,
    RowAccepted,
    RowRefused,
    RowUncertain,
)
from totango_api.writing.tracking import (
    PIXEL,
    RECEIPTS,
    NoReceiptError,
    TrackingClient,
    tracking_parameters,
)
from totango_api.writing.user_deletion import Deletion, delete_user, deletion_request
from totango_api.writing.validation import (
    SALESFORCE_SHORT,
    IdProblem,
    account_id_problems,
    attribute_name_problems,
    has_blank_end,
    is_short_salesforce_id,
    length_problems,
    product_id_problems,
    salesforce_long_id,
    user_id_problems,
)

__all__ = [
    "PIXEL",
    "RECEIPTS",
    "SALESFORCE_SHORT",
    "SUCCESS",
    "TASK_ENDPOINT",
    "TOUCHPOINT_ENDPOINT",
    "Deletion",
    "EngagementClient",
    "EngagementEndpoint",
    "HubBatch",
    "HubClient",
    "HubObject",
    "HubRow",
    "HubRowResult",
    "IdProblem",
    "NoReceiptError",
    "RowAccepted",
    "RowRefused",
    "RowUncertain",
    "TrackingClient",
    "account_id_problems",
    "attribute_name_problems",
    "delete_user",
    "deletion_request",
    "has_blank_end",
    "hub_headers",
    "is_short_salesforce_id",
    "length_problems",
    "product_id_problems",
    "salesforce_long_id",
    "tracking_parameters",
    "user_id_problems",
]
