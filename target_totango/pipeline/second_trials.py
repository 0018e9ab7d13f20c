"""Sends rows that were answered with a failure once more, before one of them is to blame.

A row that makes the service fail, or that a firewall turns away, would hold STATE for ever. An
outage looks the same for its time: so a row is only given up if it fails again by itself, and the
service took another one of its kind before that and right after it. The other one is a row that was
taken before, sent again; or, where that would count twice, one that was kept back until then.
"""

from __future__ import annotations

import operator
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard

from target_totango.delivery import Confirmed, Failed, Refused, Uncertain
from target_totango.models import API, HUB
from target_totango.objects import ENGAGEMENTS, REPEATABLE
from target_totango.pipeline.decisions import Deleted
from target_totango.verify import ArrivalCheck
from totango_api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.models import Row
    from target_totango.pipeline.decisions import RowResult

    Send = Callable[[Sequence[Row]], Sequence[tuple[Row, RowResult]]]

Kind: TypeAlias = tuple[str, str, bool]

MOST: Final = 20
"""So many rows of a run have a second trial: where it fails at more, that is not for their sake."""

SPARE_SECONDS: Final = 1.0
"""How long a row is kept back while no other follows: as long as STATE is."""

FAILS: Final = 500

_OBJECT: Final = operator.attrgetter("object")
_KIND: Final = operator.attrgetter("object", "delivery", "is_deleted")

_REASON: Final = (
    "{} was answered each time the row was sent, and Totango took other rows before and after "
    "it. {}"
)
_MAY_BE_WRITTEN: Final = (
    "It may have been written in part. If its values look right, show Totango's support the row."
)
_TURNED_AWAY: Final = (
    "Totango, or a firewall before it, turns away what the row holds. If its values look right, "
    "show the row to whoever runs the firewall, or to Totango's support."
)


@dataclass(frozen=True)
class Trial:
    """Rows of one kind, and another one of it.

    Attributes:
        witness: Is sent after them: if it is taken, the failure is theirs.
        is_new: Whether it was not sent before.
    """

    rows: list[Row]
    witness: Row
    is_new: bool


class SecondTrials:
    """Keeps rows that were answered with a failure, and says what a second trial makes of them.

    Used by one thread.

    Args:
        clients: Read rows back, if there is a token: what is there was written after all.
        settings: The target's settings.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._arrivals: ArrivalCheck | None = None
        if clients.has_token:
            seconds = settings.verify_timeout
            self._arrivals = ArrivalCheck(lambda: clients.verifier, seconds=seconds)
        self._repeats = settings.repeats_activities
        self._waiting: list[tuple[Row, Failed]] = []
        self._delivered: dict[Kind, Row] = {}
        self._changed: dict[Kind, Row] = {}
        self._spares: dict[Kind, Row] = {}
        self._spared_at = 0.0
        self._rewritten: set[Hashable] = set()
        self._taken: set[int] = set()

    @property
    def waiting(self) -> Sequence[tuple[Row, Failed]]:
        """The rows that wait for a second trial."""
        return self._waiting

    def note_delivered(self, rows: Sequence[Row]) -> None:
        """Note that the service took rows of one delivery: no older ones of their keys must follow.

        The last one of each object counts.
        """
        for row in dict(zip(map(_OBJECT, rows), rows, strict=True)).values():
            self._delivered[_KIND(row)] = row
        if rows and rows[0].delivery == API:
            changed = [row for row in rows if row.existed]
            self._changed.update(zip(map(_KIND, changed), changed, strict=True))
        if self._waiting:
            for row in rows:
                self._rewritten.update(_keys(row))

    def take(self, row: Row, result: Failed) -> bool:
        """Keep a row for a second trial; return False if it has none."""
        if not result.may_be_about_row:
            return False
        if row.seq in self._taken or len(self._taken) >= MOST:
            return False
        self._taken.add(row.seq)
        self._waiting.append((row, result))
        return True

    # Rows that are kept back --------------------------------------------------------------------

    def keep_spares(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Keep the last row of each object that must not be written twice; return all others.

        Those that were kept before come first.
        """
        if not self._spares and REPEATABLE.issuperset(map(_OBJECT, rows)):
            return rows
        spares: dict[Kind, Row] = {}
        provided = set(REPEATABLE)
        for row in reversed(rows):
            if row.object in provided:
                continue
            if row.delivery == HUB and not self._repeats:
                continue  # It would cost a batch, for the few answers that say that none was taken.
            if not _keys(row):
                spares[_KIND(row)] = row
                provided.add(row.object)
        if not (spares or self._spares):
            return rows
        kept = {row.seq for row in spares.values()}
        before = self.release_spares()
        self._spares, self._spared_at = spares, time.monotonic()
        return [*before, *(row for row in rows if row.seq not in kept)]

    def release_spares(self, *, overdue: bool = False) -> list[Row]:
        """Return the rows that are kept back, to be sent: all of them, or if it is time."""
        if overdue and (self._waiting or time.monotonic() - self._spared_at < SPARE_SECONDS):
            return []
        spares, self._spares = self._spares, {}
        return list(spares.values())

    # Trials -------------------------------------------------------------------------------------

    def verdicts(self, send: Send) -> Iterator[Sequence[tuple[Row, RowResult]]]:
        """Try rows that wait and are not outdated; yield the results of each trial.

        Args:
            send: Sends rows of one kind, and returns their results.
        """
        for trial in self._trials():
            results = send(trial.rows)
            [(_, witness)] = send([trial.witness])
            yield self._judge(trial, results, witness)

    def release(self) -> list[tuple[Row, Failed]]:
        """Return the rows that still wait, and forget them."""
        waiting, self._waiting = self._waiting, []
        self._rewritten.clear()
        return waiting

    def _trials(self) -> list[Trial]:
        trials: dict[tuple[Kind, bool], Trial] = {}
        for pair in list(self._waiting):
            row, kind = pair[0], _KIND(pair[0])
            named = (kind, bool(row.existed) and row.object in ENGAGEMENTS)
            if not self._rewritten.isdisjoint(_keys(row)):
                continue
            trial = trials.get(named) or self._trial(*named)
            if trial is not None:
                trials[named] = trial
                trial.rows.append(row)
                self._waiting.remove(pair)
        return list(trials.values())

    def _trial(self, kind: Kind, is_change: bool) -> Trial | None:
        """Return a trial for rows of a kind, if there is a witness for it."""
        delivered = self._changed.get(kind) if is_change else self._delivered.get(kind)
        if delivered is not None and (is_change or kind[0] in REPEATABLE):
            return Trial([], delivered, is_new=False)
        if delivered is None or kind not in self._spares:
            return None
        return Trial([], self._spares.pop(kind), is_new=True)

    def _judge(
        self, trial: Trial, results: Sequence[tuple[Row, RowResult]], witness: RowResult
    ) -> list[tuple[Row, RowResult]]:
        """Return the results of the rows of a trial, and of its witness if that is new.

        Args:
            trial: The trial.
            results: What became of its rows when they were sent again.
            witness: What became of its witness, which was sent after them.
        """
        new = [(trial.witness, witness)] if trial.is_new else []
        given_up: dict[int, RowResult] = {}
        if isinstance(witness, (Confirmed, Deleted)):
            # Rows that share an error were not tried one by one.
            errors = Counter(id(result.error) for _, result in results if _fails(result))
            failing = [
                (row, result)
                for row, result in results
                if _fails(result) and errors[id(result.error)] == 1 and _is_like(row, trial.witness)
            ]
            there = self._there([row for row, _ in failing if not row.is_deleted])
            given_up = {
                row.seq: Confirmed() if row.seq in there else _verdict(row, result)
                for row, result in failing
            }
        return [*((row, given_up.get(row.seq, result)) for row, result in results), *new]

    def _there(self, rows: Sequence[Row]) -> set[int]:
        if self._arrivals is None or not rows:
            return set()
        return self._arrivals.arrived(rows)


def _keys(row: Row) -> Sequence[Hashable]:
    """Return what a row changes: if it was changed since, the row must not be sent again."""
    if row.engagement_id is not None:
        return ((row.object, row.engagement_id),)
    request = row.request
    if row.object in REPEATABLE or request.account or request.user:
        return request.ordering_keys()[0]
    return ()


def _is_like(row: Row, other: Row) -> bool:
    """Return whether two rows of a kind ask for the same: to make something, or to change it."""
    return row.object not in ENGAGEMENTS or bool(row.existed) == bool(other.existed)


def _fails(result: RowResult) -> TypeGuard[Failed]:
    return isinstance(result, Failed) and result.may_be_about_row


def _verdict(row: Row, result: Failed) -> Refused | Uncertain:
    """Return what a row is given up as."""
    is_repeatable = row.object in REPEATABLE or (row.object in ENGAGEMENTS and row.existed)
    error, status = result.error, result.status or 0
    may_be_written = isinstance(error, ApiError) and error.may_have_succeeded
    if may_be_written and not is_repeatable:
        return Uncertain(error)
    code = f"the service fails ({status})" if status >= FAILS else f"turned away ({status})"
    reason = _REASON.format(status, _MAY_BE_WRITTEN if may_be_written else _TURNED_AWAY)
    return Refused(reason, status, is_about_row=True, code=code)
