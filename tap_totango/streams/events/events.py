"""The stream `events`: the whole service's, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_totango.schema import BOOLEAN, OBJECT, TEXT, Column
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView

if TYPE_CHECKING:
    from collections.abc import Sequence


class EventsStream(EventView):
    """Events: touchpoints, tasks, alerts, campaign touches; by `event_id`."""

    name = "events"
    base = (
        *EVENT_COLUMNS[:2],
        Column("type", TEXT, "Event type", ("type",)),
        *EVENT_COLUMNS[2:],
        Column("is_new", BOOLEAN, "New", ("is_new",)),
        Column("note_content", OBJECT, "Touchpoint", ("note_content",)),
        Column("task_content", OBJECT, "Task", ("task_content",)),
        Column("alert_content", OBJECT, "Alert", ("alert_content",)),
        Column("campaign_content", OBJECT, "Campaign touch", ("campaign_content",)),
        Column("properties", OBJECT, "Properties", ("properties",)),
    )

    @property
    def types(self) -> Sequence[str]:
        """Of which types its events are; none where of any."""
        return self.config.get("event_types") or ()
