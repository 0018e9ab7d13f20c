"""Defines a compiled mapping: its columns, and how each is read and converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from target_totango.mapping.deletion import DEFAULT_MARK, DeletionMark
from target_totango.mapping.policy import Policy
from target_totango.models import ACCOUNT, Match, WriteOptions
from target_totango.objects import SCOPES, no_longer_than
from totango_api import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_totango.mapping.config import MatchConfig
    from target_totango.mapping.expressions import Expression
    from target_totango.mapping.values.convert import Conversion
    from target_totango.mapping.values.named import Options
    from target_totango.objects import TotangoObject
    from totango_api.writing import IdProblem

MATCH: Final = "match_on"
"""Stands for the value among the ids of a record."""


@dataclass(frozen=True, slots=True)
class IdColumn:
    """The source of an id, or of another part of the key.

    Attributes:
        is_whole: Whether the schema says that it is an integer.
        is_id: Whether it is an id, and no name.
    """

    name: str
    source: Expression
    is_whole: bool
    is_id: bool
    problems_of: Callable[[str], list[IdProblem]]


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """The source of an attribute, and its conversion to text.

    Attributes:
        scope: `account`, `user` or `fields`.
        limit: Characters that Totango keeps.
        problems_of: For attributes that are ids themselves, which are never cut.
        options: What it may hold, where that is known and minded.
    """

    api_name: str
    scope: str
    source: Expression
    convert: Conversion[str]
    limit: int
    problems_of: Callable[[str], list[IdProblem]] | None = None
    options: Options | None = None


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """The source of a row's time, and its conversion to ISO 8601."""

    source: Expression
    convert: Conversion[str]


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """The compiled mapping of one stream to one object of Totango.

    Attributes:
        recency: Reads the moment of a row, by which the most recent one wins.
        deletion: Which records say that their subject is gone.
        marks: Fields that usually say so, where no setting says which do: for a warning.
        activity_time: When an activity happened, where the stream says so.
        on_create: Account attributes of rows that name none, where they create the account.
        left_out: Fields that are not written, for the log.
        nested: Fields that go out as JSON text.
        new: API names that the service does not know yet.
        guessed: API names of which nobody knows whether the service has them, since it was not
            asked.
        blank_ends: API names that begin or end with a blank.
        match: Stream and attribute by which accounts or users are found; the id column `match` says
            where the value comes from.
        note: What its author says of it.
        announced: Fields that the SCHEMA names, where all of them are wanted: what a record holds
            beside them is not written.
    """

    stream: str
    object: str
    delivery: str
    ids: tuple[IdColumn, ...]
    columns: tuple[AttributeColumn, ...]
    policy: Policy = field(default_factory=Policy)
    options: WriteOptions = field(default_factory=WriteOptions)
    recency: Expression | None = None
    deletion: DeletionMark = DEFAULT_MARK
    marks: tuple[str, ...] = ()
    activity_time: TimeColumn | None = None
    on_create: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    blank_ends: tuple[str, ...] = ()
    match: Match | None = None
    note: str = ""
    announced: frozenset[str] | None = None

    @property
    def id_fields(self) -> frozenset[str]:
        """The fields of a record that are read for ids."""
        return frozenset(name for column in self.ids for name in column.source.fields)

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a record that are read."""
        sources = [column.source for column in self.columns]
        sources += [self.recency] if self.recency is not None else []
        sources += [self.activity_time.source] if self.activity_time is not None else []
        return self.id_fields.union(*(source.fields for source in sources))

    def attributes_of(self, field: str) -> frozenset[str]:
        """Return the attributes that a field is read for, as `account.Plan`."""
        return frozenset(
            f"{column.scope}.{column.api_name}"
            for column in self.columns
            if field in column.source.fields
        )


def match_of(config: MatchConfig, object_: TotangoObject) -> Match:
    """Return which attribute rows are matched by; the value comes with each row."""
    scope, _, name = config.attribute.partition(".")
    if not name or scope not in SCOPES:
        scope, name = object_.scope or ACCOUNT, config.attribute
    found = SCOPES.get(scope, SCOPES[ACCOUNT])
    ids = tuple(identifier.name for identifier in found.ids)
    return Match(found.name, name, "", ids, config.creates)


def match_column(config: MatchConfig, *, is_whole: bool) -> IdColumn:
    """Return the column of the value to match by, which is checked like an id."""
    problems_of = no_longer_than(limits.ACCOUNT_TEXT_LENGTH)
    return IdColumn(MATCH, config.source.expression, is_whole, True, problems_of)
