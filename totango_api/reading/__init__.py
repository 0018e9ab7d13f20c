"""Reads every row that matches a query throughout, and says whether any is missing.

Start at :mod:`totango_api.reading.complete_read`.
"""

from totango_api.reading.complete_read import CompleteRead
from totango_api.reading.date_keys import CREATE_DATE, DateKey, Movement, date_keys_of
from totango_api.reading.events.engagements import (
    EngagementEvent,
    engagement_events,
    first_engagement_events,
)
from totango_api.reading.events.pages import PATH as EVENTS_PATH
from totango_api.reading.events.pages import event_id_of, event_key_of, of_types, since
from totango_api.reading.events.read import EventsRead
from totango_api.reading.lists.parameters import PageParameters, parameters_of
from totango_api.reading.lists.read import ListRead
from totango_api.reading.pages import NO_HINTS, Hints, Paging
from totango_api.reading.partitions.partitioners import Partitioner, UserPartitions, partitioners_of
from totango_api.reading.result import ReadResult, RecordBatch, ResumePoint
from totango_api.reading.scroll import PATH as SCROLL_PATH
from totango_api.reading.scroll import ScrollRead
from totango_api.reading.staff import read_staff

__all__ = [
    "CREATE_DATE",
    "EVENTS_PATH",
    "NO_HINTS",
    "SCROLL_PATH",
    "CompleteRead",
    "DateKey",
    "EngagementEvent",
    "EventsRead",
    "Hints",
    "ListRead",
    "Movement",
    "PageParameters",
    "Paging",
    "Partitioner",
    "ReadResult",
    "RecordBatch",
    "ResumePoint",
    "ScrollRead",
    "UserPartitions",
    "date_keys_of",
    "engagement_events",
    "event_id_of",
    "event_key_of",
    "first_engagement_events",
    "of_types",
    "parameters_of",
    "partitioners_of",
    "read_staff",
    "since",
]
