"""Reads calls of Segment: as the messages themselves, or as rows of Segment's warehouse tables.

In a warehouse each trait and property has its own column, and names are in snake case. Facts:
"Spec: Common fields", "Warehouse schemas" on segment.com.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.compiler.auto import is_load_metadata, recognise
from target_totango.mapping.values.convert import refuse
from totango_api.text import snake

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

GROUP: Final = "group"
IDENTIFY: Final = "identify"
TRACK: Final = "track"
PAGE: Final = "page"
SCREEN: Final = "screen"
ALIAS: Final = "alias"

_KINDS: Final = {
    GROUP: GROUP,
    IDENTIFY: IDENTIFY,
    TRACK: TRACK,
    PAGE: PAGE,
    SCREEN: SCREEN,
    ALIAS: ALIAS,
    "groups": GROUP,
    "identifies": IDENTIFY,
    "tracks": TRACK,
    "pages": PAGE,
    "screens": SCREEN,
    "aliases": ALIAS,
}
_LATEST: Final = {"accounts": GROUP, "users": IDENTIFY}
"""Tables of the latest state: the id of the row is that of the group or user."""

_TABLE_MARKS: Final = frozenset({"received_at", "uuid_ts", "loaded_at", "original_timestamp"})
_OWN: Final = frozenset(
    {
        *("id", "uuid", "uuid_ts", "loaded_at", "received_at", "sent_at", "timestamp"),
        *("original_timestamp", "user_id", "anonymous_id", "group_id", "previous_id"),
        *("message_id", "event", "event_text", "integrations", "context"),
    }
)
"""Columns that Segment adds to every table, in snake form."""

_TIMES: Final = ("timestamp", "original_timestamp", "sent_at", "received_at")
_snake: Final = functools.lru_cache(maxsize=10_000)(snake)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, from a message or from a row of a table.

    Attributes:
        kind: `group`, `identify`, `track`, `page`, `screen`, `alias`, or what else it says.
        traits: Of the group, or of the user who is identified.
        user_traits: Of the user, from the context.
        event: What the user did.
        name: Of the page or screen.
        category: Of the event, page or screen.
        is_wanted: Whether the call's `integrations` let it go to Totango.
        options: What they say for Totango.
    """

    kind: str
    group_id: Any = None
    user_id: Any = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    user_traits: Mapping[str, Any] = field(default_factory=dict)
    event: Any = None
    name: Any = None
    category: Any = None
    time: Any = None
    is_wanted: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


class CallReader:
    """Reads the calls of one stream.

    Args:
        stream: Its name.
        fields: Its columns.

    Attributes:
        kind: The kind of call of every row; None where each row says so itself, or there are none.
        is_event_table: Whether it holds the track calls of one event.
        is_calls: Whether it holds calls at all.
        source: The part of the stream's name before that of the table.
    """

    def __init__(self, stream: str, fields: Collection[str]) -> None:
        self._columns = {_snake(name) for name in fields}
        self.source, table = _parts(stream)
        is_latest = table in _LATEST and self._is_table and "account_id" not in self._columns
        self.is_event_table = not is_latest and table not in _KINDS and self._has_events
        self._id_column = "id" if is_latest else ""
        self.kind = _LATEST[table] if is_latest else _KINDS.get(table)
        if self.is_event_table:
            self.kind = TRACK
        is_ordinary = recognise(stream, (), ()) is not None
        self.is_calls = self.kind is not None or ("type" in self._columns and not is_ordinary)

    @property
    def missing(self) -> list[str]:
        """The columns without which no row of a table can say whom it is about."""
        if self.kind is None or not self._is_table or "context" in self._columns:
            return []
        groups, users = {"group_id", "context_group_id"}, {"user_id"}
        if self._id_column:
            groups, users = (groups | {"id"}, users) if self.kind == GROUP else (groups, {"id"})
        wanted = [groups] if self.kind == GROUP else [users, groups]
        return [" or ".join(sorted(each)) for each in wanted if each.isdisjoint(self._columns)]

    @property
    def _is_table(self) -> bool:
        return not _TABLE_MARKS.isdisjoint(self._columns) or any(
            column.startswith("context_") for column in self._columns
        )

    @property
    def _has_events(self) -> bool:
        return self._is_table and {"event", "event_text"} <= self._columns

    def read(self, record: Mapping[str, Any]) -> Call:
        """Return the call of a record.

        Raises:
            ConversionError: If traits, properties, context or integrations are no objects.
        """
        values = {_snake(name): value for name, value in record.items()}
        for name, value in _object(values, "context").items():
            values.setdefault(f"context_{_snake(name)}", value)
        kind = self.kind or str(values.get("type", "")).lower()
        kind = _KINDS.get(kind, kind)
        row_id = values.get(self._id_column)
        # A group call says which group the user comes to; its context, which one it was in.
        groups = [values.get("context_group_id"), values.get("group_id")]
        if kind == GROUP:
            groups = [groups[1], row_id, groups[0]]
        properties = _object(values, "properties")
        integrations = _integrations(values)
        totango = integrations.get("totango")
        return Call(
            kind,
            group_id=_first(*groups),
            user_id=_first(values.get("user_id"), row_id if kind == IDENTIFY else None),
            traits=self._traits(record, values) if kind in {GROUP, IDENTIFY} else {},
            user_traits=_prefixed("context_traits", record, values),
            event=_first(values.get("event_text"), values.get("event")),
            name=_first(values.get("name"), properties.get("name"), values.get("properties_name")),
            category=_first(
                properties.get("category"),
                values.get("category"),
                values.get("properties_category"),
            ),
            time=_first(*(values.get(name) for name in _TIMES)),
            is_wanted=not _is_false(totango)
            and (totango is not None or not _is_false(integrations.get("all"))),
            options=totango if isinstance(totango, dict) else {},
        )

    def _traits(self, record: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the traits of a message, or of a row of a table, whose other columns they are."""
        traits = _prefixed("traits", record, values)
        if traits or "traits" in values or "context" in values or "message_id" in values:
            return traits
        return {name: value for name, value in record.items() if not self._is_own(name)}

    def unused(self, record: Mapping[str, Any]) -> list[str]:
        """Return the columns and properties of an event, page or screen that are not written."""
        named = [*_object(record, "properties")] if "properties" in record else [*record]
        taken = {"name", "category", "type", "traits"}
        return [name for name in named if not self._is_own(name) and _snake(name) not in taken]

    def _is_own(self, name: str) -> bool:
        """Return whether a column is no trait or property, but Segment's or a loader's own."""
        column = _snake(name)
        return (
            is_load_metadata(name)
            or column in _OWN
            or column.startswith("context_")
            or (self.kind is None and column == "type")
        )


def _parts(stream: str) -> tuple[str, str]:
    """Return a stream's name in two: what is before the table, and the table.

    In BigQuery each table has a view beside it, without doubles.
    """
    *before, table = re.split(r"[-.:/]", stream)
    return "-".join(before), table.lower().removesuffix("_view")


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object, which may be JSON text.

    Raises:
        ConversionError: If it is something else.
    """
    value = values.get(name)
    if isinstance(value, str) and value:
        with contextlib.suppress(ValueError):
            value = json.loads(value, parse_float=Decimal)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        refuse("not an object", f"{name} are neither an object nor one as JSON text")
    return value


def _prefixed(
    prefix: str, record: Mapping[str, Any], values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return an object, of which flattening may have made columns."""
    if prefix in values:
        return _object(values, prefix)
    start = re.compile(prefix.replace("_", "[._]+") + "[._]+", re.IGNORECASE)
    return {
        start.sub("", name, count=1): value for name, value in record.items() if start.match(name)
    }


def _integrations(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return which destinations a call is for, by their names in lower case."""
    named = _prefixed("integrations", values, values)
    return {str(name).lower(): value for name, value in named.items()}


def _is_false(value: Any) -> bool:
    return value is False or (isinstance(value, str) and value.lower() == "false")


def _first(*values: Any) -> Any:
    """Return the first value that can be an id or a name."""
    for value in values:
        if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) and value != "":
            return value
    return None
