"""Singer messages, line by line, with errors that name the line and never show it."""

from __future__ import annotations

import io
import json
import os
import select
import sys
from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from totango_api.errors import InputError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TICK_SECONDS: Final = 0.2
"""While the tap is silent, what was delivered is looked after this often."""

_CHUNK: Final = 1 << 18
_LONGEST_INTEGER: Final = 4000
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class MessageReader(GenericSingerReader[str]):
    """Reads messages until the input ends, a message cannot be used, or it is told to stop.

    Whatever goes wrong is kept in `failure` instead of being raised, so that what was already
    read is still delivered and its state still emitted: the target raises it in the end.

    Attributes:
        line: Number of the line being read.
        failure: Why reading stopped early; None when the input was read to its end.
        signal: Number of the signal that asked to stop.
        pulse: Called while the tap is silent and between messages.
        wait_readable: Waits until a descriptor can be read, or for some seconds; tells which.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = 0
        self.failure: BaseException | None = None
        self.signal: int | None = None
        self.pulse: Callable[[], None] = lambda: None
        self.wait_readable: Callable[[int, float], bool] = _wait_readable

    @property
    def default_input(self) -> IO[str]:
        """Standard input."""
        return sys.stdin

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Hand every message to the callback of its type.

        Args:
            file_input: Messages, one a line; standard input if None.
            callbacks: By message type.

        Returns:
            How many messages of each type were read.
        """
        counts: Counter[str] = Counter()
        source = file_input if file_input is not None else self.default_input
        try:
            for line in self._lines(source):
                self.line += 1
                if not line or line.isspace():
                    continue
                message = self._message(line)
                kind = message["type"]
                callback = callbacks.get(kind)
                if callback is None:
                    self._refuse(f"is of the type {kind[:30]!r}, which Singer has not")
                callback(message)
                counts[kind] += 1
                if self.signal is not None:
                    break
        except TotangoError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 (raised by the target, after the drain)
            self.failure = error
        return counts

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Decode a line; numbers keep their digits.

        Raises:
            InputError: If it is not JSON.
        """
        message: dict[str, Any] = self._decoded(line.encode(errors="surrogatepass"))
        return message

    def _lines(self, source: IO[str]) -> Iterator[bytes]:
        if not source:
            msg = "Standard input is closed, so there is nothing to read."
            raise InputError(msg, remedy="Pipe a tap into target-totango.")
        try:
            descriptor = source.fileno()
        except (OSError, io.UnsupportedOperation, AttributeError):
            for text in source:
                self.pulse()
                yield text.encode(errors="surrogatepass")
            return
        yield from self._lines_of(descriptor)

    def _lines_of(self, descriptor: int) -> Iterator[bytes]:
        """Read raw bytes, so that waiting for the tap and looking after calls can alternate."""
        partial: list[bytes] = []
        while self.signal is None:
            if not self.wait_readable(descriptor, TICK_SECONDS):
                self.pulse()
                continue
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            head, *lines = chunk.split(b"\n")
            partial.append(head)
            for line in lines:
                yield b"".join(partial)
                partial = [line]
            self.pulse()
        else:
            return
        if last := b"".join(partial):
            yield self._last(last)

    def _last(self, line: bytes) -> bytes:
        try:
            self._decoded(line)
        except InputError:
            msg = f"The input ended inside line {self.line + 1}: the tap was probably killed."
            raise InputError(msg, remedy="Run it again.") from None
        return line

    def _message(self, line: bytes) -> dict[str, Any]:
        try:
            message = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message = self._decoded(line)
        if not isinstance(message, dict):
            self._refuse("is not a JSON object")
        if not isinstance(message.get("type"), str):
            self._refuse("has no message type")
        return message

    def _decoded(self, line: bytes) -> Any:
        try:
            return _decode(line)
        except (msgspec.DecodeError, RecursionError):
            pass
        except UnicodeDecodeError:
            self._refuse("is not UTF-8")
        try:
            # NaN, Infinity and half surrogate pairs are no JSON, but taps write them: the row
            # is then rejected on its own.
            return json.loads(line, parse_float=Decimal, parse_constant=Decimal, parse_int=_integer)
        except UnicodeDecodeError:
            self._refuse("is not UTF-8")
        except (ValueError, RecursionError):
            self._refuse("is not JSON")

    def _refuse(self, what: str) -> NoReturn:
        msg = f"Line {max(self.line, 1)} of the input {what}."
        raise InputError(
            msg, remedy="Check that the tap writes nothing but Singer messages."
        ) from None


def _wait_readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < _LONGEST_INTEGER else Decimal(text)
