"""Writes Singer messages to standard output: always whole lines, records a page at a time."""

from __future__ import annotations

import signal
import sys
from itertools import repeat, starmap
from typing import TYPE_CHECKING, Any, Final

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import StateMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Message

    from tap_totango.records.builder import Table


class Stopped(BaseException):
    """The tap was told to stop by a signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


UNREAD: Final = "Nobody reads the output any more: the program behind the pipe has ended."


class UnreadError(Exception):
    """Standard output cannot be written. Not an OSError: click ends those without a word."""


class MessageWriter(MsgSpecWriter):
    """Writes messages whole: a signal that arrives while lines are written waits for their end.

    Attributes:
        is_writing: Whether lines are being written.
        stopped: Raised at their end.
        ends_with_state: Whether a STATE was written last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_writing = False
        self.stopped: Stopped | None = None
        self.ends_with_state = False

    def write_message(self, message: Message) -> None:
        """Write a message whole.

        Raises:
            Stopped: If a signal arrived while they were written.
            UnreadError: If nobody reads what is written.
        """
        self.write_lines(bytes(self.format_message(message)))
        self.ends_with_state = isinstance(message, StateMessage)

    def write_lines(self, lines: bytes) -> None:
        """Write messages whole, each a line.

        Raises:
            Stopped: If a signal arrived while they were written.
            UnreadError: If nobody reads what is written.
        """
        if not sys.stdout:
            msg = "Standard output is closed, so there is nowhere to write to."
            raise UnreadError(msg)
        self.is_writing, self.ends_with_state = True, False
        try:
            while lines:
                # Unbuffered, as in many containers, a signal ends a write before its end.
                lines = lines[sys.stdout.buffer.write(lines) :]
            sys.stdout.flush()
        except BrokenPipeError:
            raise UnreadError(UNREAD) from None
        except OSError as error:
            msg = f"Standard output cannot be written: {error.strerror}."
            raise UnreadError(msg) from None
        finally:
            self.is_writing = False
        if self.stopped is not None:
            raise self.stopped


class RecordEncoder:
    """Encodes the RECORD messages of one stream, a page at a time.

    The SDK encodes message by message, from a dictionary each; these lines are the same to the
    byte (benchmarks: tap, all columns).

    Args:
        stream: Its name.
        version: Version of the table; None when messages carry none.
    """

    def __init__(self, stream: str, version: int | None) -> None:
        self._constants: tuple[Any, ...] = ("RECORD", stream)
        self._versions = () if version is None else (version,)
        named = ["type", "stream", "record", *(["version"] * len(self._versions)), "time_extracted"]
        self._message: Callable[..., Any] = msgspec.defstruct(
            "RecordMessage", [(name, Any) for name in named], gc=False
        )
        self._names: tuple[str, ...] = ()
        self._record: Callable[..., Any] = dict

    def lines(self, table: Table, extracted_at: datetime) -> bytes:
        """Return the RECORD messages of a table, a line each."""
        if table.names != self._names:
            self._names, self._record = table.names, _record_of(table.names)
        head, tail = map(repeat, self._constants), map(repeat, (*self._versions, extracted_at))
        records = starmap(self._record, table.tuples())
        return encoder.encode_lines(map(self._message, *head, records, *tail))


def is_identity(stream_maps: Sequence[StreamMap]) -> bool:
    """Return whether the SDK leaves records as they are: no stream maps, no flattening."""
    return len(stream_maps) == 1 and (
        type(stream_maps[0]) is SameRecordTransform and not stream_maps[0].flattening_enabled
    )


def _record_of(names: tuple[str, ...]) -> Callable[..., Any]:
    """Return what makes a record of its values: one that encodes as an object of these names."""
    fields = [(f"column_{place}", Any) for place in range(len(names))]
    renamed = {field: name for (field, _), name in zip(fields, names, strict=True)}
    try:
        return msgspec.defstruct("Record", fields, rename=renamed, gc=False)
    except ValueError:  # a name that JSON has to escape
        return lambda *values: dict(zip(names, values, strict=True))
