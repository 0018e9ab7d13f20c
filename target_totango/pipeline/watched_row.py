"""Watches a row that was sent, until it can be read back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_totango.delivery import Confirmed, Refused

if TYPE_CHECKING:
    from target_totango.models import Row
    from target_totango.pipeline.decisions import RowResult
    from target_totango.verify import Verdict

GRACE_SECONDS: Final = 30.0
"""How long a row may take to become visible as a whole after a part of it, or another row, is."""

_TAKES_NOTHING: Final = (
    "Acknowledged, but not in Totango after {:.0f} s, while a row about another account is: this "
    "account is blocked or archived, or the owner of app_token may not see it. Restore it in "
    "Totango and send the row again, or leave it out of the stream."
)


@dataclass
class WatchedRow:
    """A row that was sent, and is read back until it is there or time is up.

    Attributes:
        before: What Totango held before.
        latest: What it holds now.
        visible_at: When anything of the row was seen first.
    """

    row: Row
    before: Verdict
    latest: Verdict
    visible_at: float | None = None

    def update(self, verdict: Verdict) -> None:
        """Take what was read now."""
        self.latest = verdict
        if self.visible_at is None and verdict != self.before:
            self.visible_at = time.monotonic()

    @property
    def has_settled(self) -> bool:
        """Whether a part of the row is there for so long that no more of it will come."""
        return self.visible_at is not None and time.monotonic() - self.visible_at >= GRACE_SECONDS

    @property
    def is_decided(self) -> bool:
        """Whether all of the row is there, or no more of it will come."""
        return self.latest.result == "confirmed" or self.has_settled

    @property
    def ignored(self) -> list[str]:
        """Attributes that are what they were before."""
        before = {each.attribute: each.found for each in self.before.differences}
        return [
            each.attribute
            for each in self.latest.differences
            if each.found == before.get(each.attribute)
        ]

    def result(self, seconds: float) -> RowResult:
        """Return the result of the row, which was watched for so long."""
        if self.visible_at is None and self.before.result == "missing":
            return Refused(_TAKES_NOTHING.format(seconds), code="the account takes no rows")
        is_whole = self.row.request.is_about_itself
        return Confirmed(is_seen=is_whole and self.latest.result == "confirmed")
