"""Routes each stream through its stream maps and mappings to the sink for its records."""

from target_totango.streams.compiled_mappings import CompiledMappings, identity_of
from target_totango.streams.sinks import StreamRoute, TotangoSink
from target_totango.streams.stream_maps import STREAM_MAP_ERRORS, stream_map_error, streams_without

__all__ = [
    "STREAM_MAP_ERRORS",
    "CompiledMappings",
    "StreamRoute",
    "TotangoSink",
    "identity_of",
    "stream_map_error",
    "streams_without",
]
