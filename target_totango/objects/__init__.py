"""Registry of what the target can write: one entry for each object of Totango."""

from target_totango.objects.forms import (
    DAY,
    LIST,
    MOMENT,
    TEXT,
    TRUTH,
    HubForm,
    NamedAttribute,
    RecordForm,
    TotangoObject,
    no_longer_than,
)
from target_totango.objects.registry import (
    DELETABLE,
    IDENTIFIERS,
    NAMED_SETTINGS,
    OBJECTS,
    RECORDED,
    REPEATABLE,
    SCOPES,
    STAFF,
)

__all__ = [
    "DAY",
    "DELETABLE",
    "IDENTIFIERS",
    "LIST",
    "MOMENT",
    "NAMED_SETTINGS",
    "OBJECTS",
    "RECORDED",
    "REPEATABLE",
    "SCOPES",
    "STAFF",
    "TEXT",
    "TRUTH",
    "HubForm",
    "NamedAttribute",
    "RecordForm",
    "TotangoObject",
    "no_longer_than",
]
