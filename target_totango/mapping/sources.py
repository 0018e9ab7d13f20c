"""Reads the sources of a mapping: where a value comes from, and how it is to be read.

A source is a field (`"number"`), a dotted path (`"owner.name"`), a template (`"{first} {last}"`),
or an object with one of `field`, `path`, `template`, `constant` and `coalesce`, and further keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import expressions
from target_totango.mapping.values.dates import (
    EPOCH,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    ISO,
    date_conversion,
    zone_named,
)
from target_totango.mapping.values.numbers import number_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_totango.mapping.expressions import Expression

_KINDS: Final = ("coalesce", "constant", "field", "path", "template")
_MODIFIERS: Final = (
    *("date_format", "default", "lower", "number_format", "split", "strip", "time_zone"),
)
_FORMATS: Final = (ISO, EPOCH, EPOCH_SECONDS, EPOCH_MILLISECONDS)
_WHAT_IT_IS: Final = (
    'a source is a field, a path, a template, or an object such as {"constant": "x"}'
)


class SourceError(ValueError):
    """A source that cannot be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a value.

    Attributes:
        date_formats: How dates are written there; empty where the attribute's type tells.
        time_zone: Zone of its dates that name none, if it is not the mapping's.
        number_formats: How numbers are written there, as samples of 1200.50.
    """

    expression: Expression
    date_formats: tuple[str, ...] = ()
    time_zone: str | None = None
    number_formats: tuple[str, ...] = ()


def parse_source(value: Any, *, fill: bool = False) -> Source:
    """Read a source.

    Args:
        value: What the mapping says.
        fill: Whether a template of which a part is missing gives what is there.

    Raises:
        SourceError: If it is none.
    """
    if isinstance(value, str):
        return Source(_text(value, fill))
    if not isinstance(value, dict):
        raise SourceError(_WHAT_IT_IS)
    if unknown := sorted(set(value) - {*_KINDS, *_MODIFIERS}):
        msg = f"unknown key {unknown[0]!r}"
        raise SourceError(msg)
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) != 1:
        msg = f"give exactly one of {', '.join(_KINDS)}"
        raise SourceError(msg)
    expression = _changed(_expression(kinds[0], value[kinds[0]], fill), value)
    zone = value.get("time_zone")
    if zone is not None:
        zone_named(zone)
    dates, numbers = _date_formats(value.get("date_format")), value.get("number_format")
    return Source(expression, dates, zone, _number_formats(numbers))


def _text(value: str, fill: bool) -> Expression:
    if not value:
        raise SourceError(_WHAT_IT_IS)
    return expressions.template(value, fill=fill) if "{" in value else expressions.path(value)


def _expression(kind: str, value: Any, fill: bool) -> Expression:
    if kind == "constant":
        return expressions.constant(value)
    if kind == "coalesce":
        if not isinstance(value, list) or not value:
            msg = "coalesce is a list of sources"
            raise SourceError(msg)
        sources = [parse_source(each, fill=fill) for each in value]
        if any(each.date_formats or each.time_zone or each.number_formats for each in sources):
            msg = "date_format, time_zone and number_format stand beside coalesce, not within"
            raise SourceError(msg)
        return expressions.coalesce([source.expression for source in sources])
    if not isinstance(value, str) or not value:
        msg = f"{kind} is text"
        raise SourceError(msg)
    if kind == "template":
        return expressions.template(value, fill=fill)
    return expressions.field(value) if kind == "field" else expressions.path(value)


def _changed(expression: Expression, value: Mapping[str, Any]) -> Expression:
    for key, change in (("strip", str.strip), ("lower", str.lower)):
        wanted = value.get(key, False)
        if not isinstance(wanted, bool):
            msg = f"{key} is true or false"
            raise SourceError(msg)
        if wanted:
            expression = expressions.with_text(expression, change)
    if "split" in value:
        separator = value["split"]
        if not isinstance(separator, str) or not separator:
            msg = "split is the text that parts the items of a list"
            raise SourceError(msg)
        expression = expressions.split_list(expression, separator)
    if "default" in value:
        expression = expressions.with_default(expression, value["default"])
    return expression


def _number_formats(value: Any) -> tuple[str, ...]:
    formats = [] if value is None else value if isinstance(value, list) else [value]
    for sample in formats:
        number_pattern(str(sample))
    return tuple(map(str, formats))


def _date_formats(value: Any) -> tuple[str, ...]:
    formats = [] if value is None else value if isinstance(value, list) else [value]
    for pattern in formats:
        try:
            date_conversion((str(pattern),))
        except ValueError:
            msg = f"date_format {pattern!r} is neither {', '.join(_FORMATS)} nor like %d/%m/%Y"
            raise SourceError(msg) from None
    return tuple(map(str, formats))
