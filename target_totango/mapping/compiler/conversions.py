"""Chooses how the values of a column become text: by setting, SCHEMA and Totango's definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.mapping.policy import IGNORE
from target_totango.mapping.values.convert import Conversion, text_conversion, to_number, to_yes_no
from target_totango.mapping.values.dates import ISO, Precision, date_conversion, zone_named
from target_totango.mapping.values.named import Options, named_conversion, options_of
from target_totango.mapping.values.numbers import number_conversion
from target_totango.objects import DAY
from totango_api import search

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_totango.mapping.compiler.schemas import StreamSchema
    from target_totango.mapping.known_attributes import KnownAttributes
    from target_totango.mapping.policy import Policy
    from target_totango.mapping.sources import Source
    from target_totango.objects import NamedAttribute, TotangoObject

_MOMENT_TYPES: Final = frozenset({"datetime", "date_time", "date-time", "timestamp"})
_DAY_TYPES: Final = frozenset({"simple_date", "day"})


class Conversions:
    """Chooses the conversion of each column of a stream.

    Args:
        schema: Of the stream.
        known: The attributes that the service has.
        policy: What becomes of values that are not quite right.
    """

    def __init__(self, schema: StreamSchema, known: KnownAttributes, policy: Policy) -> None:
        self._schema = schema
        self._known = known
        self._policy = policy
        self._text = text_conversion(policy.list_separator, policy.separator_in_item)

    def of_attribute(
        self, object_: TotangoObject, api_name: str, source: Source
    ) -> Conversion[str]:
        """Return the conversion of an attribute of an object."""
        attribute = self._known.get(object_.name, api_name)
        field = source.expression.field
        formats = self._schema.formats(field) & {"date", "date-time"} if field else set()
        if source.number_formats:
            return number_conversion(source.number_formats)
        if source.date_formats or (attribute is None and formats):
            return self._dates(source, _precision(attribute, formats))
        if api_name in object_.yes_no:
            return to_yes_no
        if attribute is None:
            return self._text
        if attribute.kind == search.DATE or attribute.declared_type.lower() in _DAY_TYPES:
            return self._dates(source, _precision(attribute, formats))
        return to_number if attribute.kind == search.NUMBER else self._text

    def options_of(self, object_: TotangoObject, api_name: str) -> Options | None:
        """Return the options of an attribute; None where they are unknown, or not checked."""
        if self._policy.unknown_options == IGNORE:
            return None
        return options_of(self._known.get(object_.name, api_name), self._policy.list_separator)

    def of_named(self, attribute: NamedAttribute, source: Source) -> Conversion[str]:
        """Return the conversion of an attribute for which mappings have a setting."""
        precision = Precision.DAY if attribute.kind == DAY else Precision.MOMENT
        dates = self._dates(source, precision)
        return named_conversion(attribute, dates=dates, separator=self._policy.list_separator)

    def of_moment(self, source: Source) -> Conversion[str]:
        """Return the conversion of a time."""
        return self._dates(source, Precision.MOMENT)

    def _dates(self, source: Source, precision: Precision) -> Conversion[str]:
        zone = zone_named(source.time_zone or self._policy.time_zone)
        return date_conversion(source.date_formats or (ISO,), zone=zone, precision=precision)


def _precision(attribute: search.Attribute | None, formats: Collection[str]) -> Precision:
    """Return how precise the dates of an attribute are: a moment, or a day.

    Args:
        attribute: Its definition, if there is one.
        formats: The date formats that the SCHEMA gives its field.
    """
    declared = attribute.declared_type.lower() if attribute is not None else ""
    if declared in _DAY_TYPES or set(formats) == {"date"}:
        return Precision.DAY
    if attribute is None or attribute.kind != search.DATE or declared in _MOMENT_TYPES:
        return Precision.MOMENT
    return Precision.DATE
