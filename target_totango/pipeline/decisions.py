"""Decisions on rows that are not sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from target_totango.delivery import Planned, WriteResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row, ValidationError


@dataclass(frozen=True, slots=True)
class Rejected:
    """The row cannot be written as it is.

    Attributes:
        is_uncertain: Whether an earlier run may have delivered it.
    """

    errors: Sequence[ValidationError]
    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A mode or a setting keeps the row from being sent.

    Attributes:
        reason: Short and fixed: fit for counting and logs.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Totango holds the row already, as an earlier run confirmed."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The user that the row is about was deleted."""


Decision: TypeAlias = Rejected | Skipped | Unchanged
"""What a filter says of a row that it keeps from being sent."""

RowResult: TypeAlias = WriteResult | Decision | Planned | Deleted
"""What became of a row."""

Results: TypeAlias = "list[tuple[Row, RowResult]]"
