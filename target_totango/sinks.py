"""The sink: what the SDK asks of one, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import RecordSink

from target_totango.model import Fault
from target_totango.validation import RecordValidator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.target_base import Target

    from target_totango.mapping import StreamMapping
    from target_totango.model import SourceStream
    from target_totango.preset import Segment


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
        self._target = target
        self.segment: Segment | None = target.segment_for(self)  # type: ignore[attr-defined]
        self.mapping: StreamMapping | None = None
        if self.segment is None:
            self.mapping = target.mapping_for(self)  # type: ignore[attr-defined]

    def get_validator(self) -> RecordValidator | None:
        """Return the validator, unless `validate_records` is off."""
        if not self.validate_schema:
            return None
        return RecordValidator(self.original_schema, stream=self.stream_name)

    def faults(self, record: Mapping[str, Any]) -> list[Fault]:
        """Return how a record does not fit its SCHEMA, and which parts of its key it lacks."""
        validator = self._validator
        found = validator.faults(record) if isinstance(validator, RecordValidator) else []
        lacking = [key for key in self.key_properties if record.get(key) is None]
        return found + [Fault(key, "missing", f"the key {key} is missing") for key in lacking]

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Hand a record to the run.

        Args:
            record: The record behind the stream maps.
            context: `message` as it was read, and `source`, its stream.
        """
        run = self._target.run  # type: ignore[attr-defined]
        source: SourceStream = context["source"]
        mapping: StreamMapping | None
        mapped: Mapping[str, Any]
        if self.segment is not None:
            mapping, mapped = self.segment.route(self.stream_name, record) or (None, record)
            if mapping is None:
                run.skip(self.stream_name)
                return
        else:
            mapping, mapped = self.mapping, record
        if mapping is None:
            run.ignore(self.stream_name)
            return
        run.take(context["message"], source, mapped, mapping, self.faults(record))
