"""Converts attributes with a known type: moments, lists, choices, options."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.values.convert import (
    Conversion,
    refuse,
    shown,
    to_text,
    to_yes_no,
)
from target_totango.objects import LIST, MOMENT, TRUTH
from totango_api import search
from totango_api.text import epoch_milliseconds, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from target_totango.objects import NamedAttribute, TotangoObject

_TRUTHS: Final = {"yes": "true", "no": "false"}

OPTIONS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """The values that an attribute may have.

    Attributes:
        names: Its options, as Totango spells them.
        separator: What joins several of them; None where it holds one.
    """

    names: tuple[str, ...]
    separator: str | None

    def unknown(self, text: str) -> list[str]:
        """Return what of a value is no option."""
        if text in self.names or not text:
            return []
        parts = [text] if self.separator is None else text.split(self.separator)
        return [part for part in map(str.strip, parts) if part not in self.names]

    def __str__(self) -> str:
        """Return the options as a message lists them."""
        more = len(self.names) - OPTIONS_SHOWN
        listed = ", ".join(self.names[:OPTIONS_SHOWN])
        return f"{listed} and {more} more" if more > 0 else listed


def named_conversion(
    attribute: NamedAttribute, *, dates: Conversion[str], separator: str
) -> Conversion[str]:
    """Return the conversion of a named attribute that is more than a text.

    Args:
        attribute: What it is.
        dates: Converts dates to ISO 8601, as the mapping says.
        separator: What parts the items of a list in a text.
    """
    if attribute.choices:
        return _choice(attribute.choices)
    if attribute.kind == MOMENT:
        return _after(dates, _milliseconds)
    if attribute.kind == LIST:
        return _listed(separator)
    if attribute.kind == TRUTH:
        return _after(to_yes_no, _TRUTHS.__getitem__)
    return dates


def record_problems(
    object_: TotangoObject, attributes: Iterable[str], mapped: Collection[str]
) -> Iterator[str]:
    """Yield what is wrong with a mapping to an object without attributes of the tenant's own.

    Args:
        object_: The object.
        attributes: What the mapping names beside them.
        mapped: API names of the named ones that come from somewhere.
    """
    settings = ", ".join(attribute.setting for attribute in object_.named)
    for name in attributes:
        yield f"{object_.name} have no attribute {name!r}; settings of theirs are {settings}"
    if object_.engagement is None or object_.engagement.id_name in mapped:
        return
    for attribute in object_.named:
        if attribute.is_required and attribute.api_name not in mapped:
            setting = attribute.setting
            yield f"{setting} is missing: map it, as in {{{setting!r}: 'field'}}"


def options_of(attribute: search.Attribute | None, separator: str) -> Options | None:
    """Return the options of an attribute; None if it takes anything, or if they are unknown.

    Args:
        attribute: Its definition, if there is one.
        separator: What joins several options.
    """
    if attribute is None or attribute.kind not in {search.LIST, search.LIFECYCLE}:
        return None
    is_multiple = "multi" in attribute.declared_type.lower()
    names = attribute.options
    return Options(names, separator if is_multiple else None) if names else None


def _after(first: Conversion[str], then: Callable[[str], str]) -> Conversion[str]:
    """Return a conversion followed by another one."""
    return Conversion({object: lambda value: then(first(value))})


def _milliseconds(text: str) -> str:
    """Return a date or moment in ISO 8601 as epoch milliseconds; a date is its midnight in UTC."""
    return str(epoch_milliseconds(parse_moment(text)))


def _choice(choices: Mapping[str, str]) -> Conversion[str]:
    allowed = {**choices, **{sent: sent for sent in choices.values()}}

    def convert(value: Any) -> str:
        text = to_text(value).strip().lower()
        if text not in allowed:
            refuse("not a choice", f"{shown(value)} is none of {', '.join(choices)}")
        return allowed[text]

    return Conversion({object: convert})


def _listed(separator: str) -> Conversion[str]:
    """Return a conversion to a JSON list of texts; a text is parted at its separators."""

    def listed(values: list[Any] | tuple[Any, ...]) -> str:
        texts = [to_text(value).strip() for value in values if value is not None]
        return json.dumps(list(dict.fromkeys(filter(None, texts))), ensure_ascii=False)

    def from_text(text: str) -> str:
        return listed(text.split(separator))

    def alone(value: Any) -> str:
        return listed([value])

    return Conversion({list: listed, tuple: listed, str: from_text, object: alone})
