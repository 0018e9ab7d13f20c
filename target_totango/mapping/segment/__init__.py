"""The preset for Segment: turns its calls, or the tables of its warehouse, into rows."""

from target_totango.mapping.segment.preset import SEGMENT_SETTINGS, Segment, SegmentOptions
from target_totango.mapping.segment.rows import NotWritten, SegmentStream

__all__ = ["SEGMENT_SETTINGS", "NotWritten", "Segment", "SegmentOptions", "SegmentStream"]
