"""Recognises records whose account or user was deleted at the source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import expressions
from target_totango.mapping.sources import SourceError, parse_source
from target_totango.mapping.values.convert import ConversionError, refuse
from target_totango.mapping.values.dates import ISO, date_conversion
from target_totango.models import DELETED_FIELD
from totango_api.text import snake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_totango.mapping.expressions import Expression

WELL_KNOWN: Final = frozenset(
    {
        "is_deleted",
        "deleted",
        "deleted_at",
        "fivetran_deleted",
        "peerdb_is_deleted",
        "ab_cdc_deleted_at",
    }
)
"""Fields, in snake case without blanks at their ends, by which sources mark what is gone."""

_TRUE: Final = frozenset({"true", "t", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", ""})
_FIRST_EPOCH: Final = 1_000_000_000
"""The ninth of September 2001: no number below is taken for a moment."""

_SAME_OFFSET_TWICE: Final = re.compile(r"([+-]\d\d:\d\d)\1$", re.ASCII)
"""As taps of databases have written it: 2019-12-18T13:19:44+00:00+00:00."""

_moment = date_conversion((ISO,))


@dataclass(frozen=True, slots=True)
class DeletionMark:
    """The mark of records that are deleted at their source.

    Attributes:
        expression: Reads the mark.
        values: Values that say so; if there are none, a truth or a moment does.
        is_moment: Whether only a moment does.
        is_own: Whether a mapping says so, and not the settings.
    """

    expression: Expression
    values: frozenset[str] = frozenset()
    is_moment: bool = False
    is_own: bool = False

    def is_set(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record is marked as deleted.

        Raises:
            ConversionError: If that is not clear.
        """
        value = self.expression.read(record)
        if value is expressions.MISSING or value is None or value == "":
            return False
        if self.values:
            return _text(value) in self.values
        word = _text(value).strip().lower()
        if not self.is_moment and (word in _TRUE or word in _FALSE):
            return word in _TRUE
        if _is_moment(value):
            return True
        code = "not a moment" if self.is_moment else "neither true nor false"
        return refuse(code, f"{self.expression.label} is neither null nor a moment")


DEFAULT_MARK: Final = DeletionMark(expressions.field(DELETED_FIELD), is_moment=True)


def parse_deleted_when(value: Any, *, is_own: bool = False) -> DeletionMark:
    """Read `deleted_when`: a source, or an object that has `equals` beside it.

    Args:
        value: What the setting or mapping says.
        is_own: Whether it is that of a mapping.

    Raises:
        SourceError: If it cannot be read.
    """
    if not isinstance(value, dict) or "equals" not in value:
        return DeletionMark(parse_source(value).expression, is_own=is_own)
    equals = value["equals"]
    values = equals if isinstance(equals, list) else [equals]
    if not values or any(isinstance(each, (dict, list)) or each is None for each in values):
        msg = "equals is a value, or a list of values"
        raise SourceError(msg)
    source = parse_source({key: each for key, each in value.items() if key != "equals"})
    return DeletionMark(source.expression, frozenset(map(_text, values)), is_own=is_own)


def well_known_marks(fields: Iterable[str]) -> tuple[str, ...]:
    """Return the fields that usually mark deleted records, such as `is_deleted`."""
    return tuple(name for name in fields if snake(name).strip("_") in WELL_KNOWN)


def is_marked(record: Mapping[str, Any], fields: Iterable[str]) -> bool:
    """Return whether one of these fields marks a record as deleted for certain."""
    for name in fields:
        try:
            if DeletionMark(expressions.field(name)).is_set(record):
                return True
        except ConversionError:
            continue
    return False


def _is_moment(value: Any) -> bool:
    if isinstance(value, (int, float, Decimal)):
        return not isinstance(value, bool) and value >= _FIRST_EPOCH
    if isinstance(value, str):
        value = _SAME_OFFSET_TWICE.sub(r"\1", value)
    try:
        return bool(_moment[type(value)](value))
    except ConversionError:
        return False


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    is_whole = isinstance(value, (float, Decimal)) and not value % 1
    return str(int(value)) if is_whole else str(value)
