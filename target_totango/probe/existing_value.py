"""A value that the account of a probe has, and how it is read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totango_api.search import FieldSpec


@dataclass(frozen=True)
class ExistingValue:
    """A value that the account has.

    Attributes:
        api_name: How it is written.
        field: The search field that shows it.
        text: As it is written.
    """

    api_name: str
    field: FieldSpec
    text: str


def text_of(value: Any) -> str | None:
    """Return the text of a value; None where there is none. Owners are objects."""
    if isinstance(value, dict):
        value = value.get("owner_value")
    return value if isinstance(value, str) and value else None
