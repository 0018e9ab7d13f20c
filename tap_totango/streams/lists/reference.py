"""Short lists of settings that other objects name by id: one call each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_totango.schema import BOOLEAN, NUMBER, TEXT, TIMESTAMP, Column
from tap_totango.streams.lists.base import ListedStream
from totango_api.search import REFERENCE_PATHS, rows_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class ReferenceList(ListedStream):
    """A list that one call answers."""

    keys: ClassVar[tuple[str, ...]] = ("id",)
    calls = "one"

    def rows(self) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield all rows.

        Raises:
            ApiError: If the service does not give them.
        """
        path = REFERENCE_PATHS[self.name]
        rows = rows_in(self.run.client.api("GET", path), f"GET {path}")
        yield [self.named(row) for row in rows]

    def named(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row with a display name, whatever that is called."""
        if "display_name" in row or "name" not in row:
            return row
        return {"display_name": row["name"], **{k: v for k, v in row.items() if k != "name"}}


_ID = Column("id", TEXT, "ID", ("id",))
_NAME = Column("display_name", TEXT, "Display name", ("display_name",))
_CHANGES = (
    Column("created_at", TIMESTAMP, "Created at", ("created_at",)),
    Column("created_by", TEXT, "Created by", ("created_by",)),
    Column("updated_at", TIMESTAMP, "Updated at", ("updated_at",)),
    Column("updated_by", TEXT, "Updated by", ("updated_by",)),
)


class TouchpointTypesStream(ReferenceList):
    """Types of touchpoints, by `id`."""

    name = "touchpoint_types"
    base = (
        _ID,
        _NAME,
        Column("icon", TEXT, "Icon", ("icon",)),
        Column("is_default", BOOLEAN, "Default", ("is_default",)),
        Column("non_editable", BOOLEAN, "Cannot be edited", ("non_editable",)),
        Column("used", BOOLEAN, "Used", ("used",)),
        *_CHANGES,
    )


class TouchpointTagsStream(ReferenceList):
    """Tags of touchpoints, also called reasons, by `id`."""

    name = "touchpoint_tags"
    base = (_ID, _NAME)


class ActivityTypesStream(ReferenceList):
    """SuccessFlows, by `activity_type_id`."""

    name = "activity_types"
    keys: ClassVar[tuple[str, ...]] = ("activity_type_id",)
    base = (
        Column("activity_type_id", TEXT, "SuccessFlow ID", ("activity_type_id",)),
        _NAME,
        Column(
            "num_of_activities_assign_to",
            NUMBER,
            "Activities assigned",
            ("num_of_activities_assign_to",),
        ),
        Column("icon_class", TEXT, "Icon", ("icon_class",)),
        Column("system_type", BOOLEAN, "Made by Totango", ("system_type",)),
        Column("default_type", BOOLEAN, "Default", ("default_type",)),
        Column("disabled", BOOLEAN, "Disabled", ("disabled",)),
    )

    def named(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row whose id has its own name."""
        row = super().named(row)
        found = row.get("activity_type_id") or row.get("id")
        return {**{key: row[key] for key in row if key != "id"}, "activity_type_id": found}


class ObjectiveStatusesStream(ReferenceList):
    """Statuses that objectives can have, by `id`."""

    name = "objective_statuses"
    base = (_ID, _NAME, *_CHANGES)


class ObjectiveCategoriesStream(ReferenceList):
    """Categories that objectives can have, by `id`."""

    name = "objective_categories"
    base = (_ID, _NAME, *_CHANGES)
