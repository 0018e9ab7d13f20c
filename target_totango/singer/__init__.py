"""Speaks the Singer protocol: messages in, STATE out."""

from target_totango.singer.messages import CHECK_THE_TAP, key_properties_of, message_in, parts_of
from target_totango.singer.pattern_fields import PatternFields
from target_totango.singer.reader import MessageReader
from target_totango.singer.state import StateCheckpointer, emit
from target_totango.singer.validation import UNFIT, RecordValidator

__all__ = [
    "CHECK_THE_TAP",
    "UNFIT",
    "MessageReader",
    "PatternFields",
    "RecordValidator",
    "StateCheckpointer",
    "emit",
    "key_properties_of",
    "message_in",
    "parts_of",
]
