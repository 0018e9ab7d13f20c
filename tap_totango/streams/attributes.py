"""The stream `attributes`: the definitions of all attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_totango.records import Table
from tap_totango.schema import EXTRA, TEXT, Column
from tap_totango.streams.base import TotangoStream
from totango_api.search import discover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.search import Attribute


class AttributesStream(TotangoStream):
    """Attribute definitions, by object and API name."""

    name = "attributes"
    selected_by_default = False
    keys: ClassVar[tuple[str, ...]] = ("object", "api_name")
    calls = "one"
    base = (
        Column("object", TEXT, "accounts or users", ("object",)),
        Column("api_name", TEXT, "API name", ("api_name",)),
        Column("type", TEXT, "Type, as Totango calls it", ("type",)),
        Column("display_name", TEXT, "Display name", ("display_name",)),
    )

    def tables(self) -> Iterator[Table]:
        """Yield one record for each definition.

        Raises:
            ApiError: If the service does not give its definitions.
        """
        found = [self._record(one) for one in discover(self.run.client)]
        names = [*(column.name for column in self.base), EXTRA]
        yield Table({name: [one[name] for one in found] for name in names}, len(found))

    @staticmethod
    def _record(attribute: Attribute) -> dict[str, Any]:
        known = {"key_name", "type", "display_name"}
        extra = {key: value for key, value in attribute.definition.items() if key not in known}
        return {
            "object": attribute.object,
            "api_name": attribute.api_name,
            "type": attribute.declared_type or None,
            "display_name": attribute.display_name,
            EXTRA: extra or None,
        }
