"""Turns records into rows: each with a write request, or with all of its errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import (
    LEAVE_OUT,
    MISSING,
    ConversionError,
    Transformer,
    is_marked,
    log_change,
)
from target_totango.models import DELETED, REJECT_FIELD, SUPERSEDED, Row, ValidationError
from target_totango.singer import UNFIT
from target_totango.storage import comparable, is_superseded, newer_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_totango.mapping import StreamMapping
    from target_totango.models import SourceStream
    from target_totango.report import Report
    from target_totango.singer import StateCheckpointer

    Record = Mapping[str, Any]

logger = logging.getLogger("target-totango")

METADATA: Final = "_sdc_"
"""What the SDK adds to records begins so; none of it is an attribute."""

NAMES_LOGGED: Final = 100


class RecordProcessor:
    """Turns the records of one mapping into rows.

    Args:
        mapping: What becomes of them.
        states: Numbers the rows.
        report: Counts.
    """

    def __init__(self, mapping: StreamMapping, states: StateCheckpointer, report: Report) -> None:
        self.mapping = mapping
        self._transformer = Transformer(mapping)
        self._states = states
        self._metrics = report.metrics(mapping.stream, mapping.object)
        self._metrics.note = mapping.note
        self._fields = mapping.fields
        self._leaves_out = mapping.policy.invalid_attributes == LEAVE_OUT
        self._read_mark = mapping.deletion.expression.read
        self._read_recency = None if mapping.recency is None else mapping.recency.read
        self._marks = mapping.marks
        # Records that have none of these fields are not looked at; None: any may be marked.
        mark = mapping.deletion.expression.field
        self._mark_fields = None if mark is None else frozenset({mark, *self._marks})
        self._logged: set[str] = set()

    def process(
        self,
        messages: Sequence[Mapping[str, Any]],
        source: SourceStream,
        records: Sequence[Record],
        misfits: Sequence[list[ValidationError]],
        *,
        is_plain: bool = False,
    ) -> Iterator[Row]:
        """Yield the row of each record, with a write request or with errors.

        Args:
            messages: RECORD messages as they were read.
            source: Their stream.
            records: Their records behind the stream maps, or what a preset made of each.
            misfits: How each record does not fit its SCHEMA.
            is_plain: Whether all texts of the records are plain: see `MessageReader`.
        """
        mapping, metrics, next_row = self.mapping, self._metrics, self._states.next_row
        about = (mapping.stream, mapping.object, mapping.delivery, mapping.options)
        names: set[str] = set().union(*records)
        all_announced = mapping.announced is None or mapping.announced.issuperset(names)
        may_be_marked = self._mark_fields is None or not self._mark_fields.isdisjoint(names)
        for message, record, errors in zip(messages, records, misfits, strict=True):
            row = Row(next_row(), source, message, *about)
            metrics.received += 1
            if not all_announced:
                self._log_unannounced(record)
            self._fill(row, record, errors, may_be_marked=may_be_marked, is_plain=is_plain)
            yield row

    def _fill(
        self,
        row: Row,
        record: Record,
        misfits: list[ValidationError],
        *,
        may_be_marked: bool,
        is_plain: bool,
    ) -> None:
        """Give a row its write request, or its errors."""
        if REJECT_FIELD in row.message:
            row.newer = newer_names(row.message)
            if is_superseded(row.message):
                row.mark = SUPERSEDED
                return
        if may_be_marked and self._is_marked(row, record):
            return
        if misfits or row.newer:
            self._fill_in_part(row, record, misfits)
        else:
            transformer = self._transformer
            transformer.transform(record, row, is_plain=is_plain)
            if row.errors:
                row.errors = _distinct(row.errors)
            elif transformer.changes or transformer.left_out:
                self._count(transformer, ())
        if self._read_recency is not None:
            recency = self._read_recency(record)
            row.recency = None if recency is MISSING else comparable(recency)

    def _is_marked(self, row: Row, record: Record) -> bool:
        """Give a row that is marked as deleted its ids alone; count marks that no setting names."""
        mark = self._read_mark(record)
        if mark is not MISSING and mark is not None and self._is_deleted(row, record):
            return True
        if self._marks and is_marked(record, self._marks):
            self._metrics.marked_deleted += 1
        return False

    def _is_deleted(self, row: Row, record: Record) -> bool:
        """Give a row its ids alone if it is deleted, or if it is not clear whether it is."""
        deletion = self.mapping.deletion
        try:
            row.mark = DELETED if deletion.is_set(record) else None
        except ConversionError as error:
            label = deletion.expression.label
            row.errors = (ValidationError(label, error.code, error.message),)
        if not row.errors and not row.is_deleted:
            return False
        self._transformer.transform_ids(record, row)
        return True

    def _log_unannounced(self, record: Record) -> None:
        """Log and count what is not written because no SCHEMA names it."""
        announced = self.mapping.announced or frozenset()
        names = {name for name in record if not (name in announced or name.startswith(METADATA))}
        self._metrics.unannounced += bool(names)
        new = names - self._logged
        if new and len(self._logged) < NAMES_LOGGED:
            self._logged |= new
            logger.warning(
                "Stream %r: not written, since its SCHEMA does not name them: %s.",
                self.mapping.stream,
                ", ".join(sorted(new)[:NAMES_LOGGED]),
            )

    def _fill_in_part(self, row: Row, record: Record, misfits: list[ValidationError]) -> None:
        """Give a row its write request without attributes that do not fit or are outdated."""
        misfits = self._relevant(misfits)
        left_out = [error for error in misfits if self._leaves_out and self._is_optional(error)]
        names = [self.mapping.attributes_of(_field_of(error)) for error in left_out]
        without = row.newer.union(*names)
        transformer = self._transformer.without(without) if without else self._transformer
        transformer.transform(record, row)
        misfits = [error for error in misfits if error not in left_out]
        if misfits or row.errors:
            row.errors = _distinct([*misfits, *row.errors])
        else:
            self._count(transformer, left_out)

    def _relevant(self, errors: Sequence[ValidationError]) -> list[ValidationError]:
        """Return the errors of a record that are about what is written; log the others once."""
        relevant = [error for error in errors if self._is_relevant(error)]
        if len(relevant) < len(errors):
            new = {error.field for error in errors if error not in relevant} - self._logged
            self._logged |= new
            for field in sorted(new) if len(self._logged) < NAMES_LOGGED else ():
                logger.warning(
                    "Stream %r: %s does not fit its SCHEMA, which keeps no row from being "
                    "written, since it is not mapped.",
                    self.mapping.stream,
                    field,
                )
        return relevant

    def _is_relevant(self, error: ValidationError) -> bool:
        if error.code != UNFIT or not error.field:
            return True
        return error.field in self._fields or _field_of(error) in self._fields

    def _is_optional(self, error: ValidationError) -> bool:
        """Return whether an error is about nothing but attributes."""
        return error.code == UNFIT and _field_of(error) not in {"", *self.mapping.id_fields}

    def _count(self, transformer: Transformer, left_out: Sequence[ValidationError]) -> None:
        """Count what was changed or left out of a row, as the policy says."""
        for name, count in transformer.changes.items():
            before = getattr(self._metrics, name)
            setattr(self._metrics, name, before + count)
            if not before:
                log_change(self.mapping.stream, name)
        if left_out := [*left_out, *transformer.left_out]:
            self._metrics.leave_out(left_out)


def _distinct(errors: Iterable[ValidationError]) -> tuple[ValidationError, ...]:
    """Return errors without those that say again what is wrong with a field."""
    return tuple({(error.field, error.code): error for error in errors}.values())


def _field_of(error: ValidationError) -> str:
    """Return the field of a record that an error is about or within."""
    return error.field.split(".")[0]
