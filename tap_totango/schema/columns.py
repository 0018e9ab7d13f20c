"""Describes the columns of a stream: name, place of the value in a hit, kind.

Facts about field types and their values: "Search API (accounts and users)" and the public
clients that parse it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tap_totango.schema import types as values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from totango_api.search import Attribute, FieldSpec

EXTRA: Final = "_extra"

NARROW: Final = "Discovered while the service did not name its attributes: there may be more."
"""Description of a schema that may lack columns; a catalog keeps it."""

_NUMBERS: Final = {
    "number",
    "number_attribute",
    "number_metric",
    "number_metric_change",
    "named_aggregation",
    "activity_aggregation",
    "lifecycle_attribute_stage_by_id_total_days",
    "health_score",
    "health_dimension_score",
}
_TIMESTAMPS: Final = {
    "date",
    "date_attribute",
    "last_touch_timestamp",
}
_DATES: Final = {"simple_date", "simple_date_attribute"}
_TEXTS: Final = {
    "string",
    "string_attribute",
    "list_attribute",
    "lifecycle_attribute",
    "products",
}
_LABELS: Final = (
    "attribute",
    "term",
    "metric",
    "aggregation",
    "activity",
    "dimension",
    "account_role",
    "stage",
    "type",
)

_PARTS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "owner": (
        ("", "owner_value", values.TEXT),
        (" email", "owner_tid_value", values.TEXT),
    ),
    "health_trend": (
        ("", "health", values.TEXT),
        (" previous", "health_prev", values.TEXT),
        (" changed at", "change_date", values.TIMESTAMP),
    ),
}
"""Field types whose value is an object: a column for each part (label suffix, key, kind)."""

_PART_KEYS: Final = {kind: frozenset(key for _, key, _ in parts) for kind, parts in _PARTS.items()}


@dataclass(frozen=True)
class Column:
    """One column of a stream.

    Attributes:
        name: What the column is called; empty until it is named (:mod:`tap_totango.schema.naming`).
        kind: Of which kind its values are (:mod:`tap_totango.schema.types`).
        title: What it is called in Totango.
        path: Where its value stands in a hit, for columns that every hit has.
        field: The search field that returns it, for all others.
        part: Key inside the field's value, where that is an object.
        of_parent: Whether it is asked for as a column of the user's account.
        label: What its name is made of; empty where that is the title.
        is_computed: Whether no attribute definition names it, so that it is found by trial.
        is_read_only: Whether nobody can write it.
        is_optional: Whether it is read only if the user selects it.
    """

    name: str
    kind: str
    title: str
    path: tuple[str, ...] = ()
    field: FieldSpec | None = None
    part: str | None = None
    of_parent: bool = False
    label: str = ""
    is_computed: bool = False
    is_read_only: bool = False
    is_optional: bool = False

    @property
    def wanted_label(self) -> str:
        """The text of which the name of the column is made."""
        return self.label or self.title

    @property
    def identity(self) -> str:
        """What it means: neither its name nor its place among others changes that."""
        return self.title if self.label in {"", self.title} else f"{self.label} = {self.title}"

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the column."""
        schema = {**values.SCHEMAS[self.kind], "title": self.title}
        return {**schema, "readOnly": True} if self.is_read_only else schema


def base_columns(stream: str) -> tuple[Column, ...]:
    """Return the columns that every hit of a stream has."""
    account = ("account",) if stream == "users" else ()
    columns = [
        Column("account_id", values.TEXT, "Account ID", (*account, "name")),
        Column("account_name", values.TEXT, "Account name", (*account, "display_name")),
    ]
    if stream == "users":
        columns += [
            Column("user_id", values.TEXT, "User ID", ("name",)),
            Column("user_name", values.TEXT, "User name", ("display_name",)),
            Column("is_online", values.BOOLEAN, "Online", ("is_online",)),
            _time_column("first_activity_time", "First activity"),
        ]
    return (*columns, _time_column("last_activity_time", "Last activity"))


def _time_column(name: str, title: str) -> Column:
    return Column(name, values.TIMESTAMP, title, (name,))


def columns_of_attributes(
    attributes: Iterable[Attribute], *, base: Sequence[Column]
) -> list[Column]:
    """Return a column, without a name, for each attribute that a search can return."""
    named = {
        one.api_name: one
        for one in attributes
        if one.searchable and one.api_name not in {column.name for column in base}
    }
    return [
        Column("", kind_of(one.search_field), title, field=one.search_field)
        for title, one in sorted(named.items())
    ]


def columns_of_fields(
    fields: Sequence[FieldSpec], parent_fields: Sequence[FieldSpec]
) -> list[Column]:
    """Return the columns, without names, of the fields that a pasted query asks for."""
    columns: dict[str, Column] = {}
    for field, of_parent in [
        *((one, False) for one in fields),
        *((one, True) for one in parent_fields),
    ]:
        for column in _parts_of(field, of_parent=of_parent):
            label, number = column.label, 2
            while label in columns:
                label, number = f"{column.label} {number}", number + 1
            columns[label] = replace(column, label=label)
    return list(columns.values())


def _parts_of(field: FieldSpec, *, of_parent: bool) -> Iterable[Column]:
    """Yield the column of each part of a field's value."""
    title = label_of(field)
    label = str(field.get("field_display_name") or title)
    label = f"account {label}" if of_parent else label
    parts = _PARTS.get(str(field["type"]), (("", None, kind_of(field)),))
    for suffix, key, kind in parts:
        yield Column(
            "",
            kind,
            title + suffix,
            field=field,
            part=key,
            of_parent=of_parent,
            label=label + suffix,
        )


def kind_of(field: FieldSpec) -> str:
    """Return the kind of a field's values; fields unknown to us flow as JSON."""
    kind = str(field["type"])
    if kind in _NUMBERS:
        return values.NUMBER
    if kind in _TIMESTAMPS:
        return values.TIMESTAMP
    if kind in _DATES:
        return values.DATE
    return values.TEXT if kind in _TEXTS else values.JSON


def label_of(field: FieldSpec) -> str:
    """Return what a field is called in Totango: its attribute, or what else it names."""
    return next(str(field[key]) for key in _LABELS if field.get(key))


def part_keys(field: FieldSpec) -> frozenset[str]:
    """Return the keys of a field's value that have columns of their own."""
    return _PART_KEYS.get(str(field["type"]), frozenset())


def schema_of(
    columns: Sequence[Column], *, keys: Sequence[str], is_narrow: bool = False
) -> dict[str, Any]:
    """Return the JSON schema of a stream.

    Args:
        columns: In their order.
        keys: Names of those that are the key.
        is_narrow: Whether it may lack columns.
    """
    properties: dict[str, Any] = {column.name: column.schema for column in columns}
    for key in keys:
        properties[key] = {**properties[key], "type": ["string"]}
    properties[EXTRA] = {
        **values.SCHEMAS[values.OBJECT],
        "title": "What has no column, or does not fit its column",
    }
    schema = {"type": "object", "properties": properties, "required": list(keys)}
    return {**schema, "description": NARROW} if is_narrow else schema


def fields_for(columns: Iterable[Column], *, of_parent: bool = False) -> list[FieldSpec]:
    """Return the fields that a search must ask for, each once."""
    fields: list[FieldSpec] = []
    for column in columns:
        wanted = column.field is not None and column.of_parent is of_parent
        if wanted and column.field not in fields:
            fields.append(dict(column.field or {}))
    return fields
