"""The sink: what the SDK asks of one, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from singer_sdk.sinks import RecordSink

from target_totango.models import ValidationError
from target_totango.singer.validation import RecordValidator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.target_base import Target

    from target_totango.mapping.compiler import StreamMapping
    from target_totango.mapping.segment import Segment
    from target_totango.pipeline.record_processor import RecordProcessor
    from target_totango.pipeline.run import Run


INTAKES_REMEMBERED: Final = 1_000


class TotangoSink(RecordSink):
    """Hands each record of one stream to the run, with the stream's mapping."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._run: Run = target.run  # type: ignore[attr-defined]
        self._keys = tuple(self.key_properties)
        self._intakes: dict[int, RecordProcessor] = {}
        self.segment: Segment | None = target.segment_for(self)  # type: ignore[attr-defined]
        self.mapping: StreamMapping | None = None
        if self.segment is None:
            self.mapping = target.mapping_for(self)  # type: ignore[attr-defined]

    @property
    def record_schema(self) -> dict[str, Any]:
        """The schema of records as they come: with the SDK's metadata, if that is added."""
        added = self.include_sdc_metadata_properties
        schema: dict[str, Any] = self.schema if added else self.original_schema
        return schema

    def get_validator(self) -> RecordValidator | None:
        """Return the validator, unless `validate_records` is off."""
        if not self.validate_schema:
            return None
        return RecordValidator(self.record_schema, stream=self.stream_name)

    def faults(self, record: Mapping[str, Any]) -> list[ValidationError]:
        """Return how a record does not fit its SCHEMA, and which parts of its key it lacks."""
        found: list[ValidationError] = []
        if isinstance(self._validator, RecordValidator):
            found = self._validator.faults(record)
        for key in self._keys:
            if record.get(key) is None:
                found.append(ValidationError(key, "missing", f"the key {key} is missing"))
        return found

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Hand a record to the run.

        Args:
            record: The record behind the stream maps.
            context: `message` as it was read, and `source`, its stream.
        """
        mapping: StreamMapping | None
        mapped: Mapping[str, Any] = record
        if self.segment is not None:
            mapping, mapped = self.segment.route(self.stream_name, record) or (None, record)
            if mapping is None:
                self._run.skip(self.stream_name)
                return
        elif self.mapping is None:
            self._run.ignore(self.stream_name)
            return
        else:
            mapping = self.mapping
        intake = self._intakes.get(id(mapping)) or self._intake_of(mapping)
        intake.take(context["message"], context["source"], record, mapped)

    def _intake_of(self, mapping: StreamMapping) -> RecordProcessor:
        """Return what takes the rows of a mapping, of which a preset makes many."""
        announced = mapping.announced if self.segment is None else None
        if len(self._intakes) >= INTAKES_REMEMBERED:
            self._intakes.clear()
        # It holds the mapping, so that no other one can have its number meanwhile.
        intake = self._intakes[id(mapping)] = self._run.intake(mapping, self.faults, announced)
        return intake
