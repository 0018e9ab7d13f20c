"""Maps streams and fields by their names, where no mapping says otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from target_totango.models import ACCOUNTS, USERS
from target_totango.objects import ENGAGEMENTS, IDENTIFIERS, OBJECTS
from totango_api.text import snake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from target_totango.mapping.compiler.schemas import StreamSchema

COMPUTED: Final = frozenset(
    {"last_activity_time", "first_activity_time", "is_online", "health", "score", "_extra"}
)
"""Columns of tap-totango that Totango works out itself and nobody can write."""

_COMPUTED_PREFIX: Final = "health_"

_LOADERS: Final = re.compile(
    r"_sdc_|_fivetran_|_airbyte_|_ab_(cdc|source_file)_|_dlt_|_dbt_|_sling_|__hevo_|_rivery_"
    r"|dbt_(scd_id|updated_at|valid_from|valid_to|is_deleted)$",
    re.IGNORECASE,
)
"""Columns that programs which load data add for themselves: none is an attribute."""

_TIMES: Final = (
    "timestamp",
    "occurred_at",
    "happened_at",
    "event_time",
    "event_timestamp",
    "event_date",
    "activity_time",
    "activity_date",
    "original_timestamp",
    "sent_at",
    "created_at",
    "received_at",
    "date",
    "time",
)
"""Fields that say when an activity happened; the first that is there."""


def is_computed(name: str) -> bool:
    """Return whether Totango computes a column of tap-totango, so that nobody can write it."""
    return name in COMPUTED or name.startswith(_COMPUTED_PREFIX)


def is_load_metadata(name: str) -> bool:
    """Return whether a loader such as Fivetran or dlt added a column for its own metadata."""
    return _LOADERS.match(name) is not None


def find_field(meaning: str, fields: Iterable[str]) -> str | None:
    """Return the field that has a meaning such as `account_id`: exactly, else by snake form."""
    names = list(fields)
    if meaning in names:
        return meaning
    alike = [name for name in names if snake(name) == meaning]
    return alike[0] if len(alike) == 1 else None


def recognise(stream: str, fields: Collection[str], keys: Sequence[str]) -> str | None:
    """Return the object that a stream holds, by its name or else by its columns; None if unknown.

    Nothing is taken for touchpoints and tasks: writing them twice makes two, and streams of other
    programs are called so, too. Rows that have an event's id for their key, as those of tap-totango
    do, are neither accounts nor users, though they name one.

    A prefix that a tap puts before the name does not matter: `crm-accounts`, `public-users`.

    Args:
        stream: Its name.
        fields: Its columns.
        keys: Its key properties.
    """
    name = re.split(r"[-.:/]", stream)[-1].lower()
    if name in ENGAGEMENTS:
        return None
    if name in OBJECTS:
        return name
    has = {meaning for meaning in (*IDENTIFIERS, "email") if find_field(meaning, fields)}
    has_user = not has.isdisjoint({"user_id", "email"})
    fitting = [
        each
        for each in OBJECTS.values()
        if each.engagement is None
        and all(has_user if id_.name == "user_id" else id_.name in has for id_ in each.ids)
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda each: len(each.ids)).name
    keyed = {snake(key) for key in keys}
    if best in {ACCOUNTS, USERS} and keyed == {"event_id"}:
        return None
    if best != USERS or "user_id" in has:
        return best
    # Companies have an e-mail address as well, so only the key tells.
    if keyed == {"account_id"}:
        return ACCOUNTS
    return USERS if "email" in keyed else None


def attribute_fields(schema: StreamSchema, taken: Collection[str]) -> list[str]:
    """Return the fields that become attributes when unmapped ones are included."""
    reserved = {"account_id", "user_id", *taken}
    return [
        name
        for name in schema.fields
        if name not in reserved
        and not (is_computed(name) or is_load_metadata(name) or schema.is_read_only(name))
    ]


def find_time(schema: StreamSchema) -> str | None:
    """Return the field with the time of an activity, by the usual names; None if there is none."""
    for meaning in _TIMES:
        name = find_field(meaning, schema.fields)
        if name is not None and (not schema.types(name) or "string" in schema.types(name)):
            return name
    return None
