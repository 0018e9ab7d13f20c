"""Reads values out of records: fields, dotted paths, templates, constants, the first of several.

Each function here returns an `Expression`.
"""

from __future__ import annotations

import enum
import functools
import operator
from dataclasses import dataclass, replace
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.values.convert import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Missing(enum.Enum):
    """The value of a field that a record does not have: not even null."""

    MISSING = enum.auto()


MISSING: Final = Missing.MISSING


class Incomplete(str):
    """Text of a template of which a part is missing: what is there, or empty."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """Reads one value out of a record.

    Attributes:
        label: How errors name it.
        read: Returns the value, None, or `MISSING`.
        paths: Fields and dotted paths that it reads.
        consumes: Top-level fields that are not to be written a second time on their own.
        field: The field, if it is nothing but one.
        parts: Of a template, what reads its parts.
    """

    label: str
    read: Callable[[Mapping[str, Any]], Any]
    paths: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    field: str | None = None
    parts: tuple[Expression, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Top-level fields that it reads."""
        return tuple(dict.fromkeys(path.split(".", 1)[0] for path in self.paths))


def field(name: str) -> Expression:
    """Read a field by its exact name."""
    read = operator.methodcaller("get", name, MISSING)
    return Expression(name, read, (name,), (name,), name)


def path(text: str) -> Expression:
    """Read a field within objects and lists: `Owner.Name`, `lines.0.sku`.

    An object of which a part is picked is not wanted whole, so it counts as written.
    """
    if "." not in text:
        return field(text)
    steps = text.split(".")

    def read(record: Mapping[str, Any]) -> Any:
        return record[text] if text in record else _walk(record, steps)

    return Expression(text, read, (text,), (steps[0],))


def template(text: str, *, fill: bool = False) -> Expression:
    """Read fields into text: `{account_id}_{product_id}`; doubled braces stand for themselves.

    Null if no part is there; `Incomplete` if one is missing. The parts may be attributes too.

    Args:
        text: Text with fields or paths in braces.
        fill: Whether an incomplete text holds the parts that are there, without the text before
            a missing one; else it is empty.

    Raises:
        ValueError: If the braces do not match, or hold more than a field.
    """
    pieces = list(_pieces(text))
    parts = tuple(piece for piece in pieces if isinstance(piece, Expression))
    read = functools.partial(_fill_in, pieces, fill)
    paths = tuple(name for part in parts for name in part.paths)
    return Expression(text, read, paths, parts=parts)


def constant(value: Any) -> Expression:
    """Read the same value for every row."""
    return Expression("constant", lambda _: value)


def coalesce(expressions: Sequence[Expression]) -> Expression:
    """Read the first of several expressions that has a value."""

    def read(record: Mapping[str, Any]) -> Any:
        value = MISSING
        for each in expressions:
            value = each.read(record)
            if not _is_empty(value):
                break
        return value

    return Expression(
        " or ".join(each.label for each in expressions),
        read,
        tuple(name for each in expressions for name in each.paths),
        tuple(name for each in expressions for name in each.consumes),
    )


def with_default(expression: Expression, default: Any) -> Expression:
    """Read a default where an expression has no value."""
    changed = _changed(expression, lambda value: default if _is_empty(value) else value)
    return replace(changed, parts=())


def with_text(expression: Expression, change: Callable[[str], str]) -> Expression:
    """Read a text and change it, as to lower case."""
    return _changed(
        expression,
        lambda value: type(value)(change(value)) if isinstance(value, str) else value,
    )


def split_list(expression: Expression, separator: str) -> Expression:
    """Read a text as a list, such as a multi-select value of Salesforce: `A;B`."""
    return _changed(
        expression,
        lambda value: (
            [item for part in value.split(separator) if (item := part.strip())]
            if isinstance(value, str)
            else value
        ),
    )


def _changed(expression: Expression, change: Callable[[Any], Any]) -> Expression:
    read = expression.read
    return replace(expression, read=lambda record: change(read(record)), field=None)


def _is_empty(value: Any) -> bool:
    return value is None or value is MISSING or value == ""


def _walk(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None if value is None else MISSING
    return value


def _pieces(text: str) -> Sequence[str | Expression]:
    """Return the literals and fields of a template.

    Raises:
        ValueError: If it is none.
    """
    pieces: list[str | Expression] = []
    for literal, name, spec, conversion in Formatter().parse(text):
        if literal and pieces and isinstance(pieces[-1], str):  # halves of a doubled brace
            pieces[-1] += literal
        elif literal:
            pieces.append(literal)
        if name is None:
            continue
        if not name or spec or conversion:
            msg = "braces hold exactly one field name"
            raise ValueError(msg)
        pieces.append(path(name))
    return pieces


def _fill_in(
    pieces: Sequence[str | Expression], fill: bool, record: Mapping[str, Any]
) -> str | None:
    texts: list[str] = []
    literal, found, missing = "", 0, 0
    for piece in pieces:
        if isinstance(piece, str):
            literal = piece
            continue
        value = piece.read(record)
        if _is_empty(value):
            missing += 1
        else:
            # Behind a gap at the start, nothing is left for a literal to part.
            texts.append(literal if found or not missing else "")
            texts.append(to_text(value))
            found += 1
        literal = ""
    if not missing:
        return "".join([*texts, literal])
    if not found:
        return None
    return Incomplete("".join([*texts, literal]).strip() if fill else "")
