"""Turns a record into a write request or a list of validation errors."""

from target_totango.mapping.compiler import compile_stream
from target_totango.mapping.compiler.description import describe, log_change, log_mapping
from target_totango.mapping.compiler.stream_mapping import StreamMapping
from target_totango.mapping.config import MappingConfig, fits, mappings_of, parse_mappings
from target_totango.mapping.deletion import (
    DEFAULT_MARK,
    DeletionMark,
    is_marked,
    parse_deleted_when,
)
from target_totango.mapping.expressions import MISSING
from target_totango.mapping.known_attributes import KnownAttributes, read_attributes
from target_totango.mapping.policy import (
    CLEAR,
    IGNORE,
    LEAVE_OUT,
    OPTION_SETTINGS,
    POLICY_SETTINGS,
    REJECT,
    WARN,
    Policy,
)
from target_totango.mapping.segment import (
    SEGMENT_SETTINGS,
    NotWritten,
    Segment,
    SegmentOptions,
    SegmentStream,
)
from target_totango.mapping.transform import Transformer
from target_totango.mapping.values.convert import ConversionError
from target_totango.mapping.values.dates import to_date, zone_named

__all__ = [
    "CLEAR",
    "DEFAULT_MARK",
    "IGNORE",
    "LEAVE_OUT",
    "MISSING",
    "OPTION_SETTINGS",
    "POLICY_SETTINGS",
    "REJECT",
    "SEGMENT_SETTINGS",
    "WARN",
    "ConversionError",
    "DeletionMark",
    "KnownAttributes",
    "MappingConfig",
    "NotWritten",
    "Policy",
    "Segment",
    "SegmentOptions",
    "SegmentStream",
    "StreamMapping",
    "Transformer",
    "compile_stream",
    "describe",
    "fits",
    "is_marked",
    "log_change",
    "log_mapping",
    "mappings_of",
    "parse_deleted_when",
    "parse_mappings",
    "read_attributes",
    "to_date",
    "zone_named",
]
