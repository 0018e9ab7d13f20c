"""Drops redundant rows: a newer one, or one with the same values, came before."""

from __future__ import annotations

import logging
import time
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from target_totango.models import ACCOUNT, ACCOUNTS, ALL, FIELDS, SUPERSEDED, USER, Confirmation
from target_totango.objects import OBJECTS, REPEATABLE
from target_totango.pipeline.decisions import Decision, Skipped, Unchanged
from target_totango.pipeline.filters.base import Filter, RowFilter, without
from target_totango.storage import REJECTS, is_older, run_of_reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row, WriteRequest
    from target_totango.pipeline.decisions import Results
    from target_totango.report import Report
    from target_totango.storage import Ledger, RunStore

    Key = tuple[str, ...]

logger = logging.getLogger("target-totango")

OUTDATED: Final = Skipped("outdated: a later run confirmed its key")
STALE: Final = Skipped("a more recent row of its key came before")
OLDER: Final = Skipped("an earlier run wrote a more recent row of its key")
UNCHANGED: Final = Unchanged()

_SUPERSEDED: Final = Skipped("marked as superseded")

_LAST: Final = ("full syncs", "last")
"""Where the ledger keeps their times: no object of Totango has such a name."""

_LAST_RECEIVER: Final = ("deliveries", "last receiver")

_OTHER_RECEIVER: Final = (
    "By %s, this run reaches Totango with another service id, token or host than the last one. "
    "Rows that were only acknowledged then are sent again. Activities are not, since they might "
    "count twice: set ledger_path to another file to send them again."
)


class DropSuperseded(Filter):
    """Drops a row of a rejects file which says that Totango has taken newer ones."""

    objects = frozenset[str]()
    marks = frozenset({SUPERSEDED})

    def __init__(self) -> None:
        self._is_logged = False

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""
        if not self._is_logged:
            self._is_logged = True
            logger.warning(
                "Rows that are marked as superseded are skipped: Totango has taken newer ones. "
                "Take out the mark to send one nevertheless."
            )
        results: Results = []
        results += [(row, _SUPERSEDED) for row in rows if row.mark == SUPERSEDED]
        return without(rows, results), results


class DropOutdated(RowFilter):
    """Drops a replayed row if a later run than the one that rejected it confirmed its key.

    Args:
        ledger: What earlier runs had confirmed.
    """

    objects = REPEATABLE

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        run = run_of_reject(row.message, self._ledger)
        if run is None:
            return None
        confirmed = self._ledger.confirmed((row.stream, *row.request.key))
        return OUTDATED if confirmed is not None and confirmed.run > run else None


class CaseVariants:
    """Counts and logs ids that differ in case alone: Totango takes them for different ones.

    Args:
        store: What this run has seen.
        report: Counts.
    """

    def __init__(self, store: RunStore, report: Report) -> None:
        self._store = store
        self._report = report

    def note_rejected(self, row: Row) -> None:
        """Note a row that is not written, whose key is not counted."""
        if row.object not in REPEATABLE or "" in row.request.key:
            return
        if self._store.differs_in_case(row.request.key, is_counted=False):
            self.count(row)

    def count(self, row: Row) -> None:
        """Count a row whose ids came before in another case."""
        metrics = self._report.metrics(row.stream, row.object)
        metrics.case_variants += 1
        if metrics.case_variants == 1:
            logger.warning(
                "Stream %r: ids of %s differ in case alone, so Totango takes them for different "
                'ones. {"field": …, "lower": true} in the mapping makes them one.',
                row.stream,
                row.object,
            )


class DropStale(Filter):
    """Drops a row if a more recent one with the same key was read before (`recency_field`).

    Also counts keys that come again, and those that differ in case alone.

    Args:
        store: What this run has seen.
        report: Counts.
    """

    objects = REPEATABLE

    def __init__(self, store: RunStore, report: Report) -> None:
        self._store = store
        self._report = report
        self._case_variants = CaseVariants(store, report)

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""
        store = self._store
        keys: list[tuple[str, ...]]
        if {row.object for row in rows} == {ACCOUNTS}:  # which is far cheaper
            ids = [row.request.account_id for row in rows]
            about, keys = rows, list(zip(repeat(ACCOUNTS), ids))
            minds_case = store.may_differ_in_case(ids)
        else:
            about = [row for row in rows if row.object in REPEATABLE]
            keys = [row.request.key for row in about]
            minds_case = store.may_differ_in_case(chain.from_iterable(keys))
        if not minds_case and not [row for row in about if row.recency is not None]:
            self._report.add("repeated", [about[place] for place in store.count_all(keys)])
            return rows, []
        repeated: list[Row] = []
        results: Results = []
        for row, key in zip(about, keys, strict=True):
            if store.count(key):
                repeated.append(row)
            elif minds_case and store.differs_in_case(key):
                self._case_variants.count(row)
            if row.recency is not None and store.is_stale(key, row.recency):
                results.append((row, STALE))
        self._report.add("repeated", repeated)
        return without(rows, results), results


class FullSyncs:
    """Decides for each stream whether this run sends everything (`full_sync_every_hours`).

    Args:
        ledger: Knows when that was done last.
        hours: How often; None for never.
    """

    def __init__(self, ledger: Ledger, hours: float | None) -> None:
        self._ledger = ledger
        self._hours = hours
        self._started = time.time()
        self._due: dict[str, bool] = {}

    def is_due(self, stream: str) -> bool:
        """Return whether rows of a stream are sent though they did not change."""
        if self._hours is None:
            return False
        if stream not in self._due:
            noted = self._ledger.noted((*_LAST, stream))
            seconds = self._started - float(noted or 0)
            self._due[stream] = noted is None or not 0 <= seconds < self._hours * 3600
            if self._due[stream] and noted is not None:
                logger.info(
                    "Stream %r: unchanged rows are sent, too, since that was last done %.1f hours "
                    "ago (full_sync_every_hours).",
                    stream,
                    seconds / 3600,
                )
        return self._due[stream]

    def complete(self) -> None:
        """Note that everything was sent and confirmed."""
        for stream, is_due in self._due.items():
            if is_due:
                self._ledger.note((*_LAST, stream), repr(self._started).encode())


class DropUnchanged(Filter):
    """Drops a row whose values an earlier run confirmed, or more recent ones of its key.

    Also prepares every other row for the ledger.

    Args:
        ledger: What earlier runs had confirmed.
        receiver_of: Returns what identifies the receiver of a delivery.
        full_syncs: Says of which streams unchanged rows are sent, too.
    """

    objects = REPEATABLE

    def __init__(
        self, ledger: Ledger, receiver_of: Callable[[str], Sequence[str]], full_syncs: FullSyncs
    ) -> None:
        self._ledger = ledger
        self._full_syncs = full_syncs
        self._receiver_of = receiver_of
        self._has_rejects = ledger.noted(REJECTS) is not None
        self._evidence: dict[str, bytes] = {}

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others."""
        about = [row for row in rows if row.object in self.objects]
        keys = [(row.stream, *row.request.key) for row in about]
        known = dict(zip(keys, self._ledger.all_confirmed(keys), strict=True))
        results: Results = []
        results += [
            (row, why)
            for row, key in zip(about, keys, strict=True)
            if (why := self._decide(row, key, known)) is not None
        ]
        return without(rows, results), results

    def _decide(self, row: Row, key: Key, known: dict[Key, Confirmation | None]) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does."""
        row.ledger_key = key
        if row.recency is not None and is_older(row.recency, self._ledger.recency(key)):
            return OLDER
        digest = self._ledger.digest_of_scopes(_contents(row.request))
        evidence = self._evidence_of(row.delivery)
        row.confirmation = Confirmation(digest, evidence, self._run_of(row))
        skips = row.options.skip_unchanged and not self._full_syncs.is_due(row.stream)
        confirmed = known[key]
        if confirmed is None:
            return None
        if confirmed.digest != digest:
            # Made durable by the destination before the call: see Ledger.forget.
            self._ledger.forget(key)
            known[key] = None  # so that a later row with the old values goes out as well
            row.forgotten = True
            return None
        if not skips or confirmed.evidence not in (b"", evidence):
            return None
        if confirmed.evidence and _is_to_be_seen(row):
            return None
        if self._has_rejects:
            self._ledger.confirm({key: confirmed._replace(run=row.confirmation.run)})
        if row.recency is not None:
            self._ledger.note_recency(key, row.recency)
        return UNCHANGED

    def _run_of(self, row: Row) -> int:
        """Return as of which run a row is right: a replayed one, of that which rejected it."""
        return run_of_reject(row.message, self._ledger) or self._ledger.run

    def _evidence_of(self, delivery: str) -> bytes:
        """Return what an acknowledgement of this run is worth to later ones."""
        if delivery not in self._evidence:
            evidence = self._evidence[delivery] = self._ledger.evidence(
                *self._receiver_of(delivery)
            )
            before = self._ledger.noted((*_LAST_RECEIVER, delivery))
            self._ledger.note((*_LAST_RECEIVER, delivery), evidence)
            if before not in {None, evidence}:
                logger.warning(_OTHER_RECEIVER, delivery)
        return self._evidence[delivery]


def _is_to_be_seen(row: Row) -> bool:
    """Return whether all of a row is read back: that it was acknowledged is not enough then."""
    request = row.request
    is_readable = OBJECTS[row.object].display_name is not None
    return row.options.verify == ALL and is_readable and request.is_about_itself


def _contents(request: WriteRequest) -> dict[str, dict[str, str]]:
    return {
        f"{ACCOUNT}.": request.account,
        f"{USER}.": request.user,
        f"{FIELDS}.": request.fields,
    }
