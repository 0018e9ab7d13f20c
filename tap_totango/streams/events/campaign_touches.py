"""The stream `campaign_touches`: events of the type `campaign_touch`.

Nothing public shows what they hold, so nothing is taken apart.
"""

from __future__ import annotations

from typing import ClassVar

from tap_totango.schema import OBJECT, Column
from tap_totango.streams.events.view import EVENT_COLUMNS, EventView


class CampaignTouchesStream(EventView):
    """Deliveries and answers of campaigns, by `event_id`."""

    name = "campaign_touches"
    event_types: ClassVar[tuple[str, ...]] = ("campaign_touch",)
    base = (
        *EVENT_COLUMNS,
        Column("campaign_content", OBJECT, "Campaign touch", ("campaign_content",)),
        Column("properties", OBJECT, "Properties", ("properties",)),
    )
