"""The setting `mappings`, read and checked before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.dates import date_reader
from target_totango.mapping.expressions import (
    ConstantExpression,
    DefaultedExpression,
    Expression,
    FieldExpression,
    path_source,
    template_source,
)
from target_totango.models import HUB, TRACKING
from target_totango.objects import IDENTIFIERS, NAMED_SETTINGS, OBJECTS
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_totango.mapping.convert import Conversion

SOURCE_KEYS: Final = (*IDENTIFIERS, *NAMED_SETTINGS)
_KEYS: Final = frozenset(
    {*SOURCE_KEYS, "stream", "object", "attributes", "unmapped", "delivery", "recency_field"}
)
_KINDS: Final = {"field", "path", "template", "constant"}
_EXTRAS: Final = {"date_format", "default"}
INCLUDE: Final = "include"
DROP: Final = "drop"


@dataclass(frozen=True)
class ExpressionConfig:
    """A source, and how its values become text; None = as the attribute's type asks."""

    source: Expression
    convert: Conversion[str] | None = None


@dataclass(frozen=True)
class MappingConfig:
    """One entry of `mappings`; the default is the mapping of a stream that no entry names.

    Attributes:
        stream: Name or glob.
        sources: By setting: `account_id`, `account_name`, …
        attributes: By API name.
        includes: Whether unmapped fields become attributes too.
    """

    stream: str = "*"
    object: str | None = None
    sources: Mapping[str, ExpressionConfig] = field(default_factory=dict)
    attributes: Mapping[str, ExpressionConfig] = field(default_factory=dict)
    includes: bool = True
    delivery: str = TRACKING
    recency: Expression | None = None

    def names(self, stream: str) -> bool:
        """Tell whether this entry is for a stream."""
        return self.stream == stream or fnmatchcase(stream, self.stream)


def parse_mappings(entries: Any, *, delivery: str) -> list[MappingConfig]:
    """Read the setting.

    Args:
        entries: Its value: a list of objects.
        delivery: The setting `delivery`, for entries without their own.

    Raises:
        SettingsError: With every problem of every entry at once.
    """
    problems: list[str] = []
    specs = []
    for number, entry in enumerate(entries or []):
        found: list[str] = []
        specs.append(_parse(entry, delivery, found))
        problems += [f"mappings[{number}]: {problem}" for problem in found]
    if problems:
        msg = f"The mappings cannot be used: {'; '.join(problems)}."
        raise SettingsError(msg)
    return specs


def _parse(entry: Any, delivery: str, problems: list[str]) -> MappingConfig:
    if not isinstance(entry, dict):
        problems.append("is not an object")
        return MappingConfig()
    problems += [f"unknown key {key!r}" for key in sorted(set(entry) - _KEYS)]
    stream = entry.get("stream")
    if not isinstance(stream, str) or not stream:
        problems.append("stream is missing: a name or a glob such as crm-*")
    sources = {
        key: spec
        for key in SOURCE_KEYS
        if entry.get(key) is not None and (spec := _source(key, entry[key], problems))
    }
    attributes = _attributes(entry.get("attributes"), problems)
    recency = (
        _source("recency_field", entry["recency_field"], problems)
        if entry.get("recency_field")
        else None
    )
    return MappingConfig(
        stream=str(stream),
        object=_choice(entry, "object", tuple(OBJECTS), None, problems),
        sources=sources,
        attributes=attributes,
        includes=_choice(entry, "unmapped", (INCLUDE, DROP), INCLUDE, problems) == INCLUDE,
        delivery=_choice(entry, "delivery", (TRACKING, HUB), delivery, problems) or delivery,
        recency=recency.source if recency else None,
    )


def _choice(
    entry: Mapping[str, Any],
    key: str,
    allowed: tuple[str, ...],
    default: str | None,
    problems: list[str],
) -> str | None:
    value = entry.get(key)
    if value is None:
        return default
    if value not in allowed:
        problems.append(f"{key} is one of {', '.join(allowed)}")
        return default
    return str(value)


def _attributes(entries: Any, problems: list[str]) -> dict[str, ExpressionConfig]:
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        problems.append("attributes is an object: API name to source")
        return {}
    return {
        str(name): spec
        for name, value in entries.items()
        if (spec := _source(f"attributes[{name!r}]", value, problems))
    }


def _source(key: str, value: Any, problems: list[str]) -> ExpressionConfig | None:
    try:
        if isinstance(value, str):
            return ExpressionConfig(template_source(value) if "{" in value else path_source(value))
        if isinstance(value, dict):
            return _explicit(value)
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None
    problems.append(
        f'{key}: a source is a field, a path, a template, or an object such as {{"constant": "x"}}'
    )
    return None


def _explicit(value: Mapping[str, Any]) -> ExpressionConfig:
    """Read `{"field" | "path" | "template" | "constant": …, "date_format": …, "default": …}`.

    Raises:
        ValueError: If it cannot be read.
    """
    if unknown := sorted(set(value) - _KINDS - _EXTRAS):
        msg = f"unknown key {unknown[0]!r}"
        raise ValueError(msg)
    kinds = sorted(_KINDS & set(value))
    if len(kinds) != 1:
        msg = f"give exactly one of {', '.join(sorted(_KINDS))}"
        raise ValueError(msg)
    kind, given = kinds[0], value[kinds[0]]
    source: Expression
    if kind == "constant":
        source = ConstantExpression(given)
    elif not isinstance(given, str) or not given:
        msg = f"{kind} is text"
        raise ValueError(msg)
    elif kind == "template":
        source = template_source(given)
    else:
        source = FieldExpression(given) if kind == "field" else path_source(given)
    if "default" in value:
        source = DefaultedExpression(source, value["default"])
    pattern = value.get("date_format")
    return ExpressionConfig(source, _date_reader(pattern) if pattern is not None else None)


def _date_reader(pattern: Any) -> Conversion[str]:
    try:
        return date_reader(str(pattern))
    except ValueError:
        msg = f"date_format {pattern!r} is neither epoch_s, epoch_ms nor like %d/%m/%Y"
        raise ValueError(msg) from None
