"""Where a value comes from: a field, a dotted path, a template or a constant."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Protocol

from target_totango.mapping.convert import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Missing(enum.Enum):
    """The value of a field that a record does not have: not even null."""

    MISSING = enum.auto()


MISSING: Final = Missing.MISSING


class Expression(Protocol):
    """Reads one value out of a record.

    Attributes:
        label: How faults name it.
        fields: Top-level fields that it reads.
        consumes: Those that are not to be written a second time on their own.
    """

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def fields(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def consumes(self) -> tuple[str, ...]: ...  # noqa: D102

    def read(self, record: Mapping[str, Any]) -> Any:
        """Return the value, None, or `MISSING`."""


@dataclass(frozen=True)
class FieldExpression:
    """A field by its exact name."""

    name: str

    @property
    def label(self) -> str:
        """The field."""
        return self.name

    @property
    def fields(self) -> tuple[str, ...]:
        """The field."""
        return (self.name,)

    @property
    def consumes(self) -> tuple[str, ...]:
        """The field."""
        return (self.name,)

    def read(self, record: Mapping[str, Any]) -> Any:
        """Return the value, None, or `MISSING`."""
        return record.get(self.name, MISSING)


@dataclass(frozen=True)
class PathExpression:
    """A field within objects and lists: `Owner.Name`, `lines.0.sku`."""

    path: str

    @property
    def label(self) -> str:
        """The path."""
        return self.path

    @property
    def fields(self) -> tuple[str, ...]:
        """The first field of the path."""
        return (self.path.split(".", 1)[0],)

    @property
    def consumes(self) -> tuple[str, ...]:
        """The object that is looked into: who picks a part of it does not want it whole."""
        return self.fields

    def read(self, record: Mapping[str, Any]) -> Any:
        """Return the value, None, or `MISSING`."""
        if self.path in record:
            return record[self.path]
        value: Any = record
        for step in self.path.split("."):
            if isinstance(value, dict):
                value = value.get(step, MISSING)
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None if value is None else MISSING
        return value


@dataclass(frozen=True)
class TemplateExpression:
    """Text with fields in braces: `{account_id}_{product_id}`. Null if any of them is."""

    template: str
    parts: tuple[str | PathExpression, ...]

    @property
    def label(self) -> str:
        """The template."""
        return self.template

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field in braces."""
        return tuple(
            field
            for part in self.parts
            if isinstance(part, PathExpression)
            for field in part.fields
        )

    @property
    def consumes(self) -> tuple[str, ...]:
        """Nothing: a part of an id may well be an attribute of its own."""
        return ()

    def read(self, record: Mapping[str, Any]) -> Any:
        """Return the text, or None."""
        texts = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = part.read(record)
            if value is None or value is MISSING or value == "":
                return None
            texts.append(to_text(value))
        return "".join(texts)


@dataclass(frozen=True)
class ConstantExpression:
    """The same value for every row."""

    value: Any

    @property
    def label(self) -> str:
        """That it is one."""
        return "constant"

    @property
    def fields(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def consumes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def read(self, record: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Return the constant."""
        return self.value


@dataclass(frozen=True)
class DefaultedExpression:
    """Another source, and what stands in where that has nothing."""

    wrapped: Expression
    default: Any

    @property
    def label(self) -> str:
        """The other source's."""
        return self.wrapped.label

    @property
    def fields(self) -> tuple[str, ...]:
        """The other source's."""
        return self.wrapped.fields

    @property
    def consumes(self) -> tuple[str, ...]:
        """The other source's."""
        return self.wrapped.consumes

    def read(self, record: Mapping[str, Any]) -> Any:
        """Return the value, or the default for null, empty text and missing fields."""
        value = self.wrapped.read(record)
        return self.default if value is None or value is MISSING or value == "" else value


def path_source(text: str) -> Expression:
    """Return a source for a field's name or a dotted path."""
    return PathExpression(text) if "." in text else FieldExpression(text)


def template_source(template: str) -> TemplateExpression:
    """Parse a template; doubled braces stand for themselves.

    Raises:
        ValueError: If the braces do not match, or hold more than a field.
    """
    parts: list[str | PathExpression] = []
    for literal, field, spec, conversion in Formatter().parse(template):
        if literal:
            parts.append(literal)
        if field is None:
            continue
        if not field or spec or conversion:
            msg = "braces hold exactly one field name"
            raise ValueError(msg)
        parts.append(PathExpression(field))
    return TemplateExpression(template, tuple(parts))
