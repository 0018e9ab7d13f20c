"""Streams of the events of one type, flat: touchpoints, changes of health, touches of campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_totango.schema import BOOLEAN, JSON, NUMBER, OBJECT, TEXT, TIMESTAMP, Column
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView
from totango_api.text import condensed_text

if TYPE_CHECKING:
    from totango_api.search import Hit

_TEXT = "text without tags"


def _property(name: str, kind: str, title: str, key: str = "") -> Column:
    return Column(name, kind, title, ("properties", key or name))


class TouchpointsStream(EventView):
    """Touchpoints, by `event_id`. An edit counts as new only where Totango makes it an event."""

    name = "touchpoints"
    event_types: ClassVar[tuple[str, ...]] = ("note",)
    base = (
        *EVENT_COLUMNS,
        Column("is_new", BOOLEAN, "New", ("is_new",)),
        Column("note_id", TEXT, "Touchpoint ID", ("note_content", "note_id")),
        _property("subject", TEXT, "Subject"),
        Column("text", TEXT, "Text", (_TEXT,)),
        Column("text_html", TEXT, "Text as HTML", ("note_content", "text")),
        Column("author", TEXT, "Author", ("note_content", "totango_user", "user_name")),
        _property("activity_type_id", TEXT, "SuccessFlow"),
        _property("activity_type_id_prev", TEXT, "SuccessFlow before"),
        _property("activity_type_id_is_modified", BOOLEAN, "SuccessFlow changed"),
        _property("touchpoint_type_id", TEXT, "Touchpoint type", "meeting_type"),
        _property("touchpoint_tags", JSON, "Touchpoint tags"),
        _property("parent_note_id", TEXT, "Answers touchpoint; 0 for none", "parent_id"),
        _property("informed", JSON, "Informed"),
        _property("participants", JSON, "Participants", "totango_participants"),
        _property("customers_visibility", TEXT, "Visibility to customers"),
        _property("created_at", TIMESTAMP, "Written at", "creation_time"),
        _property("edited_at", TIMESTAMP, "Edited at", "last_edit_time"),
        _property("edited_by", TEXT, "Edited by", "last_edit_user"),
        _property("assets", JSON, "Assets"),
    )

    def prepared(self, hit: Hit) -> Hit:
        """Return an event with the text of its HTML."""
        content = hit.get("note_content")
        html = content.get("text") if isinstance(content, dict) else None
        return {**hit, _TEXT: condensed_text(html)} if isinstance(html, str) else hit


class HealthChangesStream(EventView):
    """Changes of an account's health, by `event_id`."""

    name = "health_changes"
    event_types: ClassVar[tuple[str, ...]] = ("alert",)
    base = (
        *EVENT_COLUMNS,
        Column("alert_type", TEXT, "Type of the alert", ("alert_content", "alert_type")),
        Column("health", TEXT, "Health", ("alert_content", "properties", "health")),
        Column(
            "health_previous", TEXT, "Health before", ("alert_content", "properties", "health_prev")
        ),
        Column("duration", NUMBER, "Duration", ("alert_content", "properties", "duration")),
        Column("description", TEXT, "Description", ("alert_content", "description")),
        Column("sentiment", TEXT, "Sentiment", ("alert_content", "sentiment")),
    )


class CampaignTouchesStream(EventView):
    """Deliveries and answers of campaigns, by `event_id`.

    Nothing public shows what they hold, so nothing is taken apart.
    """

    name = "campaign_touches"
    event_types: ClassVar[tuple[str, ...]] = ("campaign_touch",)
    base = (
        *EVENT_COLUMNS,
        Column("campaign_content", OBJECT, "Campaign touch", ("campaign_content",)),
        Column("properties", OBJECT, "Properties", ("properties",)),
    )
