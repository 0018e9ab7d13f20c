"""Turns search hits into RECORD lines, a page at a time."""

from tap_totango.records.builder import RecordBuilder, Table, value_at
from tap_totango.records.writer import (
    UNREAD,
    MessageWriter,
    RecordEncoder,
    Stopped,
    UnreadError,
    is_identity,
)

__all__ = [
    "UNREAD",
    "MessageWriter",
    "RecordBuilder",
    "RecordEncoder",
    "Stopped",
    "Table",
    "UnreadError",
    "is_identity",
    "value_at",
]
