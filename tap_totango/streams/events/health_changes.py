"""The stream `health_changes`: events of the type `alert`, flat."""

from __future__ import annotations

from typing import ClassVar

from tap_totango.schema import NUMBER, TEXT, Column
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView

_CONTENT = "alert_content"


class HealthChangesStream(EventView):
    """Changes of an account's health, by `event_id`."""

    name = "health_changes"
    event_types: ClassVar[tuple[str, ...]] = ("alert",)
    base = (
        *EVENT_COLUMNS,
        Column("alert_type", TEXT, "Type of the alert", (_CONTENT, "alert_type")),
        Column("health", TEXT, "Health", (_CONTENT, "properties", "health")),
        Column("health_previous", TEXT, "Health before", (_CONTENT, "properties", "health_prev")),
        Column("duration", NUMBER, "Duration", (_CONTENT, "properties", "duration")),
        Column("description", TEXT, "Description", (_CONTENT, "description")),
        Column("sentiment", TEXT, "Sentiment", (_CONTENT, "sentiment")),
    )
