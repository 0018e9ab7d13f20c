"""The ways in which rows of accounts and users may be cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totango_api.reading.date_splitting import DateWindows, date_at, date_in
from totango_api.reading.name_splitting import NameParts
from totango_api.reading.splitting import Splitter
from totango_api.reading.value_splitting import AttributeValues, FixedValues, ParentAccounts
from totango_api.reading.walks import ListWalk
from totango_api.search.endpoint import USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.reading.pieces import Piece
    from totango_api.reading.walks import Walk
    from totango_api.search.endpoint import Hit
    from totango_api.search.query import FieldSpec, Term

__all__ = ["Partitions", "Splitter", "splitters_for"]


class Partitions(Splitter):
    """Partitions that the user names: lists of terms, one list a partition."""

    name = "partitions"
    disjoint = False

    def __init__(self, partitions: Sequence[Sequence[Term]]) -> None:
        self._partitions = partitions

    def coverage(self, sample: Sequence[Hit]) -> float:  # noqa: ARG002 (the user knows)
        """Return more than any other: the user's word comes first."""
        return 2.0

    def walk(
        self,
        piece: Piece,
        sample: Sequence[Hit],  # noqa: ARG002 (they are named)
        total: int,  # noqa: ARG002
        reach: int,  # noqa: ARG002
    ) -> Walk | None:
        """Return the partitions, once."""
        if self.name in piece.terms:
            return None
        return ListWalk([piece.cut(self.name, *terms) for terms in self._partitions])


def splitters_for(
    stream: str, fields: Sequence[FieldSpec], account_ids: Callable[[], list[str]]
) -> list[Splitter]:
    """Return the ways in which rows of a stream may be cut, given the fields asked for."""
    found: list[Splitter] = [_hit_date("last_activity_time")]
    if stream == USERS:
        found += [_hit_date("first_activity_time"), ParentAccounts(account_ids)]
    else:
        found += [
            # "Contract statuses": an account without a valid status counts as Unknown; how a
            # search spells that is inferred.
            FixedValues("status_group", ("paying", "free", "canceled", "unknown"), 0.99),
            FixedValues("health", ("green", "yellow", "red"), 0.9),
        ]
    for position, field in enumerate(fields):
        if field.get("type") in {"string_attribute", "list_attribute"} and "attribute" in field:
            found.append(AttributeValues(field, position))
        elif field.get("type") == "date_attribute" and "attribute" in field:
            term = {"type": "date_attribute", "attribute": field["attribute"]}
            found.append(DateWindows(f"date:{field['attribute']}", term, date_at(position)))
    found.append(NameParts())
    return found


def _hit_date(name: str) -> DateWindows:
    return DateWindows(name, {"type": "date", "term": name}, date_in(name))
