"""The way in: records become rows that are checked and counted, and admitted or rejected."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.expressions import MISSING
from target_totango.mapping.transform import Transformer
from target_totango.models import DELETED_FIELD, REJECT_FIELD, USERS, Row
from target_totango.storage.run_store import comparable
from target_totango.storage.stale_rejects import is_superseded, newer_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_totango.mapping.compiler import StreamMapping
    from target_totango.mapping.transform import Policy
    from target_totango.models import SourceStream, ValidationError
    from target_totango.pipeline.departures import HardDeletes
    from target_totango.pipeline.filters import Admission
    from target_totango.pipeline.results import ResultHandler
    from target_totango.report import Report
    from target_totango.singer.state import StateCheckpointer

logger = logging.getLogger("target-totango")

METADATA: Final = "_sdc_"
"""What the SDK adds to records begins so; none of it is an attribute."""

NAMES_TOLD: Final = 100


class RecordProcessor:
    """Takes the records of one mapping.

    Args:
        mapping: What becomes of them.
        policy: What to do with what is not quite right.
        gate: Where each row draws its ticket.
        report: Counts.
        departures: Takes rows that are gone at their source.
        admission: Takes rows without a fault.
        settler: Takes the others.
        faults: Returns how a record does not fit its SCHEMA.
        announced: All fields that records may hold; others are said and counted.
    """

    def __init__(
        self,
        mapping: StreamMapping,
        policy: Policy,
        *,
        gate: StateCheckpointer,
        report: Report,
        departures: HardDeletes,
        admission: Admission,
        settler: ResultHandler,
        faults: Callable[[Mapping[str, Any]], list[ValidationError]],
        announced: frozenset[str] | None = None,
    ) -> None:
        self.mapping = mapping
        self._transformer = Transformer(mapping, policy)
        self._faults = faults
        self._gate = gate
        self._tally = report.tally(mapping.stream, mapping.object)
        self._departures = departures
        self._admission = admission
        self._settler = settler
        self._announced = announced
        self._told: set[str] = set()

    def take(
        self,
        message: Mapping[str, Any],
        source: SourceStream,
        record: Mapping[str, Any],
        mapped: Mapping[str, Any],
    ) -> None:
        """Take one record.

        Args:
            message: The RECORD message as it was read.
            source: Its stream.
            record: The record behind the stream maps.
            mapped: What a preset made of it; else the same.

        Raises:
            TotangoError: If the run must end here.
        """
        mapping = self.mapping
        row = Row(
            self._gate.draw(), source, message, mapping.stream, mapping.object, mapping.delivery
        )
        self._tally.received += 1
        if self._announced is not None and not self._announced.issuperset(record):
            self._note_unannounced(record)
        replayed = REJECT_FIELD in message["record"]
        if replayed and is_superseded(message):
            self._settler.superseded(row)
            return
        if mapped.get(DELETED_FIELD):
            self._departures.take(row, self._transformer.transform_ids(mapped))
            return
        if replayed:
            row.newer = newer_names(message)
        faults = self._faults_of(row, record, mapped)
        if mapping.recency is not None:
            recency = mapping.recency.read(mapped)
            row.recency = None if recency is MISSING else comparable(recency)
        if mapping.object == USERS:
            self._departures.note_user(row)
        if faults:
            distinct = {(fault.field, fault.code): fault for fault in faults}
            self._settler.invalid(row, list(distinct.values()))
        else:
            self._admission.put(row)

    def _note_unannounced(self, record: Mapping[str, Any]) -> None:
        """Say and count what is not written because no SCHEMA names it."""
        announced = self._announced or frozenset()
        names = {name for name in record if not (name in announced or name.startswith(METADATA))}
        self._tally.unannounced += bool(names)
        new = names - self._told
        if new and len(self._told) < NAMES_TOLD:
            self._told |= new
            logger.warning(
                "Stream %r: not written, since its SCHEMA does not name them: %s.",
                self.mapping.stream,
                ", ".join(sorted(new)[:NAMES_TOLD]),
            )

    def _faults_of(
        self, row: Row, record: Mapping[str, Any], mapped: Mapping[str, Any]
    ) -> Sequence[ValidationError]:
        """Give a row its write, and return everything that is wrong with it."""
        transformer = self._transformer.without(row.newer) if row.newer else self._transformer
        transformed = transformer.transform(mapped)
        row.write = transformed.request
        faults = [*self._faults(record), *transformed.errors]
        if faults:
            row.faulty = tuple(transformed.failed)
        for name, count in transformed.changes.items() if not faults else ():
            setattr(self._tally, name, getattr(self._tally, name) + count)
        return faults
