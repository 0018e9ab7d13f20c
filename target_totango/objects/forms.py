"""Describes an object of Totango: its ids, its attributes, and how it is written."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from target_totango.models import HUB, TRACKING, WriteRequest
from totango_api.writing import IdProblem, length_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from totango_api.writing import EngagementEndpoint, HubObject, HubRow

    ProblemsOf = Callable[[str], list[IdProblem]]


@dataclass(frozen=True, slots=True)
class Identifier:
    """A part of a row's key. Each is a setting of mappings.

    Attributes:
        problems_of: Returns why Totango would not take a text.
        is_id: Whether it is an id, and no name.
    """

    name: str
    problems_of: ProblemsOf
    is_id: bool = True


TEXT: Final = "text"
MOMENT: Final = "moment"
DAY: Final = "day"
LIST: Final = "list"
TRUTH: Final = "truth"
"""What an attribute is: text by default; a moment goes out as epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class NamedAttribute:
    """An attribute for which mappings have a setting.

    Attributes:
        setting: Name of the setting, and of the field that is taken for it without a mapping.
        scope: Whose attribute it is: `account`, `user` or `fields`.
        max_length: Characters that Totango keeps, where that is not the object's number.
        problems_of: For attributes that are ids themselves.
        spellings: Other fields that are taken for it, in this order.
        kind: `text`, `moment`, `day`, `list` or `truth`.
        choices: All values that it may have, by what rows may say for them.
        reference: The reference list that knows its values by name and id.
        is_required: Whether nothing is made without it.
        is_found: Whether fields are taken for it without a mapping.
    """

    setting: str
    scope: str
    api_name: str
    max_length: int | None = None
    problems_of: ProblemsOf | None = None
    spellings: tuple[str, ...] = ()
    kind: str = TEXT
    choices: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    is_required: bool = False
    is_found: bool = True


@dataclass(frozen=True, slots=True)
class HubForm:
    """The form of an object in the Integration Hub.

    Attributes:
        surface: What the hub calls it.
        row: Returns the row of a write request.
    """

    surface: HubObject
    row: Callable[[WriteRequest], HubRow]


@dataclass(frozen=True, slots=True)
class EngagementForm:
    """The form of an engagement (a touchpoint or a task): its endpoint, and what holds its id.

    Attributes:
        endpoint: Where.
        id_name: The named attribute that holds the id, in rows that know it.
    """

    endpoint: EngagementEndpoint
    id_name: str


@dataclass(frozen=True, slots=True)
class TotangoObject:
    """One object of Totango.

    Attributes:
        name: What mappings call it.
        ids: What a row cannot do without.
        rank: Rows follow rows of lower rank that are about the same account.
        scope: Where its own attributes are in a write request; None if it has none.
        named: Attributes for which mappings have a setting.
        max_length: Characters of a text attribute that Totango keeps.
        yes_no: Attributes that are `yes` or `no`.
        deliveries: How it can be written.
        hub: Its form in the Integration Hub.
        engagement: Its form where it is an engagement. Such an object has no other
            attributes than the named ones, and needs a mapping.
        is_idempotent: Whether writing a row twice changes nothing.
        is_deletable: Whether an API deletes it.
        display_name: The attribute that searches return as a row's name; None if no search
            returns such rows, so that they can neither be looked up nor read back.
    """

    name: str
    ids: tuple[Identifier, ...]
    rank: int
    scope: str | None = None
    named: tuple[NamedAttribute, ...] = ()
    max_length: int = 0
    yes_no: frozenset[str] = frozenset()
    deliveries: tuple[str, ...] = (TRACKING, HUB)
    hub: HubForm | None = None
    engagement: EngagementForm | None = None
    is_idempotent: bool = True
    is_deletable: bool = False
    display_name: str | None = None


def no_longer_than(length: int) -> ProblemsOf:
    """Return a check that a text is not blank, not too long, and without control characters."""

    def problems_of(text: str) -> list[IdProblem]:
        problems = length_problems(text, length)
        if not text.isprintable() and any(unicodedata.category(each) == "Cc" for each in text):
            problems.append(IdProblem("control character", "holds a control character"))
        if text.isspace():
            problems.append(IdProblem("missing", "is blank"))
        return problems

    return problems_of
