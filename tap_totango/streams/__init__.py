"""One module per group of streams: declarations, what to ask for, when a bookmark moves.

Copy `attributes.py` for a new one, and add its class to `STREAMS`.
"""

from collections.abc import Mapping
from typing import Any, Final

from tap_totango.own_requests import own_requests
from tap_totango.streams.accounts import AccountsStream
from tap_totango.streams.attributes import AttributesStream
from tap_totango.streams.base import TotangoStream
from tap_totango.streams.checks import check_maps, check_selection, map_error
from tap_totango.streams.context import Discovery, StreamContext
from tap_totango.streams.events.by_type import (
    CampaignTouchesStream,
    HealthChangesStream,
    TouchpointsStream,
)
from tap_totango.streams.events.events import EventsStream
from tap_totango.streams.events.tasks import TaskEventsStream, TasksStream
from tap_totango.streams.lists.audit_log import AuditLogStream
from tap_totango.streams.lists.import_jobs import ImportJobsStream
from tap_totango.streams.lists.reference import (
    ActivityTypesStream,
    ObjectiveCategoriesStream,
    ObjectiveStatusesStream,
    TouchpointTagsStream,
    TouchpointTypesStream,
)
from tap_totango.streams.lists.staff import StaffStream
from tap_totango.streams.lists.teams import TeamsStream
from tap_totango.streams.own import (
    OwnAccountsStream,
    OwnListStream,
    OwnUsersStream,
)
from tap_totango.streams.users import UsersStream
from totango_api.search import ACCOUNTS, USERS

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

_OWN: Final[dict[str, type[TotangoStream]]] = {
    "": OwnListStream,
    ACCOUNTS: OwnAccountsStream,
    USERS: OwnUsersStream,
}


def streams_of(config: Mapping[str, Any]) -> dict[str, type[TotangoStream]]:
    """Return every stream of the tap, and those of the setting `streams`, by name.

    Raises:
        SettingsError: If that cannot be used.
    """
    built_in: dict[str, type[TotangoStream]] = {stream.name: stream for stream in STREAMS}
    own = {
        one.name: type(one.name, (_OWN[one.searches],), {"name": one.name, "own": one})
        for one in own_requests(config.get("streams"), built_in)
    }
    return {**built_in, **own}


__all__ = [
    "STREAMS",
    "Discovery",
    "StreamContext",
    "TotangoStream",
    "check_maps",
    "check_selection",
    "map_error",
    "streams_of",
]
