"""One module per group of streams: declarations, what to ask for, when a bookmark moves."""

from typing import Final

from tap_totango.streams.attributes import AttributesStream
from tap_totango.streams.audit_log import AuditLogStream
from tap_totango.streams.base import TotangoStream
from tap_totango.streams.campaign_touches import CampaignTouchesStream
from tap_totango.streams.context import Discovery, StreamContext
from tap_totango.streams.events import EventsStream
from tap_totango.streams.health_changes import HealthChangesStream
from tap_totango.streams.import_jobs import ImportJobsStream
from tap_totango.streams.maps import check_maps, map_error
from tap_totango.streams.reference import (
    ActivityTypesStream,
    ObjectiveCategoriesStream,
    ObjectiveStatusesStream,
    TouchpointTagsStream,
    TouchpointTypesStream,
)
from tap_totango.streams.search import AccountsStream, UsersStream
from tap_totango.streams.staff import StaffStream
from tap_totango.streams.task_events import TaskEventsStream
from tap_totango.streams.tasks import TasksStream
from tap_totango.streams.teams import TeamsStream
from tap_totango.streams.touchpoints import TouchpointsStream

STREAMS: Final = (
    AccountsStream,
    UsersStream,
    EventsStream,
    AttributesStream,
    TouchpointsStream,
    TaskEventsStream,
    TasksStream,
    HealthChangesStream,
    CampaignTouchesStream,
    TouchpointTypesStream,
    TouchpointTagsStream,
    ActivityTypesStream,
    ObjectiveStatusesStream,
    ObjectiveCategoriesStream,
    StaffStream,
    TeamsStream,
    AuditLogStream,
    ImportJobsStream,
)
"""Every stream of the tap."""

__all__ = [
    "STREAMS",
    "Discovery",
    "StreamContext",
    "TotangoStream",
    "check_maps",
    "map_error",
]
