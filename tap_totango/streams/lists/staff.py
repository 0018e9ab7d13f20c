"""The stream `staff`: the people who work in Totango, as one public client asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_totango.schema import TEXT, TIMESTAMP, Column, fields_for
from tap_totango.streams.lists.base import ListedStream
from totango_api.errors import IncompleteReadError
from totango_api.reading import CompleteRead, Paging
from totango_api.search import Query, staff_search
from totango_api.text import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _field(name: str, attribute: str) -> Column:
    field = {"type": "string_attribute", "attribute": attribute}
    return Column(name, TEXT, attribute, field=field)


class StaffStream(ListedStream):
    """People who work in Totango, by `staff_id`: the e-mail by which they log in."""

    name = "staff"
    keys: ClassVar[tuple[str, ...]] = ("staff_id",)
    calls = "one for each 1,000 people"
    base = (
        Column("staff_id", TEXT, "Login", ("name",)),
        Column("display_name", TEXT, "Name", ("display_name",)),
        Column("first_activity_time", TIMESTAMP, "First activity", ("first_activity_time",)),
        Column("last_activity_time", TIMESTAMP, "Last activity", ("last_activity_time",)),
        _field("first_name", "First Name"),
        _field("last_name", "Last Name"),
        _field("license", "License"),
        _field("status", "__internal_status"),
        _field("role", "__internal_role"),
        _field("teams", "__internal_teams"),
        _field("region", "Region"),
        _field("country", "Country"),
    )

    def rows(self) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield all of them, a page at a time.

        Raises:
            IncompleteReadError: If there are fewer than the service counts, or some are no objects,
                unless the user said to go on.
        """
        columns, _ = self.wanted()
        query = Query(fields=tuple(fields_for(columns)))
        size = self.run.known_service.rows_of_page(self.config.get("page_size"))
        reading = CompleteRead(staff_search(self.run.client), query, paging=Paging(page_size=size))
        for batch in reading.batches():
            yield batch.hits
        result = reading.result
        if result.is_complete:
            return
        missing = None if result.missing is None else result.missing + result.unreadable
        if result.total is None:
            number = rows(missing) if missing else "Some rows"
        else:
            number = f"{missing or 'Some'} of {rows(result.total)}"
        msg = f"{number} of staff could not be read."
        remedy = "Run it again, or set on_incomplete: warn to go on without them."
        self.go_on_without(IncompleteReadError(msg, missing=missing, remedy=remedy))

    @property
    def remedy(self) -> str:
        """What to do where the service refuses the call."""
        return f"{super().remedy} Totango's SCIM API lists the same people, where it is enabled."
