"""Columns that are made of the rows of a list."""

from __future__ import annotations

from typing import Any

import pytest

from tap_totango.schema import types
from tap_totango.schema.naming import KnownColumns, Naming
from tap_totango.schema.seen_rows import SeenColumns, columns_of_rows
from totango_api.errors import SettingsError


def seen(rows: list[dict[str, Any]], *key: str) -> SeenColumns:
    return columns_of_rows(rows, key=key, search=None, known=KnownColumns(), naming=Naming())


@pytest.mark.parametrize("key", ["taskId", "task_id"])
def test_a_key_is_named_as_in_the_rows_or_as_its_column(key: str) -> None:
    found = seen([{"taskId": 7, "note": "x"}], key)
    assert found.keys == ("task_id",)
    assert [(column.name, column.path) for column in found.base] == [("task_id", ("taskId",))]


def test_an_account_may_be_part_of_the_key() -> None:
    found = seen([{"id": 7, "account": {"name": "acme"}}], "id", "account_id")
    assert found.keys == ("id", "account_id")
    assert [column.path for column in found.base if column.name == "account_id"] == [
        ("account", "name")
    ]


def test_a_key_that_no_row_has_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(SettingsError, match="No row of the first page has nr"):
        seen([{"id": 7}], "nr")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2026-02-28", types.DATE),
        ("2026-02-28T10:00:00Z", types.TIMESTAMP),
        ("2026-02-30", types.TEXT),
        ("2026-02-30T10:00:00Z", types.TEXT),
        ("2026-02-28T10:00 or so", types.TEXT),
    ],
)
def test_a_date_that_does_not_exist_is_text(value: str, kind: str) -> None:
    (column,) = seen([{"when": value}]).others
    assert column.kind == kind
