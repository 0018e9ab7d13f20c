"""The way of a stream's records: through the stream maps that there are, to the sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform

from target_totango.models import ValidationError
from target_totango.sinks import TotangoSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.mapper import StreamMap
    from singer_sdk.sinks import Sink

    from target_totango.models import SourceStream
    from target_totango.pipeline.run import Run


class Route:
    """Brings the records of one stream to its sinks.

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
        sink_of: Callable[[str], Sink],
        run: Run,
    ) -> None:
        self._source = source
        self._run = run
        self._ways = [
            (None if _changes_nothing(each, sink) else each, sink)
            for each in stream_maps
            if not isinstance(each, RemoveRecordTransform)
            for sink in [sink_of(each.stream_alias)]
        ]

    def send(self, message: dict[str, Any], record: dict[str, Any]) -> None:
        """Send a record on.

        Args:
            message: The RECORD message as it was read.
            record: Its record.
        """
        context = {"message": message, "source": self._source}
        for stream_map, sink in self._ways:
            if stream_map is None:
                sink.process_record(record, context)
                continue
            try:
                mapped = stream_map.transform(dict(record))
            except Exception as error:  # noqa: BLE001 (users' expressions may raise anything)
                self._refuse(sink, message, error)
                continue
            if mapped is None:
                continue
            if sink.include_sdc_metadata_properties:
                # No public name does this; 0.54 and 0.55 have the same one.
                sink._add_sdc_metadata_to_record(mapped, message, {})  # noqa: SLF001
            sink.process_record(mapped, context)

    def _refuse(self, sink: Sink, message: dict[str, Any], error: Exception) -> None:
        """Reject a record on which an expression of a stream map failed.

        Raises:
            Exception: The error itself, when the stream is not written in one way.
        """
        mapping = sink.mapping if isinstance(sink, TotangoSink) else None
        if mapping is None:
            raise error
        cause = error.__cause__ or error
        what = f"a stream map failed on it: {error} ({type(cause).__name__}: {cause})"
        self._run.refuse(
            message, self._source, mapping, ValidationError("", "stream map failed", what)
        )


def _changes_nothing(stream_map: StreamMap, sink: Sink) -> bool:
    """Tell whether records reach a sink exactly as they were read."""
    return (
        type(stream_map) is SameRecordTransform
        and not stream_map.flattening_enabled
        and not sink.include_sdc_metadata_properties
    )
