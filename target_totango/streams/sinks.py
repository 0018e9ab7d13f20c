"""Routes records through stream maps to the SDK's sink of each stream, and on to the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.sinks import RecordSink

from target_totango.mapping import ConversionError, NotWritten
from target_totango.models import REJECT_FIELD, ValidationError
from target_totango.pipeline import Rejected, Skipped
from target_totango.singer import PatternFields, RecordValidator
from target_totango.storage import rejected_as
from target_totango.streams.stream_maps import is_mistake, stream_map_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk.mapper import StreamMap
    from singer_sdk.target_base import Target

    from target_totango.mapping import SegmentStream, StreamMapping
    from target_totango.models import SourceStream
    from target_totango.pipeline import RecordProcessor, Run
    from target_totango.streams.compiled_mappings import CompiledMappings

    Outputs = list[tuple[StreamMapping, dict[str, Any]]]

PROCESSORS_KEPT: Final = 1_000


class TotangoSink(RecordSink):
    """Makes a row of each record of one stream, by the stream's mapping, and adds it to the run."""

    _is_mapped = False

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
        self._processors: dict[int, RecordProcessor] = {}
        self._patterns = PatternFields(self.original_schema)
        self._record_validator: RecordValidator | None = None
        if self.validate_schema:
            self._record_validator = RecordValidator(self.record_schema, stream=stream_name)
        self._mappings: CompiledMappings = target.mappings  # type: ignore[attr-defined]
        fields = self.original_schema.get("properties") or {}
        self.segment = self._mappings.segment_of(stream_name, fields)
        self.mappings: list[StreamMapping] = []
        # Where names are described by patterns, records tell which fields there are.
        if self.segment is None and not self._patterns:
            self._map()
        # Each record becomes one row, always by the same mapping.
        self._is_ordinary = len(self.mappings) == 1

    def _map(self) -> None:
        self._is_mapped = True
        self._processors.clear()
        self.mappings = self._mappings.compile(
            self.stream_name, self.record_schema, self.key_properties
        )

    @property
    def stream_objects(self) -> list[tuple[str, str]]:
        """Stream and object of every row that a record may become."""
        if self.segment is not None:
            return [(self.stream_name, self.segment.object)]
        return [(mapping.stream, mapping.object) for mapping in self.mappings]

    @property
    def record_schema(self) -> dict[str, Any]:
        """The schema of records as they come: with the SDK's metadata, if that is added."""
        added = self.include_sdc_metadata_properties
        return self._patterns.added_to(self.schema if added else self.original_schema)

    def get_validator(self) -> None:
        """Return none of the SDK's, which take one record and raise at its first fault."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Not called: records come many at once."""
        raise NotImplementedError

    def process_records(
        self,
        records: Sequence[dict[str, Any]],
        messages: Sequence[dict[str, Any]],
        source: SourceStream,
        *,
        is_plain: bool = False,
    ) -> None:
        """Add records to the run.

        Args:
            records: Records behind the stream maps.
            messages: Their messages as they were read.
            source: Their stream.
            is_plain: Whether all of their texts are plain: see `MessageReader`.
        """
        if self._is_ordinary:
            misfits = self._schema_errors(records)
            processor = self._processor(self.mappings[0])
            rows = processor.process(messages, source, records, misfits, is_plain=is_plain)
            self._run.add(rows)
            return
        for record, message in zip(records, messages, strict=True):
            for mapping, mapped in self._outputs(record, message, source):
                self._add(mapping, [record], [mapped], [message], source)

    def _add(
        self,
        mapping: StreamMapping,
        records: Sequence[Mapping[str, Any]],
        mapped: Sequence[Mapping[str, Any]],
        messages: Sequence[Mapping[str, Any]],
        source: SourceStream,
    ) -> None:
        """Add the rows that a mapping makes of records, and of what a preset made of them."""
        processor = self._processor(mapping)
        misfits = self._schema_errors(records)
        self._run.add(processor.process(messages, source, mapped, misfits))

    def _schema_errors(self, records: Sequence[Mapping[str, Any]]) -> list[list[ValidationError]]:
        """Return how each record does not fit its SCHEMA, and which parts of its key it lacks."""
        if self._record_validator is not None:
            errors = self._record_validator.errors(records)
        else:
            errors = [[] for _ in records]
        for key in self._keys:
            for record, found in zip(records, errors, strict=True):
                if record.get(key) is None:
                    found.append(ValidationError(key, "missing", f"the key {key} is missing"))
        return errors

    def _outputs(
        self, record: dict[str, Any], message: Mapping[str, Any], source: SourceStream
    ) -> Outputs:
        """Return the mappings of a record, each with the record that it reads."""
        if self.segment is not None:
            outputs = self._calls(self.segment, record, message, source)
        else:
            if self._patterns and (self._patterns.find(record) or not self._is_mapped):
                self._map()
            outputs = [(mapping, record) for mapping in self.mappings]
            if not outputs:
                self._run.ignore(self.stream_name)
        if len(outputs) > 1 and REJECT_FIELD in message:
            # A rejected row is replayed for the object that it was rejected for.
            rejected = rejected_as(message)
            same = [each for each in outputs if (each[0].stream, each[0].object) == rejected]
            outputs = same or outputs
        return outputs

    def _calls(
        self,
        segment: SegmentStream,
        record: Mapping[str, Any],
        message: Mapping[str, Any],
        source: SourceStream,
    ) -> Outputs:
        """Return the mappings for a call of Segment, each with the record that it reads."""
        about = (self.stream_name, segment.object)
        try:
            outputs = segment.rows(record)
        except ConversionError as unfit:
            error = ValidationError("", unfit.code, unfit.message)
            self._run.add_unsent(message, source, about, Rejected([error]))
            return []
        if isinstance(outputs, NotWritten):
            self._run.add_unsent(message, source, about, Skipped(outputs.reason))
            return []
        return outputs

    def _processor(self, mapping: StreamMapping) -> RecordProcessor:
        """Return the record processor of a mapping; a preset makes many mappings."""
        processor = self._processors.get(id(mapping))
        if processor is not None:
            return processor
        if len(self._processors) >= PROCESSORS_KEPT:
            self._processors.clear()
        # It holds the mapping, so that no other one can get its number.
        processor = self._processors[id(mapping)] = self._run.processor(mapping)
        return processor


class StreamRoute:
    """Sends the records of one stream through its stream maps to its sinks.

    Args:
        source: The stream.
        stream_maps: What the SDK makes of it.
        sink_of: Returns the sink of a stream behind the stream maps.
        run: Takes records on which a stream map fails.
    """

    def __init__(
        self,
        source: SourceStream,
        stream_maps: Iterable[StreamMap],
        sink_of: Callable[[str], TotangoSink],
        run: Run,
    ) -> None:
        self._source = source
        self._run = run
        self._branches = [
            (None if _changes_nothing(each, sink) else each, sink)
            for each in stream_maps
            if not isinstance(each, RemoveRecordTransform)
            for sink in [sink_of(each.stream_alias)]
        ]

    def send(self, messages: Sequence[dict[str, Any]], *, is_plain: bool = False) -> None:
        """Send records on.

        Args:
            messages: RECORD messages as they were read.
            is_plain: Whether all of their texts are plain: see `MessageReader`.
        """
        match self._branches:
            case [(None, sink)]:  # the ordinary stream
                records = [message["record"] for message in messages]
                sink.process_records(records, messages, self._source, is_plain=is_plain)
            case _:
                for message in messages:
                    self._send_each(message, message["record"])

    def _send_each(self, message: dict[str, Any], record: dict[str, Any]) -> None:
        for stream_map, sink in self._branches:
            mapped: dict[str, Any] | None = record
            if stream_map is not None:
                try:
                    mapped = stream_map.transform(dict(record))
                except Exception as error:  # noqa: BLE001 (users' expressions may raise anything)
                    self._refuse(sink, message, error)
                    continue
                if mapped is not None and sink.include_sdc_metadata_properties:
                    # No public name does this; 0.54 and 0.55 have the same one.
                    sink._add_sdc_metadata_to_record(mapped, message, {})  # noqa: SLF001
            if mapped is not None:
                sink.process_records([mapped], [message], self._source)

    def _refuse(self, sink: TotangoSink, message: dict[str, Any], error: Exception) -> None:
        """Reject a record on which an expression of a stream map failed.

        Raises:
            SettingsError: If it would fail on every record.
        """
        cause = error.__cause__ or error
        reason = f"a stream map failed on it: {error} ({type(cause).__name__}: {cause})"
        if is_mistake(cause, self._source.schema):
            raise stream_map_error(error, self._source.name)
        rejected = Rejected([ValidationError("", "stream map failed", reason)])
        if not sink.stream_objects:
            self._run.ignore(sink.stream_name)
        for about in sink.stream_objects:
            self._run.add_unsent(message, self._source, about, rejected)


def _changes_nothing(stream_map: StreamMap, sink: TotangoSink) -> bool:
    """Return whether records reach a sink exactly as they were read."""
    return (
        type(stream_map) is SameRecordTransform
        and not stream_map.flattening_enabled
        and not sink.include_sdc_metadata_properties
    )
