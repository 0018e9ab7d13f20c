"""Reads Singer messages line by line, with errors that name the line and never show it."""

from __future__ import annotations

import io
import os
import select
import sys
from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from target_totango.singer.messages import CHECK_THE_TAP, is_plain, message_in
from totango_api.errors import InputError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Message: TypeAlias = dict[str, Any]

TICK_SECONDS: Final = 0.2
"""While the tap is silent, what was delivered is looked after this often."""

_CHUNK: Final = 1 << 18
_RECORD: Final = "RECORD"
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)


class MessageReader(GenericSingerReader[str]):
    """Reads messages until the input ends, a message cannot be used, or it is told to stop.

    Whatever goes wrong is kept in `failure` instead of being raised, so that what was already
    read is still delivered and its state still emitted: the target raises it in the end.

    Attributes:
        line: Number of the line whose message is handed over; of several records, the first one's.
        failure: Why reading stopped early; None when the input was read to its end.
        is_plain: Whether all texts of the messages that are handed over are plain.
        signal: Number of the signal that asked to stop.
        take_records: Takes RECORDs of one stream that follow each other.
        pulse: Called while the tap is silent and between messages.
        wait_readable: Waits until a descriptor can be read, or for some seconds; tells which.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = 0
        self.is_plain = False
        self._read = 0
        self.failure: BaseException | None = None
        self.signal: int | None = None
        self.take_records: Callable[[list[Message]], None] = lambda _: None
        self.pulse: Callable[[], None] = lambda: None
        self.wait_readable: Callable[[int, float], bool] = _wait_readable

    @property
    def default_input(self) -> IO[str]:
        """Standard input."""
        return sys.stdin

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[Message], None]]
    ) -> Counter[str]:
        """Hand records over many at once, and every other message to the callback of its type.

        Args:
            file_input: Messages, one a line; standard input if None.
            callbacks: By message type; that of records is not called.

        Returns:
            How many messages of each type were read.
        """
        counts: Counter[str] = Counter()
        source = file_input if file_input is not None else self.default_input
        try:
            for messages in self._messages(source):
                kind = messages[0]["type"]
                if kind == _RECORD:
                    self.take_records(messages)
                elif (callback := callbacks.get(kind)) is not None:
                    callback(messages[0])
                else:
                    self._refuse(f"is of the type {kind[:30]!r}, which Singer has not", self.line)
                counts[kind] += len(messages)
                if self.signal is not None:
                    break
        except TotangoError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 (raised by the target, after the drain)
            self.failure = error
        return counts

    def deserialize_json(self, line: str) -> Message:
        """Not called: lines are decoded many at once."""
        raise NotImplementedError

    def _messages(self, source: IO[str]) -> Iterator[list[Message]]:
        """Yield each message alone, but RECORDs of one stream together that follow each other.

        What was read before a line that is none is yielded before the error.
        """
        for lines in self._lines(source):
            self.is_plain = is_plain(lines)
            together: list[Message] = []
            stream = None
            try:
                for number, message in self._numbered(lines):
                    if type(message) is not dict:
                        self._refuse("is not a JSON object", number)
                    kind = message.get("type")
                    if type(kind) is not str:
                        self._refuse("has no message type", number)
                    is_whole = kind == _RECORD and type(message.get("record")) is dict
                    own = message.get("stream") if is_whole else None
                    if together and (own is None or own != stream):
                        yield together
                        together = []
                    if not together:
                        self.line = number
                    together.append(message)
                    stream = own
            except InputError:
                if together:
                    yield together
                raise
            if together:
                yield together
            self.pulse()

    def _lines(self, source: IO[str]) -> Iterator[bytes]:
        """Yield whole lines, those together that are there together; nothing where none is."""
        if not source:
            msg = "Standard input is closed, so there is nothing to read."
            raise InputError(msg, remedy="Pipe a tap into target-totango.")
        try:
            descriptor = source.fileno()
        except (OSError, io.UnsupportedOperation, AttributeError):
            while texts := source.readlines(_CHUNK):
                text = "".join(texts).removesuffix("\n")
                yield text.encode(errors="surrogatepass") + b"\n"
            return
        yield from self._lines_of(descriptor)

    def _lines_of(self, descriptor: int) -> Iterator[bytes]:
        """Read raw bytes, so that waiting for the tap and looking after calls can alternate."""
        partial: list[bytes] = []
        while self.signal is None:
            if not self.wait_readable(descriptor, TICK_SECONDS):
                yield b""
                continue
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join((*partial, chunk[:end]))
                partial.clear()
            partial.append(chunk[end:])
        else:
            return
        if last := b"".join(partial):
            yield self._last(last) + b"\n"

    def _last(self, line: bytes) -> bytes:
        try:
            self._decoded(line, self._read + 1)
        except InputError:
            msg = f"The input ended inside line {self._read + 1}: the tap was probably killed."
            raise InputError(msg, remedy="Run it again.") from None
        return line

    def _numbered(self, lines: bytes) -> Iterable[tuple[int, Any]]:
        """Return decoded lines with their numbers: many at once where each line is a message."""
        first = self._read + 1
        count = lines.count(b"\n")
        self._read += count
        try:
            decoded = _decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            decoded = []
        if len(decoded) == count:
            return enumerate(decoded, first)
        return (
            (number, self._decoded(line, number))
            for number, line in enumerate(lines.split(b"\n"), first)
            if line and not line.isspace()
        )

    def _decoded(self, line: bytes, number: int) -> Any:
        try:
            return _decoder.decode(line)
        except (msgspec.DecodeError, RecursionError):
            pass
        except UnicodeDecodeError:
            self._refuse("is not UTF-8", number)
        try:
            return message_in(line)
        except UnicodeDecodeError:
            self._refuse("is not UTF-8", number)
        except (ValueError, RecursionError):
            self._refuse("is not JSON", number)

    def _refuse(self, what: str, line: int) -> NoReturn:
        msg = f"Line {line} of the input {what}."
        raise InputError(msg, remedy=CHECK_THE_TAP) from None


def _wait_readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])
