"""Finds the ids of rows that name their account or user by another key (`match_on`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.models import ValidationError
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters.base import RowFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Match, Row
    from target_totango.pipeline.decisions import Results
    from totango_api.search import Key, Matcher

MOST_REMEMBERED: Final = 100_000


class MatchKeys(RowFilter):
    """Gives rows the ids of the account or user that holds a value, and rejects those without.

    Args:
        matcher: Returns what finds rows of a stream by an attribute.
    """

    def __init__(self, matcher: Callable[[str, str], Matcher]) -> None:
        self._matcher = matcher
        self._found: dict[Match, list[Key]] = {}
        self._made: dict[Match, Key] = {}

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others.

        Raises:
            ApiError: If Totango cannot be asked.
        """
        if any(row.request.match is not None for row in rows):
            self._look_up(rows)
        return super().apply(rows)

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        request = row.request
        if (match := request.match) is None:
            return None
        keys = self._found[match]
        if not keys and match.folded in self._made:
            keys = [self._made[match.folded]]
        given = request.account_id
        if len(keys) > 1 and given and not match.creates:
            keys = [key for key in keys if key[0] == given]
        if not keys and match.creates:
            row.existed = False
            key = (given,) if len(match.ids) == 1 else (given, request.user_id or "")
            self._made[match.folded] = key  # for the rows that follow
            return None
        if len(keys) != 1:
            return Rejected([_error(match, len(keys))])
        row.existed = True
        request.account_id = keys[0][0]
        if len(keys[0]) > 1:
            request.user_id = keys[0][1]
        return None

    def _look_up(self, rows: Sequence[Row]) -> None:
        if len(self._found) > MOST_REMEMBERED:
            self._found.clear()
        asked = [row.request.match for row in rows]
        unknown = dict.fromkeys(one for one in asked if one is not None and one not in self._found)
        for about in dict.fromkeys((match.stream, match.attribute) for match in unknown):
            matches = [one for one in unknown if (one.stream, one.attribute) == about]
            found = self._matcher(*about).find(match.value for match in matches)
            self._found.update({match: found[match.value] for match in matches})


def _error(match: Match, count: int) -> ValidationError:
    what = f"{match.stream} with {match.attribute} {match.value!r}"
    if count:
        return ValidationError("match_on", "several", f"there are {count} or more {what}")
    message = f"there are no {what} (create: true makes them)"
    return ValidationError("match_on", "not found", message)
