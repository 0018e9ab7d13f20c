"""Registry of what the target can write: one entry for each object of Totango."""

from target_totango.objects.forms import (
    DAY,
    LIST,
    MOMENT,
    TEXT,
    TRUTH,
    EngagementForm,
    HubForm,
    NamedAttribute,
    TotangoObject,
    no_longer_than,
)
from target_totango.objects.registry import (
    DELETABLE,
    ENGAGEMENTS,
    IDENTIFIERS,
    NAMED_SETTINGS,
    OBJECTS,
    REPEATABLE,
    SCOPES,
    STAFF,
)

__all__ = [
    "DAY",
    "DELETABLE",
    "ENGAGEMENTS",
    "IDENTIFIERS",
    "LIST",
    "MOMENT",
    "NAMED_SETTINGS",
    "OBJECTS",
    "REPEATABLE",
    "SCOPES",
    "STAFF",
    "TEXT",
    "TRUTH",
    "EngagementForm",
    "HubForm",
    "NamedAttribute",
    "TotangoObject",
    "no_longer_than",
]
