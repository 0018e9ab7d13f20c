"""Columns of a search answer: every field type, and the value at its position.

Values that Totango computes (scores, metrics, aggregations) are made up, always the same ones for
the same row and field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import ApiError
from totango_sandbox.storage import (
    ROLES,
    STATUS_GROUPS,
    UNKNOWN_STATUS,
    attribute_column,
    made_up,
    owner_mail,
    role_columns,
)

if TYPE_CHECKING:
    from totango_sandbox.storage import Column, Store, Table

Field = dict[str, Any]
Values = Callable[[Sequence[int]], list[Any]]
_MADE_UP_SINCE: Final = 1_700_000_000_000

# Made-up numbers: field type → (values below this, divided by this).
_NUMBERS: Final = {
    "health_score": (101, 1),
    "health_dimension_score": (101, 1),
    "number_metric": (1000, 1000),
    "number_metric_change": (4000, 1000),
    "named_aggregation": (200, 1),
    "activity_aggregation": (90, 1),
    "lifecycle_attribute_stage_by_id_total_days": (400, 1),
}
# Keys of a field that say what it is about.
_ABOUT: Final = ("term", "attribute", "metric", "aggregation", "activity", "account_role")
_NEEDS: Final = {
    "string": "term",
    "number": "term",
    "date": "term",
    "simple_date": "term",
    "string_attribute": "attribute",
    "number_attribute": "attribute",
    "date_attribute": "attribute",
    "simple_date_attribute": "attribute",
    "list_attribute": "attribute",
    "lifecycle_attribute": "attribute",
    "number_metric": "metric",
    "named_aggregation": "aggregation",
    "activity_aggregation": "activity",
}


def compile_fields(store: Store, table: Table, fields: Sequence[Field]) -> list[Values]:
    """Return one function per field, from positions of rows to their values.

    Raises:
        ApiError: a field type is unknown or lacks what it needs.
    """
    return [_compile(store, table, field) for field in fields]


def select_fields(
    store: Store, table: Table, fields: Sequence[Field], rows: Sequence[int]
) -> list[list[Any]]:
    """Return the values of all fields for each row."""
    columns = [values(rows) for values in compile_fields(store, table, fields)]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in rows]


def _compile(store: Store, table: Table, field: Field) -> Values:
    kind = str(field.get("type"))
    answers = store.switches.open_ended(*_switches_of(kind, field))
    if "off" in answers:
        msg = f"unknown field type {kind!r}"
        raise ApiError(msg)
    if "null" in answers:
        return _plain(None)
    need = _NEEDS.get(kind)
    if need is not None and not isinstance(field.get(need), str):
        msg = f"field {kind!r} needs {need!r}"
        raise ApiError(msg)
    if need == "attribute":
        return _attribute(store, table, kind, field["attribute"])
    if kind in _NUMBERS:
        return _made_up_numbers(table, kind, field)
    makers: dict[str, Callable[[Store, Table, Field], Values]] = {
        "string": _string,
        "number": _number,
        "date": _date,
        "simple_date": _simple_date,
        "owner": _owner,
        "health_trend": _health_trend,
        "health_reason": _health_reason,
        "last_touch_timestamp": _last_touch_timestamp,
        "last_touch": _nothing,
        "on_attention": _nothing,
        "products": _products,
    }
    if kind not in makers:
        msg = f"unknown field type {field.get('type')!r}"
        raise ApiError(msg)
    return makers[kind](store, table, field)


def _switches_of(kind: str, field: Field) -> tuple[str, ...]:
    """Return the switches that decide on a field: by its type, and by what it is about."""
    names = (field[key] for key in _ABOUT if isinstance(field.get(key), str))
    return f"field.{kind}", *(f"field.{kind}.{name}" for name in names)


def _plain(column: Column | None) -> Values:
    if column is None:
        return lambda rows: [None] * len(rows)
    return lambda rows: [column[row] for row in rows]


def _mapped(column: Column | None, change: Callable[[Any], Any]) -> Values:
    if column is None:
        return _plain(None)
    return lambda rows: [None if (cell := column[row]) is None else change(cell) for row in rows]


def _attribute(store: Store, table: Table, kind: str, name: str) -> Values:
    column = attribute_column(table, name)
    if column is None:
        defined = name in store.definitions.by_object[table.kind]
        if not defined and store.switches.text("unknown_field_attribute") == "error":
            msg = f"unknown attribute {name!r}"
            raise ApiError(msg)
        return _plain(None)
    definition = store.definitions.by_object[table.kind].get(name)
    stored = "text" if definition is None else definition.type
    if kind == "simple_date_attribute":
        return _mapped(column, _day_text(store))
    if kind in {"string_attribute", "list_attribute", "lifecycle_attribute"}:
        if stored == "date":
            return _mapped(column, _day_text(store))
        if stored in {"number", "currency"}:
            return _mapped(column, str)
    if stored == "multi_list" and store.switches.text("multi_list") == "array":
        return _mapped(column, lambda cell: str(cell).split(","))
    return _plain(column)


def _day_text(store: Store) -> Callable[[Any], Any]:
    write = dates.day_text
    if store.switches.text("simple_dates") == "datetime":
        write = dates.time_text
    return lambda cell: write(cell) if isinstance(cell, int) else cell


def _string(_store: Store, table: Table, field: Field) -> Values:
    name = field["term"]
    if name == "identifier":
        return _plain(table.base["id"])
    if name in {"display_name", "search_name", "name"}:
        return _plain(table.base["display"])
    if table.kind == "accounts":
        if name == "health":
            return _plain(table.base["health"])
        status = table.attributes.get("Status")
        if name == "status":
            return _plain(status)
        if name == "status_group":
            groups = STATUS_GROUPS
            return _mapped(status, lambda cell: groups.get(cell, UNKNOWN_STATUS))
    msg = f"unknown string field {name!r}"
    raise ApiError(msg)


def _number(_store: Store, table: Table, field: Field) -> Values:
    name = field["term"]
    if name == "contract_value":
        return _plain(table.attributes.get("Contract Value"))
    if name == "score":
        kept = table.attributes.get("score")
        return _plain(kept) if kept is not None else _made_up_numbers(table, "health_score", field)
    msg = f"unknown number field {name!r}"
    raise ApiError(msg)


def _date(_store: Store, table: Table, field: Field) -> Values:
    name = field["term"]
    if name in {"last_activity_time", "first_activity_time"}:
        return _plain(table.base[name])
    if name == "create_date":
        return _plain(table.attributes.get("Create Date"))
    msg = f"unknown date field {name!r}"
    raise ApiError(msg)


def _simple_date(store: Store, table: Table, field: Field) -> Values:
    name = str(field["term"]).removeprefix("simple_")
    if name not in {"last_activity_time", "first_activity_time"}:
        msg = f"unknown simple_date field {field['term']!r}"
        raise ApiError(msg)
    return _mapped(table.base[name], _day_text(store))


def _owner(store: Store, table: Table, field: Field) -> Values:
    role = field.get("account_role")
    found = role_columns(store.accounts, role if isinstance(role, str) else ROLES[0])
    column = found[0] if found else None
    accounts = table.base["account_row"] if table.kind == "users" else None

    staff = store.staff.base
    logins = {staff["display"][row]: staff["id"][row] for row in store.staff.live_rows()}

    def owner(name: object) -> dict[str, str]:
        login = logins.get(name) or owner_mail(str(name))
        return {"owner_value": str(name), "owner_tid_value": login}

    of_accounts = _mapped(column, owner)
    if accounts is None:
        return of_accounts
    return lambda rows: of_accounts([accounts[row] for row in rows])


def _health_trend(_store: Store, table: Table, _field: Field) -> Values:
    if table.kind != "accounts":
        msg = "health_trend is for accounts"
        raise ApiError(msg)
    now, before, changed = (table.base[name] for name in ("health", "health_prev", "health_change"))

    def values(rows: Sequence[int]) -> list[Any]:
        return [
            None
            if now[row] is None
            else {"health": now[row], "health_prev": before[row], "change_date": changed[row]}
            for row in rows
        ]

    return values


def _health_reason(_store: Store, table: Table, _field: Field) -> Values:
    """Requested by clients, parsed by none: a text, as good as any other guess."""
    column = table.base.get("health")
    return _mapped(column, lambda health: f"profile is {health}")


def _last_touch_timestamp(store: Store, table: Table, _field: Field) -> Values:
    """Show the newest touchpoint, else a made-up one, as text: a client stores a timestamp."""
    ids = table.base["id"]
    write = dates.day_text
    if store.switches.text("simple_dates") == "datetime":
        write = dates.time_text

    newest = store.events.newest_note if table.kind == "accounts" else {}

    def touch(identifier: object) -> str | None:
        moment = newest.get(str(identifier))
        if moment is not None:
            return write(moment)
        day = made_up(identifier, "touch") % 500
        return None if day < 100 else write(_MADE_UP_SINCE + day * dates.DAY)

    return _mapped(ids, touch)


def _products(_store: Store, table: Table, _field: Field) -> Values:
    return _plain(table.base.get("product_id"))


def _nothing(_store: Store, _table: Table, _field: Field) -> Values:
    """No client ever parsed it, so there is nothing to imitate."""
    return _plain(None)


def _made_up_numbers(table: Table, kind: str, field: Field) -> Values:
    below, divisor = _NUMBERS[kind]
    names = sorted(name for name in field if name not in {"field_display_name", "index", "desc"})
    salt = "|".join(f"{name}={field[name]}" for name in names)

    def number(identifier: object) -> float | int | None:
        value = made_up(identifier, salt) % below
        if value % 10 == 7:
            return None
        return value if divisor == 1 else value / divisor

    return _mapped(table.base["id"], number)
