"""Sends rows at which the service fails once more, before one of them is to blame.

A row that makes the service fail would hold STATE for ever. An outage looks the same for its time:
so a row is only rejected if the service fails at it again, and right afterwards takes a row that it
took before.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_totango.delivery import Confirmed, Failed, Refused, UnclearAnswers, keys_of
from target_totango.objects import REPEATABLE

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.models import Row
    from target_totango.pipeline.decisions import RowResult

FAILS: Final = 500
"""What a service answers that fails at something; 502 to 504 speak of its moment."""

MOST: Final = 20
"""So many rows of a run have a second trial: where it fails at more, that is not for their sake."""

_GROUP: Final = operator.attrgetter("object", "delivery")

_CODE: Final = "the service fails (500)"
_REASON: Final = (
    "Totango answered 500 each time the row was sent, and took other rows before and after it. It "
    "may have been written in part. If its values look right, show Totango's support the row."
)


@dataclass(frozen=True)
class Trial:
    """Rows of one object and delivery, and one of these that was taken in this run."""

    rows: list[Row]
    witness: Row


class SecondTrials:
    """Keeps rows at which the service failed, and says what a second trial makes of them.

    Used by one thread.

    Args:
        clients: Read rows back, if there is a token: what is there was written after all.
        settings: The target's settings.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._unclear: UnclearAnswers | None = None
        if clients.has_token:
            seconds = settings.verify_timeout
            self._unclear = UnclearAnswers(lambda: clients.verifier, seconds=seconds)
        self._waiting: list[tuple[Row, Failed]] = []
        self._delivered: dict[tuple[str, str], Row] = {}
        self._rewritten: set[Hashable] = set()
        self._taken: set[int] = set()

    @property
    def waiting(self) -> Sequence[tuple[Row, Failed]]:
        """The rows that wait for a second trial."""
        return self._waiting

    def note_delivered(self, rows: Sequence[Row]) -> None:
        """Note that the service took rows: no older ones of their keys must follow them."""
        self._delivered.update(zip(map(_GROUP, rows), rows, strict=True))
        if self._waiting:
            for row in rows:
                self._rewritten.update(keys_of(row.request)[0])

    def take(self, row: Row, result: Failed) -> bool:
        """Keep a row for a second trial; return False if it has none.

        Only what may be written twice has one.
        """
        if result.status != FAILS or row.object not in REPEATABLE:
            return False
        if row.seq in self._taken or len(self._taken) >= MOST:
            return False
        self._taken.add(row.seq)
        self._waiting.append((row, result))
        return True

    def begin(self) -> list[Trial]:
        """Return the trials of rows that wait and are not outdated: see `release` for those."""
        trials: dict[tuple[str, str], Trial] = {}
        for pair in list(self._waiting):
            row = pair[0]
            witness = self._delivered.get((row.object, row.delivery))
            if witness is not None and self._rewritten.isdisjoint(keys_of(row.request)[0]):
                trial = trials.setdefault((row.object, row.delivery), Trial([], witness))
                trial.rows.append(row)
                self._waiting.remove(pair)
        return list(trials.values())

    def release(self) -> list[tuple[Row, Failed]]:
        """Return the rows that still wait, and forget them."""
        waiting, self._waiting = self._waiting, []
        self._rewritten.clear()
        return waiting

    def judge(
        self, results: Sequence[tuple[Row, RowResult]], witness: RowResult
    ) -> list[tuple[Row, RowResult]]:
        """Return what became of the rows of a trial.

        Args:
            results: What became of them when they were sent again.
            witness: What became of the row that was taken before and sent after them.
        """
        failing = [row for row, result in results if _fails(result)]
        if not failing or not isinstance(witness, Confirmed):
            return list(results)
        there = self._unclear.there(failing) if self._unclear is not None else set()
        rejected = Refused(_REASON, FAILS, is_about_row=True, code=_CODE)
        judged = {row.seq: Confirmed() if row.seq in there else rejected for row in failing}
        return [(row, judged.get(row.seq, result)) for row, result in results]


def _fails(result: RowResult) -> bool:
    return isinstance(result, Failed) and result.status == FAILS
