"""Compiles `match_on`: by what the account or user of a row is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.mapping.compiler.stream_mapping import IdColumn
from target_totango.models import ACCOUNT, Match
from target_totango.objects import SCOPES, no_longer_than
from totango_api import limits

if TYPE_CHECKING:
    from target_totango.mapping.config import MatchConfig
    from target_totango.objects import TotangoObject

MATCH: Final = "match_on"
"""Stands for the value among the ids of a record."""


def match_of(config: MatchConfig, object_: TotangoObject) -> Match:
    """Return by what rows of an object are found, but for the value."""
    scope, _, name = config.attribute.partition(".")
    if not name or scope not in SCOPES:
        scope, name = object_.scope or ACCOUNT, config.attribute
    found = SCOPES.get(scope, SCOPES[ACCOUNT])
    ids = tuple(identifier.name for identifier in found.ids)
    return Match(found.name, name, "", ids, config.creates)


def match_column(config: MatchConfig, *, is_whole: bool) -> IdColumn:
    """Return where the value comes from: it is checked like an id."""
    problems_of = no_longer_than(limits.ACCOUNT_TEXT_LENGTH)
    return IdColumn(MATCH, config.source.expression, is_whole, True, problems_of)
